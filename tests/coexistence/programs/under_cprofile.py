# cProfile: every function with its calls and callers, but not the times, which are never the same.
import cProfile
import os
import pstats

import workload

profile = cProfile.Profile()
print(profile.runcall(workload.main))
rows = []
for (path, line, name), (primitive, calls, _, _, callers) in pstats.Stats(profile).stats.items():
    if path.endswith("workload.py"):
        whom = sorted((os.path.basename(p), number, who) for p, number, who in callers)
        rows.append((line, name, primitive, calls, whom))
print("\n".join(map(str, sorted(rows))))

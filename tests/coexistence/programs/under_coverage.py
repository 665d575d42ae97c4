# coverage.py; COVERAGE_CORE says which core. What it measured is the output.
import sys

import coverage

branch = sys.argv[1] == "branch"
cover = coverage.Coverage(data_file=None, branch=branch, config_file=False, include=["*/workload.py"])
cover.start()
import workload  # noqa: E402

tracer = type(sys.gettrace()).__name__
tool = sys.monitoring.get_tool(1) if hasattr(sys, "monitoring") else None
result = workload.main()
cover.stop()
print(result)
print(tracer, tool)
data = cover.get_data()
for name in data.measured_files():
    print(sorted(data.arcs(name)) if branch else sorted(data.lines(name)))

#!/usr/bin/env python3
"""Recursion of 100 000 calls is as without the shim, traced or not selected, and nothing of it is lost."""
import os
import sys
import tempfile

import pythons

PROGRAM = """
import sys
sys.setrecursionlimit(200000)
def down(n): return 1 + down(n - 1) if n else 0
def endless(n): return endless(n + 1)
print(down(100000))
try: endless(0)
except RecursionError as error: print(error)
print(down(1000))
"""


def main():
    status = 0
    with tempfile.TemporaryDirectory(prefix="kprobe-deep-") as folder:
        for python in pythons.with_engine():
            plain = pythons.run(python, PROGRAM, "")
            for rule in ("__main__.*", "-__main__.down,-__main__.endless"):
                trace = os.path.join(folder, "trace.kpt")
                done = pythons.run(python, PROGRAM, pythons.SHIM, OUTPUT="file:" + trace, FILTER=rule)
                good = (done.returncode, done.stdout) == (plain.returncode, plain.stdout) and plain.stdout
                downs = sum(kind == "enter" and name == "__main__.down" for kind, _, name in pythons.dump(trace))
                good = good and downs == (0 if rule.startswith("-") else 101002) and "by the opcode engine" in done.stderr
                print("%s %s, %s: %d calls of down()" % ("ok  " if good else "FAIL", python, rule, downs), flush=True)
                if not good:
                    status = 1
                    print("status %d, %r instead of %d, %r; %s" % (done.returncode, done.stdout, plain.returncode,
                                                                   plain.stdout, done.stderr[-500:]))
                os.unlink(trace)
    return status


if __name__ == "__main__":
    sys.exit(main())

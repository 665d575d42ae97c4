#!/usr/bin/env python3
"""Functions in C in threads, forked children, subinterpreters, greenlets and programs that end abruptly: the same output as
without the shim, every trace is whole, and each process and thread has the calls it made.
"""
import glob
import os
import tempfile

import tracing

# The program, and how often a function is called in all processes together.
CASES = {
    "threads": ("""
import threading, math
def work():
    for i in range(1000): math.trunc(i)
threads = [threading.Thread(target=work) for _ in range(4)]
for t in threads: t.start()
for t in threads: t.join()
print("done")
""", {"math.trunc": 4000}),
    "fork": ("""
import os, math
def work(n):
    for i in range(n): math.trunc(i)
work(3)
pid = os.fork()
work(5)
if pid == 0:
    math.ceil(1)
    os._exit(7)
print(os.waitpid(pid, 0)[1] >> 8)
""", {"math.trunc": 13, "math.ceil": 1, "posix.fork": 1, "posix._exit": 1}),
    "multiprocessing": ("""
import math, multiprocessing
def work(n): return math.trunc(n), math.ceil(n)
if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    with context.Pool(2) as pool:
        print(pool.map(work, range(40)))
        pool.close()
        pool.join()
""", {"math.trunc": 40, "math.ceil": 40}),
    "a C function that calls itself through Python": ("""
import functools
def f(n): return n and functools.reduce(lambda a, b: f(n - 1), [1, 2])
print(f(50))
""", {"_functools.reduce": 50}),
    "ends in the midst": ("""
import functools, os, sys, math
def f(a, b):
    math.trunc(1)
    sys.stdout.flush()
    os._exit(3)
print("x")
functools.reduce(f, [1, 2])
""", {"math.trunc": 1, "_functools.reduce": 1, "posix._exit": 1}),
    "exec": ("""
import os, sys, math
math.trunc(1)
sys.stdout.flush()
if len(sys.argv) < 2: os.execv(sys.executable, [sys.executable, __file__, "again"])
print("executed")
""", {"math.trunc": 2, "posix.execv": 1}),
    "subinterpreters": ("""
import math
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
for n in range(3):
    i = interpreters.create()
    interpreters.run_string(i, "import math\\nfor i in range(10): math.trunc(i); len([i])")
    interpreters.destroy(i)
math.trunc(1)
print("done")
""", {"math.trunc": 31}),
}


def check_case(python, engine, name):
    program, wanted = CASES[name]
    with tempfile.TemporaryDirectory(prefix="kprobe-builtins-") as folder:
        script = os.path.join(folder, "program.py")
        with open(script, "w") as file:
            file.write(program)
        plain = tracing.run([python, script])
        done = tracing.run([python, script], True, OUTPUT="file:%s/trace.%%p.kpt" % folder, FILTER="*,+c:*", ENGINE=engine)
        if (plain.returncode, plain.stdout) != (done.returncode, done.stdout):
            return "%r %d without, %r %d with: %s" % (plain.stdout[-200:], plain.returncode, done.stdout[-200:],
                                                      done.returncode, done.stderr[-700:])
        traces = [tracing.Trace(path) for path in glob.glob(folder + "/*.kpt*")]
    for trace in traces:
        if trace.problem:
            return trace.problem
    names = [name for trace in traces for name in trace.names()]
    counts = {name: names.count(name) for name in wanted}
    return None if counts == wanted else "%s calls, not %s" % (counts, wanted)


def check(python, engine):
    return "\n    ".join("%s: %s" % (name, problem) for name, problem in
                         ((name, check_case(python, engine, name)) for name in CASES) if problem)


if __name__ == "__main__":
    tracing.main(check)

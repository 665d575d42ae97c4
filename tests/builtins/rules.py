#!/usr/bin/env python3
"""Which functions in C are traced: rules that name a few, rules that leave out, rules that change while the program runs, and
nothing at all unless a rule asks.
"""
import os
import tempfile

import tracing

JSON = "import json\nprint(json.loads(json.dumps([1, {'a': None}])), len('abc'), abs(-1))\n"

# Rules, what must be among the names, and what all names must begin with.
CASES = [
    ("-*,+c:_json.*", {"_json.Encoder.__call__", "_json.Scanner.__call__"}, ("_json.",)),
    ("-*,+c:builtins.len,+c:re:builtins\\.ab.", {"builtins.len", "builtins.abs"}, ("builtins.len", "builtins.ab")),
    ("-*,+c:builtins.*,-c:builtins.l*", {"builtins.abs"}, ("builtins.",)),
    ("-*,+c:nothing.*", None, ()),
    ("-*", None, ()),
]

SWITCHING = """
import os, sys, time, math, threading
rules = os.environ["RULES"]
def set_rules(text):
    with open(rules + ".new", "w") as file: file.write(text)
    os.rename(rules + ".new", rules)
    end = time.monotonic() + 1.5
    while time.monotonic() < end: time.sleep(0.01); idle()
def idle(): pass
keys = {math.floor: "floor", len: "len", [].append: 0}
def calls(f, n):
    for i in range(n): f(i)
calls(math.floor, 3)
set_rules("c:math.floor\\nc:math.ceil\\n-*")
calls(math.floor, 5)
print(keys[math.floor], keys[len], hash(math.floor) == math.floor.__hash__())
set_rules("-*\\nc:math.ceil")
calls(math.floor, 7); calls(math.ceil, 9)
set_rules("c:math.*\\n-*")
calls(math.floor, 11)
print(keys[math.floor], keys[len])
"""


def check_case(python, engine, rules, wanted, starts):
    traced = tracing.Traced(python, engine, JSON, rules)
    if wanted is None:
        return None if traced.trace is None and traced.problem and traced.problem.startswith("no trace") else "there is a trace"
    if traced.problem:
        return traced.problem
    names = set(traced.trace.names())
    if not wanted <= names:
        return "missing: %s" % sorted(wanted - names)
    foreign = [name for name in names if not name.startswith(starts)]
    return "not asked for: %s" % foreign if foreign else None


def check_switching(python, engine):
    with tempfile.TemporaryDirectory(prefix="kprobe-builtins-") as folder:
        script, rules, trace = (os.path.join(folder, name) for name in ("program.py", "rules", "trace.kpt"))
        with open(script, "w") as file:
            file.write(SWITCHING)
        with open(rules, "w") as file:
            file.write("-*\n")
        os.environ["RULES"] = rules
        done = tracing.run([python, script], True, OUTPUT="file:" + trace, FILTER_FILE=rules, ENGINE=engine)
        if done.returncode or done.stdout != "floor len True\nfloor len\n":
            return "status %d, %r %s" % (done.returncode, done.stdout, done.stderr[-500:])
        found = tracing.Trace(trace)
    names = found.names()
    counts = [names.count("math.floor"), names.count("math.ceil")]
    return found.problem or (None if counts == [5 + 11, 9] else "floor and ceil were seen %s times" % counts)


def check(python, engine):
    wrong = []
    for rules, wanted, starts in CASES:
        problem = check_case(python, engine, rules, wanted, starts)
        if problem:
            wrong.append("%s: %s" % (rules, problem))
    problem = check_switching(python, engine)
    if problem:
        wrong.append("switching: " + problem)
    return "\n    ".join(wrong)


if __name__ == "__main__":
    tracing.main(check, tracing.first_cells())

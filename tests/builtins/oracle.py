#!/usr/bin/env python3
"""The oracle: sys.setprofile in pure Python tells the same calls of C functions, and how they end.

It is told of builtins and methods that Python code calls, and of nothing that C code calls. So the calls that stand right
below the program's own functions are compared, without those that it is never told of: types, objects that are called.
Where an engine says (builtins.unseen) that the interpreter does without calling a function, fewer may have been seen.
"""
import collections
import tempfile
import os

import tracing

WORK = """
import bisect, collections, datetime, functools, itertools, json, math, operator, os, random, re, string, struct, time, zlib

def texts(i):
    s = "a b %d" % i
    s.split(); s.upper(); "-".join(s.split(" ")); s.startswith("a"); s.encode().decode(); s.replace("a", "b", 1)
    len(s); str(i); repr(i); ord("a"); chr(97); format(i, "x"); hash(s)
    return string.capwords(s)

def numbers(i):
    abs(-i); divmod(i + 1, 2); pow(2, 3); round(1.5); math.sqrt(i); math.gcd(i, 4); max(i, 1); min([i, 2]); sum([1, i])
    i.bit_length(); (i + 1).to_bytes(4, "big"); struct.pack("<i", i); struct.unpack("<i", b"abcd"); isinstance(i, int)

def containers(i):
    l = [3, 1, 2]
    l.append(i); l.sort(); l.index(1); l.pop(); l.extend((4, 5)); l.reverse()
    d = {"a": 1}
    d.get("a"); d.items(); d.update(b=2); d.pop("a"); d.setdefault("c", [])
    s = {1, 2}
    s.add(3); s.discard(9); len(s); sorted(l, key=operator.neg); any(l); all(l)
    bisect.insort(l, i); collections.Counter(l).most_common(1); next(iter(l)); isinstance(l, (list, tuple))

def errors(i):
    for f, a in ((math.sqrt, (-1,)), ([].pop, ()), ({}.pop, ("x",)), (len, (3,)), ("a".index, ("z",)), (divmod, (1, 0))):
        try:
            f(*a)
        except Exception:
            pass

def others(i):
    re.compile("a+").match("aaa").group(0)
    zlib.decompress(zlib.compress(b"a" * 10))
    json.loads(json.dumps([i, {"x": None}]))
    datetime.datetime(2000, 1, 1).isoformat(); time.time(); os.getpid(); os.path.exists("/"); callable(i); id(i)
    getattr(i, "real"); hasattr(i, "x"); functools.reduce(operator.add, [1, 2]); list(itertools.islice(range(9), 2))

def main():
    for i in range(60):
        texts(i); numbers(i); containers(i); errors(i); others(i)
"""

RECORD = """
import sys
def run(main):
    from collections import Counter
    seen = Counter()
    name_of = __file__
    def on_event(frame, event, arg):
        if event.startswith("c_") and frame.f_code.co_filename == name_of:
            seen[arg.__name__, event] += 1
    sys.setprofile(on_event)
    main()
    sys.setprofile(None)
    for (name, event), count in sorted(seen.items()):
        print(name, event, count)
run(main)
"""
OUTSIDE = {"setprofile"}
ENDS = {"exit": "c_return", "unwind": "c_exception"}


def expected(python):
    with tempfile.TemporaryDirectory(prefix="kprobe-builtins-") as folder:
        script = os.path.join(folder, "program.py")
        with open(script, "w") as file:
            file.write(WORK + RECORD)
        done = tracing.run([python, script])
    if done.returncode:
        raise SystemExit(done.stderr)
    rows = [line.split() for line in done.stdout.splitlines()]
    return {(name, event): int(count) for name, event, count in rows if name not in OUTSIDE}


def found(trace, types):
    """The calls of builtins right below the program's functions, named as the oracle does."""
    main = trace.find("__main__.main")
    seen = collections.Counter()
    python = trace.python()
    for node in trace.walk(main):
        if node.name.startswith("__main__.") or not node.parent.name.startswith("__main__."):
            continue
        name = node.name.rsplit(".", 1)[1]
        if node.name in types or name == "__call__" or node.name in python:
            continue
        seen[name, "c_call"] += 1
        seen[name, ENDS[node.end]] += 1
    return seen


TYPES = """
import builtins, collections, datetime, itertools, operator
for module in builtins, collections, datetime, itertools, operator:
    for name, value in vars(module).items():
        if isinstance(value, type): print("%s.%s" % (value.__module__, value.__qualname__))
"""


def check(python, engine):
    traced = tracing.Traced(python, engine, WORK + "main()\n", "*,+c:*")
    if traced.problem:
        return traced.problem
    types = set(tracing.run([python, "-c", TYPES]).stdout.split())
    wanted, seen = expected(python), found(traced.trace, types)
    unseen = {row.split(":")[0].rsplit(".", 1)[1] for row in traced.meta["builtins.unseen"].split("; ") if ":" in row}
    wrong = ["%s %s: %d, the oracle has %d" % (*key, seen[key], wanted.get(key, 0))
             for key in sorted(set(wanted) | set(seen))
             if seen[key] != wanted.get(key, 0) and not (key[0] in unseen and seen[key] < wanted.get(key, 0))]
    if len(wanted) < 100:
        wrong.append("the oracle has only %d rows" % len(wanted))
    return "\n    ".join(wrong)


if __name__ == "__main__":
    tracing.main(check)

#!/usr/bin/env python3
"""What a program can find out about functions in C is the same with every one of them traced: identity, hash, equality,
pickling, signatures, inheritance of __new__, profilers; and nothing it computes differs. Each part prints; what it prints is
compared with a run without the shim. That all of it was traced is checked as well.
"""
import tracing

PARTS = {
    "hash and equality": """
import math
bound = [].append
keys = {len: 1, math.sin: 2, bound: 3, str.upper: 4, [].__add__: 5}
import _bisect, array
print(keys[len], keys[math.sin], keys[bound], keys[str.upper])
print(hash(len) == len.__hash__(), len == len, len.__eq__(len), len != abs, len.__ne__(len), len.__eq__(3), len == 3)
a = [1]
print(a.append == a.append, a.append == [1].append, hash(a.append) == hash(a.append), a.append is a.append)
print({f: f.__name__ for f in (len, abs, len)} == {len: "len", abs: "abs"}, len in {len}, {len} - {len})
print(type(len).__hash__(len) == hash(len), type(len).__eq__(len, len), type(len).__lt__(len, len))
""",
    # A key made before kprobe looks at the module that defines it: importlib makes the module, and this comes first.
    "a key from the start": """
import sys, builtins
before = {value: name for name, value in vars(builtins).items() if type(value) is type(len)}
print(all(before[value] == name or getattr(builtins, before[value]) is value for name, value in vars(builtins).items()
          if type(value) is type(len)), before[len])
""",
    "pickling": """
import copyreg, copy, pickle, math
for f in (len, math.sin, [].append, str.upper, dict.fromkeys, staticmethod(len), classmethod(len), object().__reduce__):
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        try:
            data = pickle.dumps(f, protocol)
            print(len(data), pickle.loads(data) == f, end=" ")
        except Exception as error:
            print(type(error).__name__, end=" ")
    try:
        print(copy.copy(f) == f, copy.deepcopy(f) == f)
    except Exception as error:
        print(type(error).__name__)
class A:
    def __init__(self): self.x = 1
class S:
    __slots__ = "a",
class L(list): pass
for value in (A(), L([1]), {1: len}, [abs], S()):
    try:
        print(type(pickle.loads(pickle.dumps(value))).__name__, value.__reduce_ex__(2)[0].__name__)
    except Exception as error:
        print(type(error).__name__, str(error)[:40])
""",
    "__new__ and inheritance": """
class L(list):
    def __new__(cls, *a): return list.__new__(cls)
class I(int): pass
class E(enumerate): pass
class D(dict):
    def __call__(self, *a): return "called"
print(L([1]), I(3), list(E("a")), D(a=1)(2), list.__new__.__name__, int.__new__ is int.__new__, I.__new__ is int.__new__)
for wrong in (lambda: object.__new__(list), lambda: list.__new__(dict), lambda: int.__new__(str), lambda: object(1), lambda: I("x")):
    try:
        wrong()
    except Exception as error:
        print(type(error).__name__, error)
print(type("X", (tuple,), {})((1,)), type("Y", (L,), {"__init__": lambda s, *a: None})(5))
class Meta(type):
    def __call__(cls, *a): return ("meta", a)
print(Meta("Z", (list,), {})(1))
t = (1, 2)
class Error(Exception): pass
print(Error(*t).args == t, ValueError(*t).args, str(ValueError("x")))
print(isinstance(I(1), int), issubclass(I, int), super(I, I(2)).bit_length(), str(b"a", "utf-8"), dict([("a", 1)], b=2), int("7", base=8))
""",
    "introspection": """
import inspect, types, math, json.scanner
for f in (len, math.gcd, [].append, str.split, dict.fromkeys, print, sorted, int.from_bytes, isinstance, object.__reduce__):
    try:
        signature = str(inspect.signature(f))
    except ValueError as error:
        signature = "none"
    print(repr(f).split(" at ")[0], signature, f.__name__, f.__qualname__, getattr(f, "__module__", None), (f.__doc__ or "")[:20],
          f.__text_signature__, inspect.isbuiltin(f), inspect.isroutine(f), type(f).__name__)
print(json.scanner.c_make_scanner.__call__, type(json.scanner.c_make_scanner), callable(json.scanner.c_make_scanner))
print(inspect.signature(list) if hasattr(list, "x") else [c.__text_signature__ for c in (list, tuple, dict, object, type)])
print(list.__vectorcalloffset__ if hasattr(list, "__vectorcalloffset__") else None, type.__flags__, list.__flags__, len.__self__)
""",
    "sys.setprofile": """
import sys
seen = []
def hook(frame, event, arg): seen.append((event, getattr(arg, "__name__", None) if event[:2] == "c_" else None))
def f():
    len([1]); [].append(1)
    try: [].pop()
    except IndexError: pass
sys.setprofile(hook)
f()
sys.setprofile(None)
print(seen)
""",
    "sys._getframe": """
import sys, threading
def f(): return sys._getframe(0).f_code.co_name, sys._getframe(1).f_code.co_name, sorted(locals()), sorted(globals())[:2], len(sys._current_frames())
def g(): return list(map(lambda x: f(), [1]))
print(g(), sorted([1], key=lambda x: sys._getframe(1).f_code.co_name == "<module>"), eval("f()")[:2])
def depth(n):
    try: return depth(n + 1)
    except RecursionError: return n
print(depth(0))
def inner(n):
    try: return max([n], key=lambda x: inner(n + 1))
    except RecursionError: return n
sys.setrecursionlimit(300)
try: inner(0); print("deep")
except RecursionError: print("limit")
""",
    "json": """
import json
data = {"a": [1, 2.5, None, True, "x\\u1234"], "b": {"c": "d" * 50}}
print(json.dumps(data), json.loads(json.dumps(data, indent=1)) == data, json.dumps("x"), json.encoder.encode_basestring_ascii("y"))
try: json.dumps({1: object()})
except TypeError as error: print(error)
try: json.loads("[1,")
except ValueError as error: print(error)
""",
    "exceptions and tracebacks": """
import traceback, sys
def f(): return int("x")
try: f()
except ValueError: print(traceback.format_exc().splitlines()[-1], len(traceback.extract_tb(sys.exc_info()[2])))
try: sorted([1, "a"])
except TypeError as error: print(error)
try: len()
except TypeError as error: print(error)
try: list(x=1)
except TypeError as error: print(error)
try: dict(**{"a": 1}, **{"a": 2})
except TypeError as error: print(error)
try: object(**{"a": 1})
except TypeError as error: print(error)
""",
}


def check(python, engine):
    wrong = []
    for name, program in PARTS.items():
        if name == "sys.setprofile" and engine == "profile":
            continue  # that engine is a profile function, which the program's replaces
        traced = tracing.Traced(python, engine, program, "*,+c:*")
        if traced.problem:
            wrong.append("%s: %s" % (name, traced.problem))
        elif not any(call.startswith(("builtins.", "sys.")) for call in traced.trace.names()):
            wrong.append("%s: nothing was traced" % name)
    return "\n    ".join(wrong)


if __name__ == "__main__":
    tracing.main(check)

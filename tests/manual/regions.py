#!/usr/bin/env python3
"""kprobe.py under every engine: where its regions and records stand among the functions, and that nothing happens without
the shim. KPROBE and SHIM name the build.
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "builtins"))
from tracing import TOP, Traced, cells, one_of_each_minor  # noqa: E402

PROBES = os.path.join(TOP, "shim", "probes", "python")

PROGRAM = '''
import asyncio, contextlib, inspect, threading
import kprobe

def leaf(): pass

def raises():
    kprobe.begin("forgotten")
    raise KeyError("secret")

def nested():
    with kprobe.region("outer"):
        leaf()
        try:
            with kprobe.region("inner"):
                raises()
        except KeyError:
            pass
        leaf()
    kprobe.begin("left open")

def unmatched():
    kprobe.end("never begun")
    kprobe.begin("a")
    kprobe.begin("b")
    kprobe.end("a")
    kprobe.end("b")
    leaf()

def ended_by_another():
    kprobe.begin("mine")
    other_ends()
    leaf()
    kprobe.end("mine")

def other_ends():
    kprobe.end("mine")

def in_handler():
    kprobe.begin("around")
    try:
        raises()
    except KeyError:
        leaf()
    finally:
        kprobe.end("around")

@kprobe.probe
def plain(n):
    return plain(n - 1) if n else leaf()

@kprobe.region("void shop.Cart.total(int)")
def signed():
    leaf()

@kprobe.probe
def stops():
    raise SystemExit(3)

@kprobe.probe
def numbers():
    leaf()
    got = yield 1
    try:
        yield got
    except ValueError:
        yield 3
    return 4

@kprobe.probe
async def task(n):
    await asyncio.sleep(0)
    leaf()

@kprobe.probe
async def ticks():
    for i in range(2):
        await asyncio.sleep(0)
        yield i

async def fetch(fails):
    with kprobe.region("fetch"):
        with kprobe.region("connect"):
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        leaf()
        if fails:
            raise KeyError

async def tasks():
    await asyncio.gather(fetch(False), fetch(True), return_exceptions=True)

async def ticking():
    return [i async for i in ticks()]

def generator():
    with kprobe.region("in generator"):
        yield 1
        leaf()
        yield 2

def generators():
    for _ in generator():
        break
    list(generator())
    target = numbers()
    print(next(target), target.send(2), target.throw(ValueError()))
    try:
        next(target)
    except StopIteration as stop:
        print(stop.value)

class Order:
    JAVA_CLASS = "shop.Order"
    def serialize(self, out):
        out.put_long(42)
        out.put_string("Ada; Bob")
        out.put_boolean(True)

def records():
    kprobe.record(Order())

def in_thread():
    with kprobe.region("in thread"):
        leaf()

for step in (nested, unmatched, ended_by_another, in_handler, signed, generators, records):
    step()
plain(1)
try:
    stops()
except SystemExit:
    pass
asyncio.run(task(0))
asyncio.run(tasks())
print(asyncio.run(ticking()))
thread = threading.Thread(target=in_thread)
thread.start()
thread.join()
print([inspect.isgeneratorfunction(numbers), inspect.iscoroutinefunction(task), inspect.isasyncgenfunction(ticks)],
      plain.__name__, plain.__module__, inspect.signature(plain), bool(inspect.unwrap(plain)))
'''

FETCH = ("fetch(fetch(connect~)~)~ fetch(fetch(connect~)~)~ fetch(fetch(connect)~)~ fetch(fetch(connect)~)~ "
         "fetch(fetch(leaf)) fetch(fetch(leaf)!)!")

EXPECTED = {
    "nested": "nested(outer(leaf inner(raises(forgotten!)!)! leaf) left open!)",
    "unmatched": "unmatched(a(b!) leaf)",
    "ended_by_another": "ended_by_another(mine(other_ends leaf))",
    "in_handler": "in_handler(around(raises(forgotten!)! leaf))",
    "void shop.Cart.total(int)": "void shop.Cart.total(int)(signed(leaf))",
    "plain": "plain(plain(plain(plain(leaf))))",
    "stops": "stops(stops!)!",
    "generators": "generators(generator(in generator~)~ generator(in generator!)! generator(in generator~)~ "
                  "generator(in generator(leaf)~)~ generator(in generator) numbers(numbers(leaf)~)~ numbers(numbers~)~ "
                  "numbers(numbers~)~ numbers(numbers))",
    "in_thread": "in_thread(in thread(leaf))",
}


def check(python, engine):
    traced = Traced(python, engine, PROGRAM, "+__main__.*", path=PROBES, keep=None)
    problems = [traced.problem] if traced.problem else []
    trace = traced.trace
    if trace is None:
        return problems or ["no trace: " + traced.errors[-500:]]
    if trace.problem:
        problems.append(trace.problem)
    nodes = {}
    for thread in sorted(trace.threads()):
        for node in trace.walk(trace.tree(thread)):
            nodes.setdefault(node.name.replace("__main__.", ""), node)
    for name, wanted in EXPECTED.items():
        found = str(nodes.get(name))
        if found != wanted:
            problems.append("%s:\n  wanted %s\n  found  %s" % (name, wanted, found))
    tree = str(trace.tree())
    if FETCH.split(" ", 1)[0] not in tree or tree.count("connect") != 4:
        problems.append("fetch: " + tree)
    problems += check_names(trace)
    return problems


def check_names(trace):
    problems = []
    calls = [name for _, kind, _, name, _ in trace.events if kind == "enter"]
    for name, count in {"fetch": 2, "connect": 2, "__main__.ticks": 2, "__main__.task": 2, "mine": 1}.items():
        if calls.count(name) != count:
            problems.append("%s began %d times" % (name, calls.count(name)))
    if any("/kprobe.py" in place for _, _, _, _, place in trace.events):
        problems.append("functions of kprobe.py are in the trace")
    record = [event[3:] for event in trace.events if event[1] == "record"]
    if record != [("shop.Order", "42;Ada\\x3b Bob;true")]:
        problems.append("records: %r" % record)
    return problems


AMONG_BUILTINS = '''
import kprobe
region = kprobe.region("r")
def f():
    with region:
        len(sorted([2, 1], key=abs))
        region.begin()
        region.end()
        kprobe.begin("n")
        kprobe.end("n")
f()
'''


def among_builtins(python, engine):
    """Functions in C are traced, too; those by which probes work are not."""
    traced = Traced(python, engine, AMONG_BUILTINS, "-*,__main__.f,+c:*", path=PROBES)
    node = traced.trace.find("__main__.f") if traced.trace else None
    inner = [child for child in node.children if child.name == "r"] if node else []
    found = " ".join(child.name for child in inner[0].children) if inner else ""
    if traced.problem or not found.startswith("builtins.sorted") or not found.endswith("r n") or inner[0].end != "exit":
        yield "among builtins: %s, %s" % (traced.problem, node)


GREENLETS = '''
import greenlet, kprobe
def leaf(): pass
def first():
    kprobe.begin("a")
    other.switch()
    kprobe.end("a")
    other.switch()
    with kprobe.region("b"):
        other.switch()
        leaf()
def second():
    with kprobe.region("c"):
        one.switch()
        kprobe.begin("d")
        one.switch()
        kprobe.end("d")
    one.switch()
one, other = greenlet.greenlet(first), greenlet.greenlet(second)
one.switch()
'''

SWITCHED = "first(a~)~ second(c~)~ first(a)~ second(c(d~)~)~ first(b~)~ second(c(d))~ first(b(leaf))"


def greenlets(python, engine):
    """Each greenlet has its own regions, whichever runs when one begins or ends."""
    found = subprocess.run([os.path.join(TOP, "scripts", "python-packages"), "--find", "coexistence", python],
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, universal_newlines=True)
    if found.returncode or engine != "opcode":
        return
    traced = Traced(python, engine, GREENLETS, "+__main__.[flos]*", path=PROBES + os.pathsep + found.stdout.strip())
    tree = " ".join(map(str, traced.trace.tree().children)) if traced.trace else ""
    if traced.problem or tree != SWITCHED:
        yield "greenlets: %s\n  wanted %s\n  found  %s" % (traced.problem, SWITCHED, tree)


def rules(python, engine):
    """What a rule excludes is not recorded; a + rule means only those; those for functions change nothing."""
    program = ("import kprobe\nfor name in ('shop.a', 'shop.b', 'other'):\n    with kprobe.region(name): pass\n"
               "def f(): pass\nf()\n")
    problems = []
    for text, wanted in (("+__main__.f", ["shop.a", "shop.b", "other", "__main__.f"]),
                         ("-*", ["shop.a", "shop.b", "other"]),
                         ("-*,-manual:shop.*", ["other"]),
                         ("-*,+manual:shop.*,-manual:*b", ["shop.a"]),
                         ("-*,manual:re:shop\\.[b-z]|x{2}", ["shop.b"]),
                         ("+c:*,-*", None)):
        traced = Traced(python, engine, program, text, path=PROBES)
        names = traced.trace.names() if traced.trace else []
        if traced.problem or (wanted is not None and names != wanted):
            problems.append("%s: %r, %s" % (text, names, traced.problem))
        if any(name.startswith(("kprobe.", "builtins.begin")) for name in names):
            problems.append("%s: our own functions: %r" % (text, names))
    if Traced(python, engine, program, "-*,-manual:*", path=PROBES).trace is not None:
        problems.append("a trace although nothing is wanted")
    return problems


def main():
    failed = 0
    all_cells = [cell for cell in cells() if cell[0] in one_of_each_minor((3, 8))]
    if not all_cells:
        print("no interpreter that can be traced")
        return 77
    seen = set()
    for python, engine in all_cells:
        problems = check(python, engine)
        if engine in ("opcode", "frame") and engine not in seen:
            seen.add(engine)
            problems += [*rules(python, engine), *among_builtins(python, engine), *greenlets(python, engine)]
        for problem in problems:
            print("%s, %s: %s" % (python, engine, problem))
        failed += bool(problems)
    print("%d cells, %d failed" % (len(all_cells), failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

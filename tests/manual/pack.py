#!/usr/bin/env python3
"""Programs that use Kieker's Python pack, with ours on PYTHONPATH in its place: by hand, by decorators and by both ways to weave;
under the shim and without it. KPROBE and SHIM name the build.
"""
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "builtins"))
from tracing import TOP, Traced, one_of_each_minor, run  # noqa: E402

PACK = os.path.join(TOP, "shim", "probes", "kieker")

# A module to weave: with a docstring, an encoding and a __future__ import that must survive.
MODULE = '''# -*- coding: latin-1 -*-
"""What the module says."""
from __future__ import annotations
import asyncio
NAME = "\xe9"
def total(values):
    return sum(values)
class Cart:
    def __init__(self):
        self.items = []
    @staticmethod
    def static():
        return 1
    @classmethod
    def of_class(cls):
        return cls.__name__
    @property
    def size(self):
        return len(self.items)
    class Inner:
        def method(self):
            return 4
    def fails(self):
        raise KeyError("private")
async def later():
    await asyncio.sleep(0)
    return total([1])
def numbers():
    yield 1
'''

PROGRAM = '''
import sys
how = sys.argv[1]
if how == "ast":
    from tools.importhookast import InstrumentOnImportFinder
    finder = InstrumentOnImportFinder(ignore_list=[], instrument_pattern="parts/woven")
    sys.meta_path.insert(0, finder)
elif how == "post":
    from tools.importhook import PostImportFinder
    sys.meta_path.insert(0, PostImportFinder("^woven", ["^woven_not"]))
sys.path.insert(0, sys.argv[2])
import woven, woven_not
import asyncio, inspect, pickle, traceback
assert woven.__doc__ == "What the module says.", woven.__doc__
assert woven.NAME == "\\xe9" and woven.__spec__.loader is woven.__loader__
cart = woven.Cart()
print(woven.total([1, 2]), cart.static(), cart.of_class(), cart.size, woven.Cart.Inner().method())
try:
    cart.fails()
except KeyError:
    frame = traceback.extract_tb(sys.exc_info()[2])[-1]
    print(frame.filename.endswith("woven.py"), frame.lineno, frame.line)
print(inspect.iscoroutinefunction(woven.later), asyncio.run(woven.later()), inspect.isgeneratorfunction(woven.numbers),
      list(woven.numbers()), pickle.loads(pickle.dumps(woven.total)) is woven.total, inspect.getsource(woven.total).splitlines()[0])
woven_not.g()
try:
    import broken
except ZeroDivisionError:
    print("broken" in sys.modules)
if how == "ast":
    print([name for name, _ in finder.item_list])
'''

WOVEN = ("Cart.__init__ total Cart.static Cart.of_class Cart.size Cart.Inner.method Cart.fails! later~ later(total) "
         "numbers~ numbers")

BY_HAND = '''
import sys
from monitoring.controller import MonitoringController, SingleMonitoringController, WriterController
from monitoring.record import BeforeOperationEvent as Documented
from monitoring.record import OperationExecutionRecord
from monitoring.record.trace.operation.operationevent import (
    BeforeOperationEvent, AfterOperationEvent, AfterOperationFailedEvent, CallOperationEvent)
from monitoring.record.trace.operation.objectoperationevent import AfteFailerOperationObjectEvent, CallOperationObjectEvent
import tools.const as con

ctrl = con.monitoring_controller
assert ctrl is MonitoringController() is SingleMonitoringController(sys.argv[1])
assert Documented is BeforeOperationEvent
now = ctrl.time_source_controller.get_time
assert ctrl.timesource_ctrl.get_time() <= now()
print(type(ctrl.writer_controller.monitoring_writer).__name__)
trace = con.trace_reg.register_trace()
ctrl.new_monitoring_record(trace)

def event(kind, operation, *more):
    ctrl.new_monitoring_record(kind(now(), trace.trace_id, trace.get_next_order_id(), operation, "shop.Cart", *more))

def traced():
    event(BeforeOperationEvent, "total")

event(BeforeOperationEvent, "void shop.Cart.add(int)")
event(BeforeOperationEvent, "total")
event(AfterOperationFailedEvent, "total", "KeyError('private')")
event(AfterOperationEvent, "void shop.Cart.add(int)")
event(AfterOperationEvent, "without begin")
ctrl.new_monitoring_record(OperationExecutionRecord("void a.b()", None, 1, 2, 3, None, 0, 0))
ctrl.new_monitoring_record(CallOperationEvent(1, 2, 3, "a", "A", "b", "B", 4, 5))
ctrl.new_monitoring_record(CallOperationObjectEvent(1, 2, 3, "a", "A", "b", "B", 4, 5))
ctrl.new_monitoring_record(AfteFailerOperationObjectEvent(1, 2, 3, "a", "A", "cause", 4))
con.trace_reg.unregister_trace()
assert con.trace_reg.get_trace() is None
'''

FLOW = "kieker.common.record.flow.trace.operation."
RECORDS = [
    (FLOW + "AfterOperationEvent", "without begin;shop.Cart"),
    ("kieker.common.record.controlflow.OperationExecutionRecord", "void a.b();<no-session-id>;1;2;3;<default-host>;0;0"),
    (FLOW + "CallOperationEvent", "1;2;3;a;A;b;B"),
    (FLOW + "object.CallOperationObjectEvent", "1;2;3;a;A;b;B;4;5"),
    (FLOW + "object.AfterOperationFailedObjectEvent", "1;2;3;a;A;cause;4"),
]

CONFIGURATIONS = {
    "[Main]\nmode = text\n[FileWriter]\nfile_path = /nowhere/x.log\n": "FileWriter",
    "[General]\nmode = tcp\nmultiple_Connections = False\n[Tcp]\nhost = 127.0.0.1\nport = 1\nconnection_timeout = 1\n":
        "TCPWriter",
}


def weave(python, folder):
    for how in ("ast", "post"):
        traced = Traced(python, "auto", PROGRAM, "-*", [how, folder], path=PACK)
        if traced.problem:
            yield "%s: %s" % (how, traced.problem)
            continue
        found = " ".join(map(str, traced.trace.tree().children)).replace("woven.", "")
        wanted = WOVEN if how == "post" else WOVEN + " woven_not.g"
        if found.replace("woven_not.g", "") .strip() != WOVEN:
            yield "%s:\n  wanted %s\n  found  %s" % (how, wanted, found)
        if how == "post" and "woven_not" in found:
            yield "post: what is excluded was woven"
        if "private" in " ".join(name for _, _, _, name, _ in traced.trace.events):
            yield "what an exception says is in the trace"


def by_hand(python, folder):
    for text, writer in CONFIGURATIONS.items():
        path = os.path.join(folder, "monitoring.ini")
        with open(path, "w") as file:
            file.write(text)
        traced = Traced(python, "auto", BY_HAND, "-*", [path], path=PACK)
        if traced.problem:
            yield traced.problem
            continue
        if traced.output != writer + "\n":
            yield "%s: %s" % (writer, traced.output)
        tree = " ".join(map(str, traced.trace.tree().children))
        if tree != "void shop.Cart.add(int)(shop.Cart.total!)":
            yield "by hand: " + tree
        records = [event[3:] for event in traced.trace.events if event[1] == "record"]
        if [name for name, _ in records] != [name for name, _ in RECORDS] or not all(
                found.endswith(wanted) for (_, found), (_, wanted) in zip(records, RECORDS)):
            yield "records: %r" % (records,)
    if os.path.exists("record-map.log"):
        yield "the pack's own files are there"


def untouched(python):
    """Without the shim decorators give the function back."""
    program = ("from tools.aspect import instrument, instrument_v1, instrument_empty\ndef f(): pass\n"
               "print(instrument(f) is f, instrument_v1(f) is f, instrument_empty(f) is f)\n"
               "import monitoring._probes as p\nprint(p.kprobe.present, p.kprobe.active())")
    done = run([python, "-c", program], path=PACK)
    if done.stdout != "True True True\nFalse False\n" or done.stderr:
        yield "untouched: " + done.stdout + done.stderr


def main():
    found = one_of_each_minor((3, 8))
    # What differs between versions is in the oldest and the newest, and where `find_module` went.
    pythons = [python for number, python in enumerate(found) if number in (0, len(found) // 2, len(found) - 1)]
    if not pythons:
        print("no interpreter that can be traced")
        return 77
    failed = 0
    with tempfile.TemporaryDirectory(prefix="manual-") as top:
        folder = os.path.join(top, "parts")
        os.mkdir(folder)
        for name, text in (("woven", MODULE), ("woven_not", "def g(): pass\n"), ("broken", "def f(): pass\n1 / 0\n")):
            with open(os.path.join(folder, name + ".py"), "w", encoding="latin-1") as file:
                file.write(text)
        for python in pythons:
            problems = [*weave(python, folder), *by_hand(python, top), *untouched(python)]
            for problem in problems:
                print("%s: %s" % (python, problem))
            failed += bool(problems)
    print("%d interpreters, %d failed" % (len(pythons), failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

# A real crash, deep in calls: its traceback is that of the program, and what ran before it is in the trace.
import ctypes
import faulthandler
import sys

import workload

faulthandler.enable()
print(workload.main())
sys.stdout.flush()


def crash(n):
    if n:
        crash(n - 1)
    try:
        workload.fibonacci(3)
    finally:
        ctypes.string_at(0)


def through_a_generator():
    yield sorted([1], key=lambda _: crash(6))


list(through_a_generator())

"""Calls of a function implemented in C, and nothing else. Prints nanoseconds per call: the least of short blocks."""
import math
import time

CALLS = 5000


def block(call, times):
    start = time.perf_counter_ns()
    for _ in times:
        call(1.0)
    return (time.perf_counter_ns() - start) / CALLS


print("%.2f" % min(block(math.fabs, [None] * CALLS) for _ in range(60)))

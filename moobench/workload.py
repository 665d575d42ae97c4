"""The call whose cost is measured: nanoseconds per call pair, the median of short blocks."""
import statistics
import sys
import time


def empty():
    pass


def loop(count):
    for _ in range(count):
        empty()


def recursion(depth):
    if depth:
        recursion(depth - 1)


def measure_loop():
    start = time.perf_counter_ns()
    loop(20000)
    return (time.perf_counter_ns() - start) / 20000


def measure_recursion():
    start = time.perf_counter_ns()
    for _ in range(200):
        recursion(98)
    return (time.perf_counter_ns() - start) / (200 * 99)


MEASURES = {"loop": measure_loop, "recursion": measure_recursion}

if __name__ == "__main__":
    measure = MEASURES[sys.argv[1]]
    for _ in range(5):
        measure()
    print("%.2f" % statistics.median(measure() for _ in range(25)))

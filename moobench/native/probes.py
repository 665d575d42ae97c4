"""What a probe of kprobe.py costs: nanoseconds per pair, the least of short blocks, without those of the loop."""
import sys
import time

import kprobe

COUNT, BLOCKS = 5000, 40
region = kprobe.region("region")


def empty():
    pass


@kprobe.probe
def probed():
    pass


def plain():
    for _ in range(COUNT):
        empty()


def nothing():
    for _ in range(COUNT):
        pass


def block():
    for _ in range(COUNT):
        with region:
            pass


def pair():
    begin, end = region.begin, region.end
    for _ in range(COUNT):
        begin()
        end()


def decorated():
    for _ in range(COUNT):
        probed()


def least(body):
    best = float("inf")
    for _ in range(BLOCKS):
        start = time.perf_counter_ns()
        body()
        best = min(best, time.perf_counter_ns() - start)
    return best / COUNT


KINDS = {"with": (block, nothing), "pair": (pair, nothing), "decorator": (decorated, plain)}
print(least(KINDS[sys.argv[1]][0]) - least(KINDS[sys.argv[1]][1]))

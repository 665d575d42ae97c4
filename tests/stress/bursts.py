"""A program that calls as fast as it can, and says how often.

    bursts.py KIND THREADS COUNT

KIND recursion or flat; prints the calls of step() made by each thread.
"""
import sys
import threading

DEPTH = 400


def step(depth):
    if depth > 1:
        step(depth - 1)


def recursion(count):
    for _ in range(count // DEPTH):
        step(DEPTH)
    return count // DEPTH * DEPTH


def flat(count):
    for _ in range(count):
        step(1)
    return count


def main(kind, threads, count):
    made = []
    work = {"recursion": recursion, "flat": flat}[kind]
    others = [threading.Thread(target=lambda: made.append(work(count))) for _ in range(threads - 1)]
    for thread in others:
        thread.start()
    made.append(work(count))
    for thread in others:
        thread.join()
    print(sum(made))


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))

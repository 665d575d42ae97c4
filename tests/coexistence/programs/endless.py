# Calls of many kinds until the time in seconds is up: something for a debugger to stop.
import sys
import time


def inner(n):
    return n


def generator():
    for n in range(3):
        yield inner(n)


def failing(_=None):
    raise ValueError


def outer():
    try:
        failing()
    except ValueError:
        pass
    try:
        list(map(failing, [1]))
    except ValueError:
        return list(generator()), sorted([2, 1], key=inner)


limit = time.monotonic() + float(sys.argv[1])
print("started", flush=True)
while time.monotonic() < limit:
    outer()

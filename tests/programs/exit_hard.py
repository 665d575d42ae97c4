"""os._exit in depth: nothing is run any more, status 4."""
import atexit
import os


def never():
    print("never")


def deep(n):
    if n:
        deep(n - 1)
    os._exit(4)


atexit.register(never)
deep(5)

"""KeyboardInterrupt in depth, caught once, the second one ends the program."""
import os
import signal

signal.signal(signal.SIGINT, signal.default_int_handler)


def deep(n):
    if n:
        deep(n - 1)
    os.kill(os.getpid(), signal.SIGINT)
    never()


def never():
    return None


try:
    deep(2)
except KeyboardInterrupt:
    print("caught", flush=True)
deep(2)

"""The program kills itself in depth (SIGKILL)."""
import os
import signal


def deep(n):
    if n:
        deep(n - 1)
    os.kill(os.getpid(), signal.SIGKILL)


deep(5)

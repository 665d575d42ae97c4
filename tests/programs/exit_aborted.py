"""The program aborts in depth (SIGABRT) after calls that returned."""
import os
import resource


def leaf():
    return 1


def deep(n):
    leaf()
    if n:
        deep(n - 1)
    os.abort()


resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
deep(3)

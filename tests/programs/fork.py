"""os.fork in depth: parent and child go on from there, the child forks again, both kinds of exit."""
import os
import sys


def leaf(n):
    return n


def wait(pid):
    _, status = os.waitpid(pid, 0)
    return status >> 8


def child(n):
    leaf(n)
    pid = os.fork()
    if not pid:
        leaf(n + 1)
        os._exit(7)
    return wait(pid)


def parent():
    pid = os.fork()
    if not pid:
        sys.exit(child(1))
    return wait(pid)


print(parent())
leaf(9)

"""Processes that the benchmark starts end with it, however it ends."""
import ctypes
import os
import signal

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36

# Loaded before the first fork: a child between fork and exec must not.
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_us():
    """For preexec_fn of subprocess: the kernel kills the child when the thread that started it ends."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def adopt():
    """Grandchildren whose parents end become our children, so that end_all() finds them."""
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def ours():
    found = []
    for thread in os.listdir("/proc/self/task"):
        with open("/proc/self/task/%s/children" % thread) as children:
            found += map(int, children.read().split())
    return found


def end_all():
    """Kills what is still there of our children, and those that we get from them."""
    for _ in range(100):
        left = ours()
        if not left:
            return
        for pid in left:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

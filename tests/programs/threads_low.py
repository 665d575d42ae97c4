"""Threads of the _thread module, which threading knows nothing about."""
# thread-before-3.12: enter work, enter leaf, exit leaf, exit work
# thread-before-3.12: enter fails, unwind fails
import _thread
import sys
import threading


def leaf():
    return 1


def work(lock):
    leaf()
    lock.release()


def fails(lock):
    lock.release()
    raise SystemExit


for function in (work, fails):
    lock = _thread.allocate_lock()
    lock.acquire()
    _thread.start_new_thread(function, (lock,))
    lock.acquire()
    while _thread._count() > 0:
        pass
print("joined")

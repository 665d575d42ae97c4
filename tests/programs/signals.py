"""Signal handlers that return, raise, call; delivered in depth; setitimer."""
import os
import signal


class Alarm(Exception):
    pass


def note():
    return None


def returning(number, frame):
    note()


def raising(number, frame):
    note()
    raise Alarm


def deep(n, number):
    if n:
        return deep(n - 1, number)
    os.kill(os.getpid(), number)
    note()
    return n


signal.signal(signal.SIGUSR1, returning)
signal.signal(signal.SIGUSR2, raising)
print(deep(3, signal.SIGUSR1))
try:
    deep(3, signal.SIGUSR2)
except Alarm:
    print("alarm")


def waits():
    signal.pause()


signal.signal(signal.SIGALRM, raising)
signal.setitimer(signal.ITIMER_REAL, 0.01)
try:
    waits()
except Alarm:
    print("timer")

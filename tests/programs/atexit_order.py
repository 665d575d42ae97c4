"""atexit handlers in order, one that raises SystemExit away, one registered by another, and __del__ of a global at the end."""
import atexit


def first():
    print("first")


def second():
    atexit.register(third)
    print("second")


def third():
    print("third")


class Global:
    def __del__(self, finish=print):
        finish("global")


atexit.register(first)
atexit.register(second)
kept = Global()

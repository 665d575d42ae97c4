"""sys.exit in depth, through finally and with, with status 3."""
import atexit
import sys


def at_end():
    nested_at_end()


def nested_at_end():
    print("at exit")


def third():
    try:
        sys.exit(3)
    finally:
        cleanup()


def cleanup():
    return None


def second():
    third()


def first():
    second()


atexit.register(at_end)
first()

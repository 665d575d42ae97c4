"""Suspended generators that are freed: by reference count, in a cycle by the collector, at exit."""
import gc


def cleanup():
    return None


def guarded():
    try:
        yield 1
    finally:
        cleanup()


def plain():
    yield 1


def drop(make):
    g = make()
    next(g)


def cycle(make):
    holder = {}
    holder["g"] = make()
    holder["self"] = holder
    next(holder["g"])


gc.disable()
drop(guarded)
drop(plain)
cycle(guarded)
cycle(plain)
print(gc.collect() > 0)
left = guarded()
next(left)
print("end")

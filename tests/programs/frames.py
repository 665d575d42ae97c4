"""Programs that look at frames: tracebacks, _getframe, inspect, a frame kept alive, locals."""
import inspect
import sys
import traceback


def names():
    frame, out = sys._getframe(), []
    while frame:
        out.append(frame.f_code.co_name)
        frame = frame.f_back
    return out


def outer():
    local = 1
    return names(), sorted(locals()), [f.function for f in inspect.stack()]


def keeps():
    value = [1]
    return sys._getframe()


def fails():
    raise ValueError("x")


def formatted():
    try:
        fails()
    except ValueError:
        return [entry.name for entry in traceback.extract_tb(sys.exc_info()[2])]


print(outer(), keeps().f_locals, formatted())
frame = keeps()
frame.clear()

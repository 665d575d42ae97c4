"""A program that sets its own profile function, trace function, and removes them."""
# own-hooks: yes
import sys
import threading


def leaf():
    return 1


def profile(frame, event, argument):
    calls.append(event)


def trace(frame, event, argument):
    return trace if frame.f_code.co_name == "leaf" else None


calls = []
leaf()
sys.setprofile(profile)
leaf()
sys.setprofile(None)
print(calls)
sys.settrace(trace)
leaf()
sys.settrace(None)
leaf()

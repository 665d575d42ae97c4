import time


def monitored_method(method_time, depth):
    if depth > 1:
        return monitored_method(method_time, depth - 1)
    end = time.time_ns() + method_time
    now = time.time_ns()
    while now <= end:
        now = time.time_ns()
    return now

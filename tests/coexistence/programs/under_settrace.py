# sys.settrace with lines and opcodes, in two threads; a trace function that moves the line; removed in the middle.
import os
import sys
import threading

import workload


def recorder(events, opcodes):
    def trace(frame, event, argument):
        if os.path.basename(frame.f_code.co_filename) != "workload.py":
            return None
        frame.f_trace_opcodes = opcodes
        events.append((event, frame.f_code.co_name, frame.f_lineno, type(argument).__name__))
        return trace

    return trace


def traced(opcodes):
    events = []
    sys.settrace(recorder(events, opcodes))
    try:
        workload.main()
    finally:
        sys.settrace(None)
    return events


def show(events):
    print(len(events), sorted({event for event, _, _, _ in events}))
    for row in events[:40]:
        print(*row)
    print(hash(tuple(events)))


def jump_function():
    value = 1
    value = 2
    return value


def jumper(frame, event, argument):
    if frame.f_code is jump_function.__code__:
        if event == "line" and frame.f_lineno == jump_function.__code__.co_firstlineno + 2:
            frame.f_lineno += 1
        return jumper
    return None


show(traced(False))
show(traced(True))

in_thread = []
threading.settrace(recorder(in_thread, False))
thread = threading.Thread(target=workload.withdrawals, args=(workload.Account(100),))
thread.start()
thread.join()
threading.settrace(None)
show(in_thread)

sys.settrace(jumper)
print(jump_function())
sys.settrace(None)


# In no file of ours: a recorder that comes after such a function is not told of the call.
elsewhere = {}
exec(compile("def refused(): return 1", "<elsewhere>", "exec"), elsewhere)


def quitting(frame, event, argument):
    """A trace function that raises is removed, and its error goes to the program."""
    if frame.f_code.co_name == "refused":
        raise LookupError("from the trace function")
    return quitting


sys.settrace(quitting)
try:
    elsewhere["refused"]()
except LookupError as error:
    print(error, sys.gettrace())
print(workload.main())

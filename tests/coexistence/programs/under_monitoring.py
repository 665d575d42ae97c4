# Another tool of sys.monitoring: global and local events, DISABLE, restart_events, events changed by a callback while
# the function runs, and the tool gone at the end.
import os
import sys

import workload

monitoring = sys.monitoring
events = monitoring.events
TOOL = monitoring.DEBUGGER_ID
seen = []


def ours(code):
    return os.path.basename(code.co_filename) == "workload.py"


def note(title, result=None):
    def callback(code, *details):
        if not ours(code):
            return monitoring.DISABLE if title in DISABLED else None
        seen.append((title, code.co_name, repr(details[0])))
        return result

    return callback


def show(title):
    print(title, len(seen), hash(tuple(seen)))
    for row in seen[:30]:
        print("   ", *row)
    seen.clear()


def stop_in_the_middle(code, *details):
    if ours(code) and code.co_name == "withdraw":
        seen.append(("off", code.co_name))
        monitoring.set_events(TOOL, 0)


def start_in_the_middle(code, *details):
    if code.co_name == "withdraw":
        seen.append(("on", code.co_name))
        monitoring.set_events(TOOL, events.LINE | events.PY_RETURN)


DISABLED = {"PY_START", "PY_RETURN", "LINE", "INSTRUCTION", "JUMP", "CALL"}
ALL = ["PY_START", "PY_RESUME", "PY_RETURN", "PY_YIELD", "CALL", "LINE", "INSTRUCTION", "JUMP", "PY_THROW", "PY_UNWIND",
       "RAISE", "RERAISE", "EXCEPTION_HANDLED", "STOP_ITERATION"]

monitoring.use_tool_id(TOOL, "coexistence")
for name in ALL:
    monitoring.register_callback(TOOL, getattr(events, name), note(name))
monitoring.set_events(TOOL, sum(getattr(events, name) for name in ALL))
workload.main()
monitoring.set_events(TOOL, 0)
show("all events")

for name in sorted(DISABLED):
    monitoring.register_callback(TOOL, getattr(events, name), note(name, monitoring.DISABLE))
monitoring.set_events(TOOL, sum(getattr(events, name) for name in sorted(DISABLED)))
workload.main()
workload.main()
show("each place once")
monitoring.restart_events()
workload.withdrawals(workload.Account(100))
show("once more after restart_events")
monitoring.set_events(TOOL, 0)

for name in ALL:
    monitoring.register_callback(TOOL, getattr(events, name), note(name))
for function, which in ((workload.Account.withdraw, "LINE"), (workload.squares, "PY_YIELD"), (workload.fibonacci, "PY_START"),
                        (workload.deep_error, "INSTRUCTION")):
    monitoring.set_local_events(TOOL, function.__code__, getattr(events, which))
workload.main()
show("local events")
for function in (workload.Account.withdraw, workload.squares, workload.fibonacci, workload.deep_error):
    monitoring.set_local_events(TOOL, function.__code__, 0)

monitoring.register_callback(TOOL, events.PY_START, stop_in_the_middle)
monitoring.set_events(TOOL, events.PY_START | events.LINE | events.PY_RETURN)
workload.main()
show("switched off by a callback")
monitoring.register_callback(TOOL, events.PY_START, start_in_the_middle)
monitoring.set_events(TOOL, events.PY_START)
workload.main()
show("switched on by a callback")
monitoring.set_events(TOOL, 0)


# In no file of ours: whether a call returned when a callback for its return raises is a matter of taste.
elsewhere = {}
exec(compile("def refused(): return 1", "<elsewhere>", "exec"), elsewhere)


def failing(code, *details):
    if code.co_name == "refused":
        raise LookupError("from the callback")


monitoring.register_callback(TOOL, events.PY_RETURN, failing)
monitoring.set_events(TOOL, events.PY_RETURN)
try:
    elsewhere["refused"]()
except LookupError as error:
    print("caught", error)
monitoring.set_events(TOOL, 0)
monitoring.free_tool_id(TOOL)
print(workload.main())
show("free")

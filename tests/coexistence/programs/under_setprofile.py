# sys.setprofile, in two threads, and none again.
import os
import sys
import threading

import workload


def recorder(events):
    def note(frame, event, argument):
        if os.path.basename(frame.f_code.co_filename) == "workload.py":
            name = getattr(argument, "__name__", None) if event.startswith("c_") else type(argument).__name__
            events.append((event, frame.f_code.co_name, frame.f_lineno, name))

    return note


def show(events):
    print(len(events), hash(tuple(events)))
    for row in events[:40]:
        print(*row)


events = []
sys.setprofile(recorder(events))
workload.main()
sys.setprofile(None)
show(events)

events = []
threading.setprofile(recorder(events))
thread = threading.Thread(target=workload.withdrawals, args=(workload.Account(100),))
thread.start()
thread.join()
threading.setprofile(None)
show(events)
print(workload.main())

# Tracebacks of all threads, on request, from a signal and from the watchdog thread.
import faulthandler
import os
import signal
import sys
import threading
import time

import workload


def waiting(ready, done):
    ready.set()
    done.wait()


def dumping(n):
    if n:
        return dumping(n - 1)
    faulthandler.dump_traceback(all_threads=False)
    os.kill(os.getpid(), signal.SIGUSR1)


def slow():
    limit = time.monotonic() + 20
    while os.fstat(watched.fileno()).st_size == 0 and time.monotonic() < limit:
        time.sleep(0.01)
    # The watchdog writes its lines one by one.
    time.sleep(0.1)


def generator():
    dumping(1)
    yield
    faulthandler.dump_traceback(all_threads=False)


faulthandler.register(signal.SIGUSR1, all_threads=False)
dumping(4)
list(generator())
ready, done = threading.Event(), threading.Event()
thread = threading.Thread(target=waiting, args=(ready, done))
thread.start()
ready.wait()
time.sleep(0.05)
faulthandler.dump_traceback(all_threads=True)
done.set()
thread.join()
with open(sys.argv[1] + ".watchdog", "w+") as watched:
    faulthandler.dump_traceback_later(0.05, file=watched)
    slow()
    faulthandler.cancel_dump_traceback_later()
    watched.seek(0)
    print([line for line in watched.read().splitlines() if "in slow" in line or "<module>" in line])
print(workload.main())

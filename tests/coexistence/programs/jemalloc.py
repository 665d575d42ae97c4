# The allocator is the preloaded one, and the program works with it: also with the interpreter's own arenas off.
import ctypes
import gc
import threading

import workload

ctypes.CDLL(None).malloc_stats_print  # jemalloc's own function; an AttributeError without it


def allocate(n):
    return [bytes(i % 5000) for i in range(n)]


threads = [threading.Thread(target=allocate, args=(20000,)) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
gc.collect()
print(workload.main())

"""A thread started by C code (pthread_create) that calls into Python."""
# thread-before-3.12: enter callback, enter work, exit work, enter work, exit work, exit callback
import ctypes

THREAD = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)
seen = []


def work(n):
    seen.append(n)


def callback(argument):
    work(1)
    work(2)
    return 0


libc = ctypes.CDLL(None)
thread = ctypes.c_ulong()
entry = THREAD(callback)
if libc.pthread_create(ctypes.byref(thread), None, entry, None):
    raise OSError("pthread_create")
libc.pthread_join(thread, None)
print(seen)

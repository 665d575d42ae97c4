"""A thread pool of one, so that the order is fixed; results and exceptions through futures; a Timer; local data."""
import threading
from concurrent.futures import ThreadPoolExecutor

local = threading.local()


def task(n):
    local.n = getattr(local, "n", 0) + n
    if n == 3:
        raise ValueError(n)
    return local.n


def fired():
    done.set()


with ThreadPoolExecutor(1) as pool:
    futures = [pool.submit(task, n) for n in range(5)]
    print([f.exception() is None and f.result() for f in futures])
    print(list(pool.map(task, [1, 2])))
done = threading.Event()
timer = threading.Timer(0.001, fired)
timer.start()
done.wait()
timer.join()

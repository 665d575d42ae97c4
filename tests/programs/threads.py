"""Several threads one after the other and at once, a subclass with run, an exception that ends a thread."""
import threading


def leaf(n):
    return n * n


def work(out, n):
    out[n] = sum(leaf(i) for i in range(n))


class Worker(threading.Thread):
    def __init__(self, n):
        super().__init__()
        self.n = n

    def run(self):
        self.result = leaf(self.n)


def fails():
    raise ValueError


def quiet(*args):
    pass


out = {}
threads = [threading.Thread(target=work, args=(out, n)) for n in range(5)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sorted(out.items()))
worker = Worker(7)
worker.start()
worker.join()
print(worker.result)
threading.excepthook = quiet
thread = threading.Thread(target=fails)
thread.start()
thread.join()

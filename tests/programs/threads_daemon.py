"""A daemon thread that still runs when the program ends, blocked inside two calls."""
import threading
import time

started = threading.Event()


def deep():
    started.set()
    time.sleep(3600)


def runs_on():
    deep()


threading.Thread(target=runs_on, daemon=True).start()
started.wait()
print("main ends")

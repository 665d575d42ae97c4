"""A generator begun in one thread and resumed in others."""
import threading


def steps():
    yield threading.current_thread() is threading.main_thread()
    yield inside()
    yield inside()


def inside():
    return threading.current_thread() is threading.main_thread()


def work(results, g):
    results.append(next(g))


g = steps()
results = [next(g)]
for _ in range(2):
    thread = threading.Thread(target=work, args=(results, g))
    thread.start()
    thread.join()
results.append(next(g, None))
print(results)

"""multiprocessing with spawn: new interpreters that import this file."""
import multiprocessing


def leaf(n):
    return n * 2


def work(queue, n):
    queue.put(leaf(n))


def fails():
    raise SystemExit(6)


if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    queue = context.SimpleQueue()
    process = context.Process(target=work, args=(queue, 4))
    process.start()
    print(queue.get())
    process.join()
    process = context.Process(target=fails)
    process.start()
    process.join()
    print(process.exitcode)

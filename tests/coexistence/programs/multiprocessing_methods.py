# A pool, a process, a queue and a manager with the start method that the argument names.
import multiprocessing
import os
import sys

import workload


def compute(n):
    return workload.fibonacci(n)


def produce(queue, n):
    for value in workload.squares(n):
        queue.put(value)
    queue.put(None)


def fail():
    workload.withdrawals(workload.Account(100))
    sys.exit(3)


def main(method):
    context = multiprocessing.get_context(method)
    with context.Pool(2) as pool:
        print(pool.map(compute, range(8), chunksize=1))
        pool.close()
        pool.join()
    queue = context.Queue()
    process = context.Process(target=produce, args=(queue, 4))
    process.start()
    print(list(iter(queue.get, None)))
    process.join()
    failing = context.Process(target=fail)
    failing.start()
    failing.join()
    print(process.exitcode, failing.exitcode)
    with context.Manager() as manager:
        shared = manager.list()
        worker = context.Process(target=shared.append, args=(os.path.basename(__file__),))
        worker.start()
        worker.join()
        print(list(shared))


if __name__ == "__main__":
    main(sys.argv[1])

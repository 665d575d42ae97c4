# A server and its clients on gevent with everything patched: sockets, queues, locks, a pool, timeouts, threads, a kill.
# calls: serve 4, client 4, answer 12, producer 1, consumer 2, guarded 3, sleeper 1, in_thread 1, square 10
from gevent import monkey

monkey.patch_all()

import queue  # noqa: E402
import socket  # noqa: E402
import threading  # noqa: E402

import gevent  # noqa: E402
import gevent.pool  # noqa: E402
import gevent.server  # noqa: E402


def answer(line):
    gevent.sleep(0)
    return line.upper()


def serve(connection, address):
    with connection.makefile("rwb") as file:
        for line in file:
            file.write(answer(line))
            file.flush()


def client(port, name):
    with socket.create_connection(("127.0.0.1", port)) as connection, connection.makefile("rwb") as file:
        answers = []
        for number in range(3):
            file.write(b"%s %d\n" % (name, number))
            file.flush()
            answers.append(file.readline())
        return answers


def producer(items):
    for n in range(6):
        items.put(n)
        gevent.sleep(0.001)
    items.put(None)
    items.put(None)


def consumer(items, results):
    while (item := items.get()) is not None:
        results.append(item)


def guarded(lock, log, name):
    with lock:
        log.append(name)
        gevent.sleep(0.001)
        log.append(name)


def sleeper():
    try:
        gevent.sleep(30)
    finally:
        print("woken")


def in_thread(results):
    results.append(threading.current_thread() is not threading.main_thread())


def square(n):
    gevent.sleep(0.001 * (n % 3))
    return n * n


def main():
    server = gevent.server.StreamServer(("127.0.0.1", 0), serve)
    server.start()
    clients = [gevent.spawn(client, server.server_port, b"client %d" % n) for n in range(4)]
    gevent.joinall(clients, raise_error=True)
    print([job.value for job in clients])
    server.stop()

    items, results = queue.Queue(2), []
    gevent.joinall([gevent.spawn(producer, items)] + [gevent.spawn(consumer, items, results) for _ in range(2)])
    print(sorted(results))

    lock, log = threading.Lock(), []
    gevent.joinall([gevent.spawn(guarded, lock, log, n) for n in range(3)])
    print(log)

    job = gevent.spawn(sleeper)
    gevent.sleep(0)
    job.kill()
    print(job.dead, repr(job.value))
    with gevent.Timeout(0.01, False):
        gevent.sleep(30)
    results = []
    thread = threading.Thread(target=in_thread, args=(results,))
    thread.start()
    thread.join()
    print(results, gevent.get_hub().threadpool.apply(pow, (2, 10)))
    print(gevent.pool.Pool(3).map(square, range(10)))


main()

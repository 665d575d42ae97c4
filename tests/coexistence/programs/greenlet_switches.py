# Stacks that are switched: ping-pong, exceptions thrown into and out of a greenlet, generators and deep recursion inside,
# a greenlet killed while it waits, one never finished, greenlets in several threads.
# calls: ping 2, pong 2, bounce 20, thrower 1, throwing 1, caught 1, walk 7, tree 1, dropped 1, deep 302, unfinished 1
import gc
import threading

import greenlet

log = []


def bounce(value):
    log.append(value)
    return value


def ping():
    for n in range(5):
        bounce(("ping", n))
        second.switch()


def pong():
    for n in range(5):
        bounce(("pong", n))
        first.switch()


def play():
    global first, second
    first, second = greenlet.greenlet(ping), greenlet.greenlet(pong)
    first.switch()


def thrower():
    raise ValueError("out of a greenlet")


def caught():
    try:
        greenlet.getcurrent().parent.switch("ready")
    except KeyError as error:
        return "caught %s" % error


def throwing():
    try:
        greenlet.greenlet(thrower).switch()
    except ValueError as error:
        print(error)
    waiting = greenlet.greenlet(caught)
    print(waiting.switch())
    print(waiting.throw(KeyError("into a greenlet")))


def walk(node):
    """A generator whose consumer is another greenlet."""
    if node:
        yield from walk(node[0])
        greenlet.getcurrent().parent.switch(node[1])
        yield node[1]
        yield from walk(node[2])


def tree():
    worker = greenlet.greenlet(lambda: list(walk((((), 1, ()), 2, ((), 3, ())))))
    while not worker.dead:
        print(worker.switch())


def dropped():
    try:
        greenlet.getcurrent().parent.switch("waiting")
    finally:
        print("dropped")


def deep(n):
    if n == 0:
        greenlet.getcurrent().parent.switch()
        return 0
    return 1 + deep(n - 1)


def unfinished():
    greenlet.getcurrent().parent.switch("unfinished")


play()
thread = threading.Thread(target=play)
thread.start()
thread.join()
print(log)
throwing()
tree()
worker = greenlet.greenlet(dropped)
print(worker.switch())
del worker
gc.collect()
one, two = greenlet.greenlet(deep), greenlet.greenlet(deep)
one.switch(150)
two.switch(150)
print(one.switch(), two.switch())
last = greenlet.greenlet(unfinished)
print(last.switch())

"""A program that counts its own calls where its death cannot take the counts away.

    counting.py FILE THREADS DEATH AFTER

FILE is mapped: for each thread [native thread id, calls of counted() that returned, fresh functions made and
called, 0] as 8-byte words, each word stored at once. DEATH is what happens after AFTER calls of the first thread:
exit, abort, segfault, or none (somebody else kills it).
"""
import ctypes
import mmap
import os
import sys
import threading

FRESH_EVERY = 50  # a new function, so that definitions are being published all the time


def leaf(value):
    return value + 1


def failing(value):
    raise ValueError(value)


def values(count):
    for number in range(count):
        yield number


def counted(number):
    leaf(number)
    if number % 7 == 0:
        for _ in values(2):
            leaf(number)
    if number % 11 == 0:
        try:
            failing(number)
        except ValueError:
            pass


def die(how):
    if how == "exit":
        os._exit(3)
    if how == "abort":
        os.abort()
    if how == "segfault":
        ctypes.string_at(0)


def make_fresh(thread, number):
    scope = {"__name__": "__main__"}
    exec("def fresh_%d_%d():\n    pass\n" % (thread, number), scope)
    return scope["fresh_%d_%d" % (thread, number)]


def work(words, thread, how, after):
    place = 4 * thread
    words[place] = threading.get_native_id()
    number = fresh = 0
    while True:
        if number % FRESH_EVERY == 0:
            make_fresh(thread, fresh)()
            fresh += 1
            words[place + 2] = fresh
        counted(number)
        number += 1
        words[place + 1] = number
        if thread == 0 and number == after:
            die(how)


def main(path, threads, how, after):
    with open(path, "r+b") as file:
        words = memoryview(mmap.mmap(file.fileno(), 0)).cast("Q")
    for thread in range(1, threads):
        threading.Thread(target=work, args=(words, thread, how, after), daemon=True).start()
    work(words, 0, how, after)


main(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))

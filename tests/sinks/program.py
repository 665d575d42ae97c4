"""What the tests of sinks trace: calls of step(), counted exactly, as many as a command line says.

    program.py [--pause S] [--threads N] [--fork N] [--exec] [--stop FILE [--count FILE]] [--hard] CALLS

--stop: go on, in portions of CALLS, until there is a file of that name; --count: the calls so far are in a file. Prints `pid calls` for each process.
"""
import argparse
import os
import sys
import threading
import time


def step(number):
    return number


def steps(count):
    for number in range(count):
        step(number)
    return count


def say(count):
    os.write(1, b"%d %d\n" % (os.getpid(), count))


def until(stop, portion, pause, count):
    made = 0
    while not os.path.exists(stop):
        made += steps(portion)
        if count:
            os.pwrite(count, b"%20d" % made, 0)
        time.sleep(pause)
    return made


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pause", type=float, default=0)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--fork", type=int, default=0)
    parser.add_argument("--exec", action="store_true")
    parser.add_argument("--stop")
    parser.add_argument("--count")
    parser.add_argument("--hard", action="store_true", help="children end by _exit")
    parser.add_argument("calls", type=int)
    options = parser.parse_args()
    if options.stop:
        count = os.open(options.count, os.O_WRONLY | os.O_CREAT, 0o600) if options.count else None
        say(until(options.stop, options.calls, options.pause, count))
        return
    made = steps(options.calls)
    threads = [threading.Thread(target=steps, args=(options.calls,)) for _ in range(options.threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _ in range(options.fork):
        child = os.fork()
        if not child:
            say(steps(options.calls))
            if options.hard:
                os._exit(0)
            sys.exit(0)
        os.waitpid(child, 0)
        made += steps(options.calls)
    time.sleep(options.pause)
    say(made + options.threads * options.calls)
    if options.exec:
        os.execv(sys.executable, [sys.executable, "-S", sys.argv[0], str(options.calls)])


main()

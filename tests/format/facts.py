#!/usr/bin/env python3
"""What definitions tell of Python functions beyond their names is what their code objects say, on every interpreter found.

    facts.py FOLDER             with kprobe and libkprobe.so in it

A process started by this file itself, with --functions, is the traced program: it prints what must come out.
"""
import os
import subprocess
import sys
import tempfile
import types

HERE = os.path.dirname(os.path.abspath(__file__))
GENERATOR, COROUTINE, ASYNC_GENERATOR, FACTS = 1, 2, 4, 8


def no_parameters():
    pass


def named(a, b, c=1):
    return a, b, c


def keywords(a, *, b, c=1):
    return a, b, c


def rest(a, *others, **keys):
    return a, others, keys


def all_of_them(a, b, *others, c, **keys):
    return a, b, c, others, keys


def generator(a):
    yield a


@types.coroutine
def made_coroutine(a, b):
    yield a, b


async def coroutine(a):
    return a


async def async_generator(*others):
    yield others


def drive(awaitable):
    """Up to its end or its first suspension."""
    try:
        awaitable.send(None)
    except (StopIteration, StopAsyncIteration):
        pass


def functions():
    """Each is called once; what its definition must say."""
    no_parameters()
    named(1, 2)
    keywords(1, b=2)
    rest(1)
    all_of_them(1, 2, c=3)
    next(generator(1))
    for awaitable in (made_coroutine(1, 2), coroutine(1), async_generator(1).asend(None)):
        drive(awaitable)
    return {"no_parameters": (FACTS, 0), "named": (FACTS, 3), "keywords": (FACTS, 3), "rest": (FACTS, 3),
            "all_of_them": (FACTS, 5), "generator": (FACTS | GENERATOR, 1), "made_coroutine": (FACTS | COROUTINE, 2),
            "coroutine": (FACTS | COROUTINE, 1), "async_generator": (FACTS | ASYNC_GENERATOR, 1), "functions": (FACTS, 0)}


def definitions(trace):
    from read_trace import Reader

    with open(trace, "rb") as file:
        reader = Reader(trace, file.read())
    with open(os.devnull, "wb") as nowhere:
        reader.read(nowhere)
    return {name.decode(): section.facts.get(number)
            for section in reader.sections for number, (name, *_) in section.functions.items()}


def check(tools, python):
    with tempfile.TemporaryDirectory(prefix="kprobe-facts-") as folder:
        trace = os.path.join(folder, "one.kpt")
        env = dict(os.environ, LD_PRELOAD=os.path.join(tools, "libkprobe.so"), KPROBE_OUTPUT="file:" + trace,
                   KPROBE_FILTER="+__main__.*,+c:builtins.next", KPROBE_COMPRESS="none")
        done = subprocess.run([python, __file__, "--functions"], env=env, stdout=subprocess.PIPE, timeout=60)
        found = definitions(trace)
    wanted = {"__main__." + name: facts for name, facts in eval(done.stdout.decode()).items()}
    wanted["builtins.next"] = None
    wrong = ["%s: %s should be %s" % (name, found.get(name, "missing"), facts)
             for name, facts in wanted.items() if name not in found or found[name] != facts]
    for line in wrong:
        print(python, line)
    return not wrong


def main(arguments):
    if arguments == ["--functions"]:
        print(functions())
        return 0
    sys.path[:0] = [HERE, os.path.dirname(HERE)]
    from interpreters import interpreters

    verdicts = [check(arguments[0], python) for python in interpreters()]
    print("%d interpreters" % len(verdicts))
    if not verdicts:
        return 77
    return 0 if all(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

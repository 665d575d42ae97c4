#!/usr/bin/env python3
"""Kieker logs of traces that something is missing from: still valid, and standard error says what is missing.

    broken.py --tools FOLDER

Events dropped at full speed, a process killed, a file damaged and cut anywhere, and names that are too long.
"""
import argparse
import glob
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [HERE, TESTS, os.path.join(TESTS, "oracle")]
import check_log  # noqa: E402
import compare  # noqa: E402
from exports import FORMS, convert, run  # noqa: E402
from interpreters import one_of_each_minor  # noqa: E402

BUSY = """
import sys, threading, time
def leaf(n):
    if n % 1000 == 0:
        raise KeyError(n)
def values(count):
    for i in range(count):
        yield leaf(i + 1)
def work(rounds, pause):
    for n in range(rounds):
        time.sleep(pause)
        for _ in values(20):
            pass
        try:
            leaf(1000 * n)
        except KeyError:
            pass
threads = [threading.Thread(target=work, args=(int(sys.argv[1]), float(sys.argv[2]))) for _ in range(3)]
for thread in threads: thread.start()
print("ready", flush=True)
for thread in threads: thread.join()
"""
LONG = """
def make(name):
    scope = {"__name__": "m"}
    exec("def f(%s):\\n    raise type('%s', (Exception,), {})" % (", ".join("a%d" % i for i in range(200)), name), scope)
    scope["f"].__qualname__ = name
    scope["f"].__code__ = scope["f"].__code__.replace(**({"co_qualname": name} if hasattr(scope["f"].__code__, "co_qualname")
                                                         else {"co_name": name}))
    return scope["f"]
for name in ["x" * 3900, "x" * 3899 + "y", "." * 3500, "e" * 2990, "\\u00e9" * 1300, "a;b\\nc\\\\"]:
    try:
        make(name)(*range(200))
    except Exception:
        pass
"""


def start(tools, python, code, trace, *arguments, **options):
    env = compare.environment(LD_PRELOAD=os.path.join(tools, "libkprobe.so"), KPROBE_OUTPUT="file:" + trace, **options)
    return subprocess.Popen([python, "-c", code, *arguments], env=env, stdout=subprocess.PIPE)


def check_all(tools, folder, trace, statuses=(0,)):
    """Each form; the counts of all are the same. Returns the log and what was said."""
    found, said = set(), ""
    for options in FORMS:
        log = os.path.join(folder, "log")
        run("rm", "-rf", log)
        done = run(os.path.join(tools, "kprobe"), "convert", *options, "-o", log, trace)
        said = done.stderr.decode()
        check_log.require(done.returncode in statuses, "status", done.returncode, said)
        checked = check_log.check(log)
        found.add((checked.pairs, len(checked.traces)))
    check_log.require(len(found) == 1, "the forms differ:", found)
    return checked, said


def dropped(tools, python, folder):
    trace = os.path.join(folder, "dropped.kpt")
    start(tools, python, BUSY, trace, "300", "0", KPROBE_BUFFER="64K", KPROBE_ON_FULL="drop").communicate(timeout=100)
    _, said = check_all(tools, folder, trace)
    # Whether any were is the scheduler's affair; what report says convert says.
    report = run(os.path.join(tools, "kprobe"), "report", "--json", trace).stdout.decode()
    lost = int(report.split('"calls_lost": ')[1].split(",")[0])
    check_log.require(not lost or f"{lost} call" in said, lost, "calls are lost, but:", said)
    print(f"dropped: {lost} calls")


def killed(tools, python, folder):
    trace = os.path.join(folder, "killed.kpt")
    process = start(tools, python, BUSY, trace, "100000000", "0.005")
    process.stdout.readline()
    time.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    checked, said = check_all(tools, folder, trace)
    run(os.path.join(tools, "kprobe"), "recover", trace)
    check_log.require("end where their end was not seen" in said, said)
    print(f"killed: {checked.pairs} pairs, {said.strip()[-80:]}")


def damaged(tools, folder):
    noise = random.Random(4)
    for golden in sorted(glob.glob(os.path.join(TESTS, "golden", "*.kpt"))):
        with open(golden, "rb") as file:
            whole = file.read()
        if not whole.startswith(b"\x89KPT") or b"newer-major" in golden.encode():
            continue
        # Of a class that the program made itself check_log.py knows no layout: in text it needs none.
        forms = FORMS if b"golden.Note" not in whole else [form for form in FORMS if "kieker" in form]
        for _ in range(6):
            broken = bytearray(whole)
            for _ in range(noise.randrange(1, 4)):
                broken[noise.randrange(16, len(broken))] ^= 1 << noise.randrange(8)
            del broken[noise.randrange(16, 2 * len(broken)):]
            trace = os.path.join(folder, "damaged.kpt")
            with open(trace, "wb") as file:
                file.write(broken)
            log = os.path.join(folder, "log")
            run("rm", "-rf", log)
            done = run(os.path.join(tools, "kprobe"), "convert", *noise.choice(forms), "-o", log, trace)
            check_log.require(done.returncode in (0, 1), golden, "status", done.returncode, done.stderr.decode())
            if os.path.exists(log):
                check_log.check(log)


def long_names(tools, python, folder):
    trace = os.path.join(folder, "long.kpt")
    start(tools, python, LONG, trace, KPROBE_FILTER="+m.*").communicate(timeout=60)
    checked, _ = check_all(tools, folder, trace)
    check_log.require(len(checked.calls) == 6, "six functions, but signatures:", sorted(map(len, checked.calls)))


def folders(tools, folder):
    """A folder with a log in it stays as it is; one that cannot be made is said."""
    log, trace = os.path.join(folder, "twice"), os.path.join(TESTS, "golden", "plain.kpt")
    convert(tools, log, [trace], FORMS[0])
    before = sorted((name, os.path.getsize(os.path.join(log, name))) for name in os.listdir(log))
    for place, text in ((log, "there is a Kieker log already"), (os.path.join(folder, "none", "x"), "No such file"),
                        (trace, "one of the traces"), ("", "--output is missing"), ("/proc/x", "No such file")):
        done = run(os.path.join(tools, "kprobe"), "convert", *FORMS[1], "-o", place, trace)
        check_log.require(done.returncode in (1, 2) and text in done.stderr.decode(), place, done.stderr.decode())
    after = sorted((name, os.path.getsize(os.path.join(log, name))) for name in os.listdir(log))
    check_log.require(before == after, "the log changed:", after)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tools", required=True)
    tools = parser.parse_args().tools
    pythons = one_of_each_minor((3, 8))
    if not pythons:
        print("skipped: no interpreter")
        return 77
    with tempfile.TemporaryDirectory(prefix="kprobe-kieker-") as folder:
        for what in (dropped, killed, long_names):
            what(tools, pythons[-1], folder)
        damaged(tools, folder)
        folders(tools, folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())

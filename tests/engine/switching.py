#!/usr/bin/env python3
"""Rules that change while the program runs: when none can match, the dispatch table is as it was, and nothing is called
any more; when one can again, calls are recorded again, also in threads and generators that were under way.
"""
import os
import sys
import tempfile

import pythons

PROGRAM = """
import os, sys, threading, time
rules = os.environ["RULES"]
def set_rules(text):
    with open(rules + ".new", "w") as file: file.write(text)
    os.rename(rules + ".new", rules)
    end = time.monotonic() + 3
    while time.monotonic() < end: time.sleep(0.01); spin()
def spin(): pass
def before(): pass
def off(): pass
def after(): pass
def items():
    while True: yield 1
def outer(f):
    f()
    set_rules("-*")
    off()
    next(g)
    set_rules("__main__.*")
    next(g)
    after()
def thread():
    while not stop: in_thread(); time.sleep(0.001)
def in_thread(): pass
stop = False
g = items()
next(g)
t = threading.Thread(target=thread); t.start()
outer(before)
after()
stop = True
t.join()
print("done")
"""


def check(python, folder):
    trace, rules = os.path.join(folder, "trace.kpt"), os.path.join(folder, "rules")
    with open(rules, "w") as file:
        file.write("__main__.*\n")
    done = pythons.run(python, PROGRAM, pythons.SHIM, OUTPUT="file:" + trace, FILTER_FILE=rules, LOG="debug",
                       _RULES=rules)
    table = [line.rsplit("table ", 1)[1] for line in done.stderr.splitlines() if "the dispatch table " in line]
    if table != ["leads to kprobe", "is as it was", "leads to kprobe"]:
        return "the table %s" % table
    if done.returncode or done.stdout != "done\n" or "by the opcode engine" not in done.stderr:
        return "status %d, %r, %s" % (done.returncode, done.stdout, done.stderr[-400:])
    verify = os.spawnv(os.P_WAIT, pythons.KPROBE, ["kprobe", "verify", trace])
    events = pythons.dump(trace)
    os.unlink(trace)
    if verify:
        return "verify: status %d" % verify
    for name, wanted in (("before", 1), ("off", 0), ("after", 2)):
        seen = sum(event[0] == "enter" and event[2] == "__main__." + name for event in events)
        if seen != wanted:
            return "%s() was entered %d times, not %d" % (name, seen, wanted)
    kinds = [event[0] for event in events if event[2] == "__main__.items"]
    if kinds[:4] != ["enter", "yield", "resume", "yield"]:  # it may be closed at the end
        return "the generator did %s" % kinds
    ends = [event[0] for event in events if event[2] == "__main__.outer"]
    return None if ends == ["enter", "exit"] else "outer() did %s" % ends


STARTS_OFF = """
import os, time
def late(): pass
late()
with open(os.environ["RULES"] + ".new", "w") as file: file.write("__main__.*")
os.rename(os.environ["RULES"] + ".new", os.environ["RULES"])
time.sleep(2.5)  # the file is looked at once a second
for n in range(100): late()
print("done")
"""


def check_start(python, folder):
    """Rules that match nothing when the program starts."""
    trace, rules = os.path.join(folder, "trace.kpt"), os.path.join(folder, "rules")
    with open(rules, "w") as file:
        file.write("-*\n")
    done = pythons.run(python, STARTS_OFF, pythons.SHIM, OUTPUT="file:" + trace, FILTER_FILE=rules, _RULES=rules)
    if done.returncode or done.stdout != "done\n":
        return "status %d, %r, %s" % (done.returncode, done.stdout, done.stderr[-400:])
    seen = sum(event[0] == "enter" and event[2] == "__main__.late" for event in pythons.dump(trace))
    os.unlink(trace)
    return None if seen == 100 else "late() was entered %d times, not 100" % seen


CHILD = """
import os
def spin(): pass
spin()
if os.fork() == 0:
    for n in range(100): spin()
    os._exit(0)
os.wait()
print("done")
"""


def check_child(python, folder):
    """A forked child that is not to be followed has its table as it was."""
    trace = os.path.join(folder, "trace.kpt")
    done = pythons.run(python, CHILD, pythons.SHIM, OUTPUT="file:" + trace, CHILDREN="ignore", LOG="debug")
    if done.returncode or done.stdout != "done\n" or "table is as it was" not in done.stderr:
        return "status %d, %r, %s" % (done.returncode, done.stdout, done.stderr[-400:])
    seen = sum(event[0] == "enter" and event[2] == "__main__.spin" for event in pythons.dump(trace))
    os.unlink(trace)
    return None if seen == 1 else "spin() was entered %d times, not once" % seen


def main():
    status = 0
    with tempfile.TemporaryDirectory(prefix="kprobe-switching-") as folder:
        for python in pythons.with_engine():
            wrong = check(python, folder) or check_start(python, folder) or check_child(python, folder)
            status |= wrong is not None
            print("%s %s%s" % ("FAIL" if wrong else "ok  ", python, ": " + wrong if wrong else ""), flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Programs die at random times while they are traced at full speed; nothing that was recorded may be missing.

    kill.py [ROUNDS]

counting.py counts its calls in a mapped file that outlives it. After its death every call counted there must be in
the trace, every function must have its name and time must be in order; `kprobe recover` must make a clean trace
with the same events and, with --remove, give the memory back. Interpreters, engines, options and the ways to die take turns.
"""
import argparse
import collections
import glob
import os
import random
import signal
import struct
import subprocess
import sys
import time

import tracing
from tracing import Failure, kprobe

DEATHS = ["kill", "kill", "kill", "exit", "kill", "abort", "kill", "segfault"]
EXPECTED = {"kill": -signal.SIGKILL, "exit": 3, "abort": -signal.SIGABRT, "segfault": -signal.SIGSEGV}
OPTIONS = [{}, {"buffer": "64K", "on_full": "block"}, {"clock": "monotonic", "compress": "none"}, {"buffer": "64K"}]
THREADS_MAX = 3

Progress = collections.namedtuple("Progress", "tid calls fresh")


def holds(mapping, trace):
    """This shared memory is of that trace: pids are used again."""
    with open(mapping, "rb") as file:
        return trace.encode() in file.read(8192)


class Round:
    """One program, one death."""

    def __init__(self, number, cell, seed):
        self.random = random.Random(seed * 1000003 + number)
        self.python, self.engine = cell
        self.death = DEATHS[number % len(DEATHS)]
        self.options = OPTIONS[number // len(DEATHS) % len(OPTIONS)]
        self.threads = self.random.randint(1, THREADS_MAX)
        self.lost = 0
        self.title = "round %d: %s, %s, %s, %d threads, %s" % (
            number, self.python, self.engine, self.death, self.threads, self.options or "default settings")

    def start(self, folder):
        counts = folder.file("counts")
        with open(counts, "wb") as file:
            file.write(bytes(32 * THREADS_MAX))
        env = tracing.environment(output="file:" + folder.file("%p.kpt"), engine=self.engine, **self.options)
        script = os.path.join(tracing.HERE, "counting.py")
        after = self.random.randint(1, 60000)
        arguments = [self.python, script, counts, str(self.threads), self.death, str(after)]
        return subprocess.Popen(arguments, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def kill_or_wait(self, process, folder):
        """SIGKILL at a random time after the first counted call, or wait for what the program does to itself."""
        limit = time.monotonic() + 60
        while self.death == "kill" and not any(p.calls for p in self.progress(folder)):
            if process.poll() is not None or time.monotonic() > limit:
                break
            time.sleep(0.001)
        if self.death == "kill":
            time.sleep(self.random.random() ** 2 * 0.5)
            process.kill()
        output = process.communicate(timeout=120)[0].decode("utf-8", "replace")
        if process.returncode != EXPECTED[self.death]:
            raise Failure("it ended with %d: %s" % (process.returncode, output))

    def progress(self, folder):
        with open(folder.file("counts"), "rb") as file:
            data = file.read()
        return [Progress(*struct.unpack_from("=QQQ", data, 32 * n)) for n in range(self.threads)]

    def run(self):
        with tracing.Folder() as folder:
            process = self.start(folder)
            try:
                self.kill_or_wait(process, folder)
            finally:
                process.kill()
            trace = folder.file("%d.kpt" % process.pid)
            mappings = [name for name in glob.glob("/dev/shm/kprobe.%d.*" % process.pid) if holds(name, trace)]
            self.check(folder, trace, mappings)

    def check(self, folder, trace, mappings):
        if len(mappings) != 1:
            raise Failure("shared memory of the dead process: %s" % (mappings or "none"))
        first = self.check_trace(trace, folder)
        clean = folder.file("clean.kpt")
        kprobe("recover", "--output", clean, "--remove", trace)
        if os.path.exists(mappings[0]):
            raise Failure("%s is still there after recover --remove" % mappings[0])
        if self.check_trace(clean, folder) != first:
            raise Failure("the recovered trace has other events than the one that was read with the shared memory")

    def check_trace(self, trace, folder):
        """Counts of the calls of this trace by thread and name, after all that must hold for them."""
        kprobe("verify", trace)
        kprobe("report", trace)
        calls = self.read(trace)
        for progress in self.progress(folder):
            self.check_thread(progress, calls)
        return calls

    def read(self, trace):
        calls, before = collections.Counter(), {}
        for line in kprobe("dump", trace).splitlines():
            time_ns, _, tid, kind, _, name = line.split("\t")[:6]
            if kind == "lost":
                self.lost += int(name.split()[0].partition("=")[2])
                continue
            if not name or name.startswith("?") and not name.startswith("?."):
                raise Failure("an event without a name: %r" % line)
            if int(time_ns) < before.get(tid, 0):
                raise Failure("time goes back: %r" % line)
            before[tid] = int(time_ns)
            if kind == "enter":
                calls[int(tid), name] += 1
        return calls

    def check_thread(self, progress, calls):
        if not progress.tid:  # not started yet when it was over
            return
        traced = calls[progress.tid, "__main__.counted"]
        if traced + self.lost < progress.calls:
            raise Failure("thread %d made %d calls, the trace has %d" % (progress.tid, progress.calls, traced))
        if traced > progress.calls + 1:
            raise Failure("thread %d: %d calls in the trace, %d made" % (progress.tid, traced, progress.calls))
        fresh = sum(tid == progress.tid and name.startswith("__main__.fresh_") for tid, name in calls)
        if fresh + self.lost < progress.fresh:
            raise Failure("thread %d called %d fresh functions, the trace names %d"
                          % (progress.tid, progress.fresh, fresh))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rounds", nargs="?", type=int, default=200)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--only", type=int, help="this round alone")
    options = parser.parse_args()
    cells = tracing.cells()
    print("%d rounds over %d interpreters and engines, seed %d" % (options.rounds, len(cells), options.seed), flush=True)
    failed = lossy = 0
    for number in [options.only] if options.only is not None else range(options.rounds):
        one = Round(number, cells[number % len(cells)], options.seed)
        try:
            one.run()
        except (Failure, subprocess.TimeoutExpired) as failure:
            failed += 1
            print("FAIL %s\n%s" % (one.title, failure), flush=True)
        lossy += one.lost > 0
        if one.lost and one.options.get("buffer") is None:
            print("note: %s: %d calls lost, counted" % (one.title, one.lost), flush=True)
    print("%d rounds: %d failed; %d lost calls and counted them" % (options.rounds, failed, lossy))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""How fast `kprobe report` reads, and in how much memory: records a program of many calls, then reports on it."""
import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

PROGRAM = """
import sys
def leaf(): pass
def branch(depth):
    if depth:
        branch(depth - 1)
        leaf()
        branch(depth - 1)
for _ in range(int(sys.argv[1])):
    branch(10)
"""
CALLS_PER_ROUND = 2 * 1024 - 1 + 1023


def record(shim, python, calls, folder):
    trace = os.path.join(folder, "speed.kpt")
    environment = dict(os.environ, LD_PRELOAD=shim, KPROBE_OUTPUT="file:" + trace, KPROBE_ON_FULL="block")
    subprocess.run([python, "-c", PROGRAM, str(calls // CALLS_PER_ROUND + 1)], env=environment, check=True)
    return trace


def timed(command):
    start = time.perf_counter()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter() - start, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def peak_bytes(command):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit("report_speed: %s failed" % command[1])
    return usage.ru_maxrss * 1024


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tools", default=os.path.join(here, "..", "build", "release", "bin"))
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--min-rate", type=float, default=0, help="fail below so many million events a second of processor time")
    parser.add_argument("--max-bytes", type=int, default=0, help="fail above this peak memory")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    kprobe = os.path.abspath(os.path.join(arguments.tools, "kprobe"))
    shim = os.path.abspath(os.path.join(arguments.tools, "libkprobe.so"))
    with tempfile.TemporaryDirectory() as folder:
        trace = record(shim, arguments.python, arguments.events // 2, folder)
        facts = json.loads(subprocess.run([kprobe, "info", "--json", trace], check=True, capture_output=True).stdout)
        events = sum(process["events"] for process in facts["processes"])
        elapsed, processor = min(timed([kprobe, "report", trace]) for _ in range(3))
        peak = peak_bytes([kprobe, "report", trace])
        size = os.path.getsize(trace)
    if arguments.json:
        print(json.dumps({"events": events, "rate": events / processor, "peak_bytes": peak, "bytes_per_event": size / events}))
    else:
        print("%.1f million events, %.1f MB on disk (%.2f bytes a call): report in %.2f s, %.2f s of processor, "
              "%.1f million events/s, peak memory %.1f MB" % (
                  events / 1e6, size / 1e6, 2 * size / events, elapsed, processor, events / processor / 1e6, peak / 1e6))
    if arguments.min_rate and events / processor / 1e6 < arguments.min_rate:
        sys.exit("report_speed: slower than %g million events a second" % arguments.min_rate)
    if arguments.max_bytes and peak > arguments.max_bytes:
        sys.exit("report_speed: more memory than %d bytes" % arguments.max_bytes)


if __name__ == "__main__":
    main()

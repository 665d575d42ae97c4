#!/usr/bin/env python3
"""Cost of a traced call of a function in C, as a ratio to two clock reads and two 16-byte stores, and against uftrace.

Every program prints the least of its short blocks; floor, untraced and traced runs alternate in rounds, and ratios are taken
inside a round. Start-up: how much longer `python3 -c pass` takes, paired, median. `--check` fails when a target is missed.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import measuring

HERE = os.path.dirname(os.path.abspath(__file__))
NATIVE = os.path.join(HERE, "native")

# Kind of call: rules and options, and what it may cost in floors; None: no target.
KINDS = {
    "exported function": ({"FILTER": "libcallee.so:*"}, 1.45),
    "exported function, inside": ({"FILTER": "libcallee.so:*", "INLINE": "1"}, None),
    "builtin from Python": ({"FILTER": "-*,c:math.fabs"}, 1.3),
}
UFTRACE_AT_LEAST = 2.0
# Rules: milliseconds that the start may take longer.
STARTS = {"libssl*:SSL_read": 2.0, "c:_json.*": None, "*:*": 10.0}


def number(command, environment):
    return float(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.split()[0])


def build(folder):
    compiler = shutil.which("cc") or "gcc"
    places = {name: os.path.join(folder, name) for name in ("floor", "caller", "libcallee.so")}
    subprocess.run([compiler, "-O2", "-o", places["floor"], os.path.join(HERE, "floor.c")], check=True)
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-Wl,-soname,libcallee.so", "-o", places["libcallee.so"],
                    os.path.join(NATIVE, "callee.c")], check=True)
    subprocess.run([compiler, "-O2", "-o", places["caller"], os.path.join(NATIVE, "caller.c"), "-L" + folder, "-lcallee",
                    "-Wl,-rpath," + folder], check=True)
    return places["floor"], places["caller"]


def traced_by_uftrace(caller, folder):
    data = os.path.join(folder, "uftrace")
    shutil.rmtree(data, ignore_errors=True)
    return number(["uftrace", "record", "--force", "-d", data, caller], measuring.environment())


def calls(floor, caller, python, shim, rounds, folder):
    """Rows of (kind, net ns, ratio to the floor), and how much slower uftrace is than kprobe."""
    nets, ratios, slower = {}, {}, []
    for _ in range(rounds):
        least = number([floor], measuring.environment())
        for kind, (options, _) in KINDS.items():
            command = [python, os.path.join(NATIVE, "builtin.py")] if "Python" in kind else [caller]
            plain = number(command, measuring.environment())
            net = number(command, measuring.environment(shim, OUTPUT="null:", **options)) - plain
            nets.setdefault(kind, []).append(net)
            ratios.setdefault(kind, []).append(net / least)
            if kind == "exported function" and shutil.which("uftrace"):
                slower.append((traced_by_uftrace(caller, folder) - plain) / net)
    rows = [{"kind": kind, "net_ns": statistics.median(nets[kind]), "ratio": statistics.median(ratios[kind]),
             "ratio_min": min(ratios[kind]), "ratio_max": max(ratios[kind]), "target": target}
            for kind, (_, target) in KINDS.items()]
    return rows, statistics.median(slower) if slower else None


def seconds(command, environment):
    start = time.perf_counter()
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def starts(python, shim, rounds):
    """The start with C rules against the start with rules for nothing, so that the engine's own start is not in it."""
    command, longer, total = [python, "-I", "-S", "-c", "pass"], {}, {}
    for _ in range(rounds * 3):
        plain = seconds(command, measuring.environment())
        for rule in STARTS:
            took = seconds(command, measuring.environment(shim, OUTPUT="null:", FILTER="-*," + rule))
            longer.setdefault(rule, []).append(took - plain)
            total.setdefault(rule, []).append(took)
    return [{"rule": rule, "longer_ms": 1000 * statistics.median(longer[rule]), "target_ms": target}
            for rule, target in STARTS.items()]


def show(rows, slower, start_rows):
    print("call                            net      net/floor (min-max)   target")
    for row in rows:
        target = "<= %.2f%s" % (row["target"], "" if row["ratio"] <= row["target"] else " missed") if row["target"] else "-"
        print("%-27s %6.1f ns %7.2f (%.2f-%.2f)     %s" % (
            row["kind"], row["net_ns"], row["ratio"], row["ratio_min"], row["ratio_max"], target))
    if slower:
        print("uftrace's library calls take %.1f times as long (target: at least %.1f)" % (slower, UFTRACE_AT_LEAST))
    else:
        print("uftrace is not installed: not compared")
    for row in start_rows:
        target = ", target <= %.0f ms%s" % (row["target_ms"], "" if row["longer_ms"] <= row["target_ms"] else " missed") \
            if row["target_ms"] else ""
        print("start of python3 -c pass with %-18s + %.1f ms%s" % (row["rule"], row["longer_ms"], target))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tools", default=measuring.DEFAULT_TOOLS, help="folder of libkprobe.so (a release build)")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--python", default="/usr/bin/python3")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--check", action="store_true", help="status 1 when a target is missed")
    arguments = parser.parse_args()
    shim = measuring.library(arguments.tools)
    with tempfile.TemporaryDirectory() as folder:
        floor, caller = build(folder)
        rows, slower = calls(floor, caller, arguments.python, shim, arguments.rounds, folder)
    start_rows = starts(arguments.python, shim, arguments.rounds)
    if arguments.json:
        json.dump({"calls": rows, "uftrace": slower, "starts": start_rows}, sys.stdout, indent=1)
        print()
    else:
        show(rows, slower, start_rows)
    missed = any(row["target"] and row["ratio"] > row["target"] for row in rows) or \
        any(row["target_ms"] and row["longer_ms"] > row["target_ms"] for row in start_rows) or \
        (slower is not None and slower < UFTRACE_AT_LEAST)
    return 1 if arguments.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())

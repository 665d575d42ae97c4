#!/usr/bin/env python3
"""Cost of a traced call pair, as a ratio to two clock reads and two 16-byte stores.

Floor, untraced and traced runs alternate in rounds of well under a second each, so that a machine that changes its speed
changes all three; figures are medians over the rounds, ratios are taken inside a round. `--json` for machines.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
WORKLOAD = os.path.join(HERE, "workload.py")
sys.path.insert(0, os.path.join(HERE, "..", "tests"))
from interpreters import interpreters, version_of  # noqa: E402


def engines(version):
    minor = int(version.split(".")[1])
    return ["monitoring"] if minor >= 12 else ["frame"]


def run(command, environment=None):
    return float(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)


def traced_environment(shim, engine, rule):
    environment = dict(os.environ, LD_PRELOAD=shim, KPROBE_ENGINE=engine, KPROBE_OUTPUT="null:")
    if rule:
        environment["KPROBE_FILTER"] = rule
    return environment


def measure(python, engine, kind, floor, shim, rounds):
    untraced, traced, off, floors, ratios = [], [], [], [], []
    command = [python, WORKLOAD, kind]
    for _ in range(rounds):
        base = run(command)
        with_shim = run(command, traced_environment(shim, engine, None))
        filtered = run(command, traced_environment(shim, engine, "-*"))
        least = run([floor])
        untraced.append(base)
        traced.append(with_shim)
        off.append(filtered - base)
        floors.append(least)
        ratios.append((with_shim - base) / least)
    return {"python": python, "engine": engine, "workload": kind,
            "untraced_ns": statistics.median(untraced), "traced_ns": statistics.median(traced),
            "net_ns": statistics.median(t - u for t, u in zip(traced, untraced)),
            "filtered_net_ns": statistics.median(off), "floor_ns": statistics.median(floors),
            "ratio": statistics.median(ratios), "ratio_min": min(ratios), "ratio_max": max(ratios)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shim", default=os.path.join(HERE, "..", "build", "release", "bin", "libkprobe.so"))
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", help="versions to measure, e.g. 3.12,3.8")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    shim = os.path.abspath(arguments.shim)
    if not os.path.exists(shim):
        sys.exit("overhead: %s is not there: cmake --preset release && cmake --build --preset release" % shim)
    with tempfile.TemporaryDirectory() as folder:
        floor = os.path.join(folder, "floor")
        subprocess.run([shutil.which("cc") or "gcc", "-O2", "-o", floor, os.path.join(HERE, "floor.c")], check=True)
        rows = []
        for python in interpreters():
            version = "%d.%d.%d" % version_of(python)
            if arguments.only and not any(version.startswith(v) for v in arguments.only.split(",")):
                continue
            for engine in engines(version):
                for kind in ("loop", "recursion"):
                    row = measure(python, engine, kind, floor, shim, arguments.rounds)
                    row["version"] = version
                    rows.append(row)
                    if not arguments.json:
                        show(row, len(rows) == 1)
    if arguments.json:
        json.dump(rows, sys.stdout, indent=1)
        print()


def show(row, first):
    if first:
        print("CPython  engine      workload   untraced   traced      net  filtered    floor  net/floor (min-max)")
    print("%-8s %-11s %-9s %7.1f ns %6.1f ns %5.1f ns %6.1f ns %5.1f ns %6.2f (%.2f-%.2f)" % (
        row["version"], row["engine"], row["workload"], row["untraced_ns"], row["traced_ns"], row["net_ns"],
        row["filtered_net_ns"], row["floor_ns"], row["ratio"], row["ratio_min"], row["ratio_max"]), flush=True)


if __name__ == "__main__":
    main()

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

import measuring

HERE = os.path.dirname(os.path.abspath(__file__))
WORKLOAD = os.path.join(HERE, "workload.py")

# What an engine may cost, in floors; the others have no target.
TARGETS = {"opcode": 1.15}


def run(command, environment=None):
    return float(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)


def measure(python, engine, kind, floor, shim, rounds):
    untraced, traced, off, floors, ratios = [], [], [], [], []
    command = [python, WORKLOAD, kind]
    for _ in range(rounds):
        base = run(command, measuring.environment())
        with_shim = run(command, measuring.environment(shim, ENGINE=engine, OUTPUT="null:"))
        filtered = run(command, measuring.environment(shim, ENGINE=engine, OUTPUT="null:", FILTER="-__main__.*"))
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
    parser.add_argument("--tools", default=measuring.DEFAULT_TOOLS, help="folder of libkprobe.so (a release build)")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--python", action="append", help="a path or a version (3.12); may be given several times")
    parser.add_argument("--engine", action="append", choices=measuring.ENGINES,
                        help="only this one; default: the one that `auto` takes")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    shim = measuring.library(arguments.tools)
    with tempfile.TemporaryDirectory() as folder:
        floor = os.path.join(folder, "floor")
        subprocess.run([shutil.which("cc") or "gcc", "-O2", "-o", floor, os.path.join(HERE, "floor.c")], check=True)
        rows = []
        for python in measuring.chosen_pythons(arguments.python):
            engines = measuring.engines_of(python, shim, arguments.engine)
            for engine in engines if arguments.engine else engines[:1]:
                for kind in ("loop", "recursion"):
                    row = measure(python, engine, kind, floor, shim, arguments.rounds)
                    row["version"], row["target"] = measuring.version_of(python), TARGETS.get(engine)
                    rows.append(row)
                    if not arguments.json:
                        show(row, len(rows) == 1)
    if arguments.json:
        json.dump(rows, sys.stdout, indent=1)
        print()


def show(row, first):
    if first:
        print("CPython  engine      workload   untraced   traced      net  filtered    floor  net/floor (min-max)    target")
    target = "<= %.2f%s" % (row["target"], "" if row["ratio"] <= row["target"] else " missed") if row["target"] else "-"
    print("%-8s %-11s %-9s %7.1f ns %6.1f ns %5.1f ns %6.1f ns %5.1f ns %6.2f (%.2f-%.2f)   %s" % (
        row["version"], row["engine"], row["workload"], row["untraced_ns"], row["traced_ns"], row["net_ns"],
        row["filtered_net_ns"], row["floor_ns"], row["ratio"], row["ratio_min"], row["ratio_max"], target), flush=True)


if __name__ == "__main__":
    main()

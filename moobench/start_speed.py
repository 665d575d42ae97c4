#!/usr/bin/env python3
"""How much longer programs take to start with the library: `python3 -c pass` with every default, and a program without Python.

Untraced and traced starts alternate; figures are medians of the differences of neighbours. What needs longest is on disk already:
one start of each kind comes before the first that counts.
"""
import argparse
import json
import os
import statistics
import sys
import tempfile

import measuring
from native_calls import seconds


def measure(command, is_python, shim, rounds, folder):
    plain, longer = [], []
    for number in range(rounds + 1):
        untraced = seconds(command, measuring.environment())
        traced = seconds(command, measuring.environment(shim, OUTPUT="file:" + os.path.join(folder, "%p-%t.kpt")))
        if number:
            plain.append(untraced)
            longer.append(traced - untraced)
    return {"command": " ".join(command), "is_python": is_python, "untraced_ms": 1000 * statistics.median(plain),
            "longer_ms": 1000 * statistics.median(longer)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tools", default=measuring.DEFAULT_TOOLS, help="folder of libkprobe.so (a release build)")
    parser.add_argument("--rounds", type=int, default=31)
    parser.add_argument("--python", action="append", help="a path or a version (3.12); may be given several times")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    shim, rows = measuring.library(arguments.tools), []
    with tempfile.TemporaryDirectory() as folder:
        programs = [(["/bin/true"], False)]
        programs += [([python, "-c", "pass"], True) for python in measuring.chosen_pythons(arguments.python)]
        for command, is_python in programs:
            rows.append(measure(command, is_python, shim, arguments.rounds, folder))
            if not arguments.json:
                print("%-60s %6.1f ms, %+.1f ms with the library" % (
                    rows[-1]["command"], rows[-1]["untraced_ms"], rows[-1]["longer_ms"]), flush=True)
    if arguments.json:
        json.dump(rows, sys.stdout, indent=1)
        print()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Cost of probes of the program's own: in C and in Python, under kprobe and without it, in nanoseconds and as a ratio to a traced
call of an exported function, all of them the least of short blocks. All of a round run one after the other.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile

import measuring
import native_calls

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
C_KINDS = ("region", "scope", "named", "record")
PYTHON_KINDS = ("pair", "with", "decorator")


def build(folder, tools):
    _, caller = native_calls.build(folder)
    generated = os.path.join(folder, "generated")
    subprocess.run([os.path.join(tools, "kprobe"), "irl", "-l", "c", "-o", generated,
                    os.path.join(TOP, "irl", "models", "Trace.irl")], check=True)
    sources = [os.path.join(root, name) for root, _, names in os.walk(generated) for name in names if name.endswith(".c")]
    probes = os.path.join(folder, "probes")
    subprocess.run(["cc", "-O2", "-I", os.path.join(TOP, "shim"), "-I", generated, os.path.join(HERE, "native", "probes.c"),
                    *sources, "-o", probes, "-lm"], check=True)
    return caller, probes


def measure(arguments, folder):
    caller, probes = build(folder, arguments.tools)
    shim = os.path.join(arguments.tools, "libkprobe.so")
    path = {"PYTHONPATH": os.path.join(TOP, "shim", "probes", "python")}
    on = measuring.environment(shim, OUTPUT="null:", FILTER="-*")
    off = measuring.environment()
    runs = {("C " + kind, state): ([probes, kind], env) for kind in C_KINDS for state, env in (("off", off), ("on", on))}
    for kind in PYTHON_KINDS:
        for state, env in (("off", off), ("on", on)):
            runs["Python " + kind, state] = ([arguments.python, os.path.join(HERE, "native", "probes.py"), kind], {**env, **path})
    times, ratios = {}, {}
    for _ in range(arguments.rounds):
        plain = native_calls.number([caller], off)
        call = native_calls.number([caller], measuring.environment(shim, OUTPUT="null:", FILTER="libcallee.so:*")) - plain
        found = {("exported function", "on"): call}
        found.update({key: native_calls.number(command, env) for key, (command, env) in runs.items()})
        for key, value in found.items():
            times.setdefault(key, []).append(value)
            ratios.setdefault(key, []).append(value / call)
    for key, values in times.items():
        print("%-20s %-4s %9.2f ns  %6.2f calls (%.2f to %.2f)" % (*key, statistics.median(values), statistics.median(ratios[key]),
                                                                 min(ratios[key]), max(ratios[key])))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tools", default=os.path.join(TOP, "build", "release", "bin"), help="where kprobe and libkprobe.so are")
    parser.add_argument("--python", default="/usr/bin/python3")
    parser.add_argument("--rounds", type=int, default=5)
    with tempfile.TemporaryDirectory() as folder:
        measure(parser.parse_args(), folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())

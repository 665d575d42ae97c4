#!/usr/bin/env python3
"""Bytes a call takes in a trace with default settings: of a mixed program (the shop of scripts/demo), and of recursion alone."""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import measuring

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = {
    "mixed": [os.path.join(HERE, "..", "scripts", "demo_shop.py"), "--requests", "800"],
    "recursion": [os.path.join(HERE, "workload.py"), "recursion"],
}


def measure(name, python, shim, folder):
    trace = os.path.join(folder, name + ".kpt")
    subprocess.run([python] + PROGRAMS[name], env=measuring.environment(shim, OUTPUT="file:" + trace), check=True,
                   stdout=subprocess.DEVNULL, timeout=300)
    kprobe = os.path.join(os.path.dirname(shim), "kprobe")
    facts = json.loads(subprocess.run([kprobe, "info", "--json", trace], check=True, stdout=subprocess.PIPE).stdout)
    return {"program": name, "calls": facts["calls"], "lost": facts["calls_lost"], "bytes_per_call": facts["bytes"] / facts["calls"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tools", default=measuring.DEFAULT_TOOLS, help="folder of libkprobe.so and kprobe (a release build)")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    shim = measuring.library(arguments.tools)
    with tempfile.TemporaryDirectory() as folder:
        rows = [measure(name, arguments.python, shim, folder) for name in PROGRAMS]
    if arguments.json:
        print(json.dumps(rows, indent=1))
    else:
        for row in rows:
            print("%-10s %.2f bytes a call, %d calls, %d lost" % (row["program"], row["bytes_per_call"], row["calls"], row["lost"]))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""What the floor is made of: two reads of the clock alone, two 16-byte stores to a ring alone, and both, in ns; medians of rounds."""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import tempfile

import measuring

HERE = os.path.dirname(os.path.abspath(__file__))
PARTS = ("both", "clock", "ring")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tools", help="is not needed, and taken because all scripts here take it")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        floor = os.path.join(folder, "floor")
        subprocess.run([shutil.which("cc") or "gcc", "-O2", "-o", floor, os.path.join(HERE, "floor.c")], check=True)
        rounds = [{part: float(subprocess.run([floor, part], env=measuring.environment(), check=True, stdout=subprocess.PIPE).stdout)
                   for part in PARTS} for _ in range(arguments.rounds)]
    medians = {part: statistics.median(each[part] for each in rounds) for part in PARTS}
    if arguments.json:
        print(json.dumps(medians))
    else:
        print("both %.2f ns, clock alone %.2f ns, ring alone %.2f ns" % tuple(medians[part] for part in PARTS))


if __name__ == "__main__":
    main()

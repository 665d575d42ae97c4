#!/usr/bin/env python3
"""Net instructions and clock reads of a traced call, counted by valgrind: no noise of the machine.

    instructions.py                          every interpreter found, all engines with a limit, as a table
    instructions.py --python 3.12 --engine opcode
    instructions.py --unwinds                of calls that end by an exception (no limits)

harness/counting.py says what is counted. moobench/check compares with the limits. Exit status 77 without valgrind.
"""
import argparse
import json
import sys

import limits
import measuring
from harness import callgrind, counting


def row_of(python, engine, counts):
    """One line: the states of an engine beside each other."""
    states = {count.state: count for count in counts if count.name == engine}
    first = states[limits.TRACED]
    return dict({state: count.instructions for state, count in states.items()}, python=python, version=first.version, engine=engine,
                untraced=first.base, clock_reads={state: count.clock_reads for state, count in states.items()})


def show(row, first, limited):
    if first:
        print("CPython  engine      untraced" + "".join("%10s limit clock" % state for state in counting.STATES))
    cells = ""
    for state in counting.STATES:
        most = limits.find(row["engine"], row["version"], state) if limited else None
        cells += "%10.1f %5s %5.1f" % (row[state], most.instructions if most else "-", row["clock_reads"][state])
    print("%-8s %-11s %8.1f%s" % (row["version"], row["engine"], row["untraced"], cells), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", action="append", help="a path or a version (3.12); may be given several times")
    parser.add_argument("--tools", default=measuring.DEFAULT_TOOLS, help="folder of libkprobe.so and kprobe")
    parser.add_argument("--engine", action="append", choices=measuring.ENGINES, help="only this one; default: all")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--unwinds", action="store_true", help="of calls that end by an exception; there are no limits")
    options = parser.parse_args()
    if not callgrind.folder_of_tool():
        print("instructions: skipped, valgrind is not installed", file=sys.stderr)
        return 77
    rows = []
    with counting.Bench(options.tools) as bench:
        for python in measuring.chosen_pythons(options.python):
            engines = measuring.engines_of(python, bench.shim, options.engine)
            counts = counting.python_counts(bench, python, engines, "unwinds" if options.unwinds else "calls")
            for engine in engines:
                rows.append(row_of(python, engine, counts))
                if not options.json:
                    show(rows[-1], len(rows) == 1, not options.unwinds)
    if options.json:
        json.dump(rows, sys.stdout, indent=1)
        print()
    return 0


if __name__ == "__main__":
    sys.exit(main())

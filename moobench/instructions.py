#!/usr/bin/env python3
"""Net instructions and clock reads of a traced call, counted by valgrind: no noise of the machine.

    instructions.py                          every interpreter found, all engines with a limit, as a table
    instructions.py --python 3.12 --engine opcode
    instructions.py --unwinds                of calls that end by an exception (no limits)
    instructions.py --parts                  what the instructions of a recorded call are for, of functions in C, too

harness/counting.py says what is counted. moobench/check compares with the limits. Exit status 77 without valgrind.
"""
import argparse
import dataclasses
import json
import sys

import limits
import measuring
from harness import breakdown, callgrind, counting


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


def breakdowns(bench, pythons, engines):
    """Engines of every interpreter; functions in C unless an engine was asked for."""
    for python in pythons:
        found = measuring.engines_of(python, bench.shim, engines)
        yield from breakdown.of_counts(counting.python_counts(bench, python, found, states=[limits.TRACED]), bench.shim)
    if pythons and not engines:
        yield from breakdown.of_counts(counting.native_counts(bench, pythons[0]), bench.shim)


def show_parts(bench, pythons, options):
    made = []
    for one in breakdowns(bench, pythons, options.engine):
        if not options.json and not made:
            print("CPython  engine      " + "".join("%12s" % part for part in (*breakdown.PARTS, "all")))
        made.append(one)
        if not options.json:
            print("%-8s %-11s %s" % (one.version or "-", one.name, "".join(
                "%12.1f" % count for count in [count for _, count in one.parts] + [one.total])), flush=True)
    if options.json:
        json.dump([dataclasses.asdict(one) for one in made], sys.stdout, indent=1)
        print()
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", action="append", help="a path or a version (3.12); may be given several times")
    parser.add_argument("--tools", default=measuring.DEFAULT_TOOLS, help="folder of libkprobe.so and kprobe")
    parser.add_argument("--engine", action="append", choices=measuring.ENGINES, help="only this one; default: all")
    parser.add_argument("--json", action="store_true")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--unwinds", action="store_true", help="of calls that end by an exception; there are no limits")
    what.add_argument("--parts", action="store_true", help="of recorded calls, what the instructions are for")
    options = parser.parse_args()
    if not callgrind.folder_of_tool():
        print("instructions: skipped, valgrind is not installed", file=sys.stderr)
        return 77
    rows = []
    with counting.Bench(options.tools) as bench:
        if options.parts:
            try:
                return show_parts(bench, measuring.chosen_pythons(options.python), options)
            except callgrind.Failure as failure:
                sys.exit("instructions: %s" % failure)
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

#!/usr/bin/env python3
"""Net instructions of a traced call, counted by valgrind: no noise of the machine, so limits can be kept.

    instructions.py                          every interpreter found, all engines with a limit, as a table
    instructions.py --python 3.12 --check    fail above a limit
    instructions.py --unwinds                of calls that end by an exception (no limits)

A call pair costs (instructions at 15 000 calls - at 5 000) / 10 000, user space, of the program's thread alone (callgrind counts
threads apart, so the writer's are not in it); net is what the library adds to that. Start-up is the same in both and cancels out.
Three states: traced (filter, id lookup, ring), filtered (the rules exclude the function) and off (KPROBE_ENABLED=0).
Exit status 77 without valgrind.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import measuring

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM, UNWINDS = (os.path.join(HERE, name) for name in ("calls_to_count.py", "unwinds_to_count.py"))
FEW, MANY = 5000, 15000

# Options, and how many of the counted calls the trace must have (None: there is no trace). The rule leaves out what is called
# and nothing else: a process that no rule can match is not traced at all.
STATES = {
    "traced": ({}, MANY - FEW),
    "filtered": ({"FILTER": "-__main__.descend,-__main__.fail"}, 0),
    "off": ({"ENABLED": "0"}, None),
}

# engine: first and last minor version, limits by state. What is off costs nothing: below one instruction is what start-up and
# the collector differ by.
LIMITS = {
    "opcode": ((11, 14), {"traced": 160, "filtered": 40, "off": 1}),
    "monitoring": ((12, None), {"traced": 600, "filtered": 40, "off": 1}),
    "frame": ((8, 10), {"traced": 145, "filtered": 40, "off": 1}),
}


def limit(engine, version, state):
    (first, last), limits = LIMITS.get(engine, ((0, -1), {}))
    minor = measuring.numbers(version)[1]
    return limits.get(state) if first <= minor and (last is None or minor <= last) else None


def can_count(python):
    """False for a launcher that valgrind runs in place of the interpreter (scripts/interpreters makes such)."""
    text = "print('valgrind' in open('/proc/self/maps').read())"
    said = subprocess.run(["valgrind", "-q", "--tool=none", python, "-S", "-c", text], env=measuring.environment(),
                          capture_output=True, text=True).stdout
    return said == "True\n"


def limited_engines(version):
    return [engine for engine in LIMITS if limit(engine, version, "traced") is not None]


def count(python, calls, folder, shim=None, program=PROGRAM, **options):
    """Instructions of the main thread of one run, and how many calls its trace has (None without a trace)."""
    place = tempfile.mkdtemp(dir=folder)
    counts, trace = os.path.join(place, "callgrind"), os.path.join(place, "trace.kpt")
    # Valgrind's processor says nothing of an invariant counter; real ones have it, so that is the clock measured.
    environment = measuring.environment(shim, OUTPUT="file:" + trace, CLOCK="tsc", **options)
    # smc-check: the library writes code, which valgrind would not see otherwise.
    done = subprocess.run(["valgrind", "-q", "--tool=callgrind", "--separate-threads=yes", "--smc-check=all",
                           "--callgrind-out-file=" + counts, python, "-S", program, str(calls)],
                          env=environment, capture_output=True, text=True)
    if done.returncode or done.stdout != "%d\n" % calls:
        sys.exit("instructions: %s under valgrind: %s %s" % (python, done.stdout, done.stderr))
    with open(counts + "-01") as lines:
        instructions = next(int(line.split()[1]) for line in lines if line.startswith("totals:"))
    return instructions, recorded(shim, trace, options.get("ENGINE"), done.stderr)


def recorded(shim, trace, engine, said):
    """Calls in the trace. By another engine is none by this one: nothing is cheaper than a library that gave up."""
    if not os.path.exists(trace):
        return None
    kprobe = os.path.join(os.path.dirname(shim), "kprobe")
    facts = json.loads(subprocess.run([kprobe, "info", "--json", trace], check=True, capture_output=True).stdout)
    if facts["processes"][0]["engine"] != engine:
        sys.exit("instructions: %s did not trace under valgrind: %s" % (engine, said.strip()))
    return facts["calls"] + facts["calls_lost"]


def per_call(pool, python, folder, recorded_calls=None, shim=None, **options):
    """Instructions a call, once the runs are done. Of the calls made, so many must have been recorded."""
    few, many = (pool.submit(count, python, calls, folder, shim, **options) for calls in (FEW, MANY))

    def answer():
        (less, calls_less), (more, calls_more) = few.result(), many.result()
        calls = None if calls_less is None else calls_more - calls_less
        if calls != recorded_calls:
            sys.exit("instructions: %s, %s: %s of %d calls were recorded, not %s" % (
                python, options, calls, MANY - FEW, recorded_calls))
        return (more - less) / (MANY - FEW)

    return answer


def measure(pool, python, shim, engines, folder, program=PROGRAM):
    plain = per_call(pool, python, folder, program=program)
    again = per_call(pool, python, folder, program=program)
    cells = {(engine, state): per_call(pool, python, folder, calls, shim, program=program, ENGINE=engine, **options)
             for engine in engines for state, (options, calls) in STATES.items()}
    base, noise = plain(), abs(again() - plain())
    rows = []
    for engine in engines:
        row = {"python": python, "version": measuring.version_of(python), "engine": engine, "untraced": base, "noise": noise}
        for state in STATES:
            row[state] = cells[engine, state]() - base
        rows.append(row)
    return rows


def excesses(row):
    for state in STATES:
        most = limit(row["engine"], row["version"], state)
        if most is not None and round(row[state]) > most:
            yield "CPython %s, %s, %s: %.1f instructions a call, %d are allowed" % (
                row["version"], row["engine"], state, row[state], most)


def show(row, first, limited=True):
    if first:
        print("CPython  engine      untraced  noise" + "".join("%10s limit" % state for state in STATES))
    cells = ""
    for state in STATES:
        most = limit(row["engine"], row["version"], state) if limited else None
        cells += "%10.1f %5s" % (row[state], "-" if most is None else most)
    print("%-8s %-11s %8.1f %6.2f%s" % (row["version"], row["engine"], row["untraced"], row["noise"], cells), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", action="append", help="a path or a version (3.12); may be given several times")
    parser.add_argument("--tools", default=measuring.DEFAULT_TOOLS, help="folder of libkprobe.so and kprobe")
    parser.add_argument("--engine", action="append", choices=measuring.ENGINES, help="only this one; default: those with a limit")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--check", action="store_true", help="fail above a limit")
    parser.add_argument("--unwinds", action="store_true", help="of calls that end by an exception; there are no limits")
    options = parser.parse_args()
    if not shutil.which("valgrind"):
        print("instructions: skipped, valgrind is not installed")
        return 77
    shim, rows = measuring.library(options.tools), []
    with tempfile.TemporaryDirectory(prefix="kprobe-instructions-") as folder, ThreadPoolExecutor(2) as pool:
        for python in measuring.chosen_pythons(options.python):
            if not can_count(python):
                print("%s: left out, valgrind does not run it" % python, file=sys.stderr)
                continue
            wanted = options.engine or limited_engines(measuring.version_of(python))
            engines = measuring.engines_of(python, shim, wanted) if wanted else []
            for row in measure(pool, python, shim, engines, folder, UNWINDS if options.unwinds else PROGRAM) if engines else []:
                if not options.json:
                    show(row, not rows, not options.unwinds)
                rows.append(row)
    if options.json:
        json.dump(rows, sys.stdout, indent=1)
        print()
    if not rows:
        print("instructions: skipped, nothing to count: no engine with a limit, or no interpreter that valgrind runs")
        return 77
    wrong = [line for row in rows for line in excesses(row)] if not options.unwinds else []
    print("\n".join(wrong), end="\n" if wrong else "", file=sys.stderr)
    return 1 if wrong and options.check else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Programs of the corpus, traced and converted to Kieker logs: valid, and what the trace says.

    exports.py --tools FOLDER [--python PYTHON]... [--newest] [PROGRAM]...

Every log, of every form and record set, passes check_log.py, and has as many calls as `kprobe report`, with a pair
more for each time that a generator went on. The traces of the text log are those of model.py, made from the lines
of `kprobe dump`.
"""
import argparse
import collections
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [HERE, TESTS, os.path.join(TESTS, "format"), os.path.join(TESTS, "oracle")]
import check_log  # noqa: E402
import compare  # noqa: E402
import model  # noqa: E402
from interpreters import one_of_each_minor  # noqa: E402
from read_trace import Reader  # noqa: E402

FORMS = [["-t", "kieker"], ["-t", "kieker-binary", "--application", "shop"],
         ["-t", "kieker", "--records", "executions", "--file-records", "500"],
         ["-t", "kieker-binary", "--records", "executions", "--compress", "gz"]]


def run(*command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, **more)


def trace(tools, python, program, folder):
    env = compare.environment(LD_PRELOAD=os.path.join(tools, "libkprobe.so"), KPROBE_COMPRESS="none",
                              KPROBE_OUTPUT="file:" + os.path.join(folder, "%p.kpt"))
    program = os.path.abspath(program)
    run(python, program, env=env, stdin=subprocess.DEVNULL, cwd=os.path.dirname(program))
    names = sorted(glob.glob(os.path.join(folder, "*.kpt")))
    return [recovered(tools, name) for name in names]


def recovered(tools, name):
    """What a killed process left in shared memory is anybody's to take while this goes on."""
    clean = name[:-4] + ".recovered.kpt"
    if b"from shared memory" in run(os.path.join(tools, "kprobe"), "info", name).stdout:
        run(os.path.join(tools, "kprobe"), "recover", name)
    return clean if os.path.exists(clean) else name


def coroutines_of(name):
    """By name and place, as `kprobe dump` shows them."""
    with open(name, "rb") as file:
        reader = Reader(name, file.read())
    with open(os.devnull, "wb") as nowhere:
        reader.read(nowhere)
    found = set()
    for section in reader.sections:
        for number, (text, file, line, _) in section.functions.items():
            if section.facts.get(number, (0, 0))[0] & model.COROUTINE:
                found.add((dump_text(text), f"{dump_text(file)}:{line}"))
    return found


def dump_text(text):
    from read_trace import escape

    return escape(text).decode("utf-8", "surrogateescape")


def convert(tools, folder, names, options):
    shutil.rmtree(folder, ignore_errors=True)
    done = run(os.path.join(tools, "kprobe"), "convert", *options, "-o", folder, *names)
    if done.returncode:
        raise check_log.Wrong(f"convert {' '.join(options)}: status {done.returncode}: {done.stderr.decode()}")
    return done.stderr.decode()


def steps_of(folder):
    """The traces of a text log: each a tuple of what happened, and that of its parent."""
    texts, traces, parents = check_log.read_map(folder), collections.defaultdict(list), {}
    for path in sorted(glob.glob(os.path.join(folder, "*.dat"))):
        with open(path, "rb") as file:
            for name, _, values in check_log.text_records(file.read(), texts):
                if name.endswith("TraceMetadata"):
                    parents[values[0]] = values[4]
                elif name.endswith("SplitEvent"):
                    traces[values[1]].append("S")
                elif name.endswith("OperationEvent") or name.endswith("FailedEvent"):
                    letter = "B" if "Before" in name else "F" if "Failed" in name else "A"
                    traces[values[1]].append(letter + " " + re.sub(r"^object (.*)\(.*\)$", r"\1", values[3])[:model.NAME])
    return sorted((tuple(steps), tuple(traces[parents[number]]) if parents[number] != number else None)
                  for number, steps in traces.items())


def difference(wanted, wanted_parent, found, found_parent):
    at = next((i for i, (one, other) in enumerate(zip(wanted, found)) if one != other), min(len(wanted), len(found)))
    return f"at {at}: wanted {wanted[at:at + 5]}, found {found[at:at + 5]}; same parents: {wanted_parent == found_parent}"


def check_model(tools, name, folder):
    """One process at a time: the names of its functions are its own. Returns its calls, and how many pairs may be more."""
    dump = run(os.path.join(tools, "kprobe"), "dump", name).stdout.decode("utf-8", "surrogateescape")
    lines = dump.split("\n")[:-1]
    if name.endswith(".recovered.kpt"):  # compressed: what is a coroutine in it is not to be seen here
        return sum("\tenter\t" in line for line in lines), 0, sum("\tresume\t" in line for line in lines)
    wanted = model.read(lines, coroutines_of(name))
    convert(tools, folder, [name], FORMS[0])
    traces = sorted((tuple(trace.steps), trace.parent and tuple(trace.parent.steps)) for trace in wanted.traces)
    found = steps_of(folder)
    for one, other in zip(traces, found):
        check_log.require(one == other, "a trace differs", difference(*one, *other) if one != other else "")
    check_log.require(len(traces) == len(found), len(found), "traces instead of", len(traces))
    return wanted.calls, wanted.resumed, wanted.resumed


def check_program(tools, python, program):
    with tempfile.TemporaryDirectory(prefix="kprobe-kieker-") as folder:
        names, log = trace(tools, python, program, folder), os.path.join(folder, "log")
        if not names:
            return None
        models = [check_model(tools, name, log) for name in names]
        report = json.loads(run(os.path.join(tools, "kprobe"), "report", "--json", *names).stdout)
        calls, least, most = (sum(column) for column in zip(*models))
        check_log.require(report["calls"] == calls, "calls", report["calls"])
        pairs = set()
        for options in FORMS:
            convert(tools, log, names, options)
            checked = check_log.check(log)
            pairs.add(checked.pairs)
        check_log.require(len(pairs) == 1 and calls + least <= min(pairs) <= calls + most, pairs, "pairs of", calls, "calls")
        return calls


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tools", required=True)
    parser.add_argument("--python", action="append")
    parser.add_argument("--newest", action="store_true", help="the newest interpreter only")
    parser.add_argument("programs", nargs="*")
    options = parser.parse_args()
    programs = options.programs or sorted(glob.glob(os.path.join(TESTS, "programs", "*.py")))
    pythons = options.python or one_of_each_minor((3, 8))[-1 if options.newest else 0:]
    if not pythons:
        print("skipped: no interpreter")
        return 77
    checked = failures = 0
    for python in pythons:
        for program in programs:
            try:
                checked += check_program(options.tools, python, program) is not None
            except (check_log.Wrong, subprocess.TimeoutExpired, ValueError) as error:
                print(f"{python} {program}: {error}", flush=True)
                failures += 1
    print(f"{checked} programs checked, {failures} wrong")
    return 1 if failures or not checked else 0


if __name__ == "__main__":
    sys.exit(main())

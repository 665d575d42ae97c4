#!/usr/bin/env python3
"""The corpus on every interpreter found (tests/interpreters.py), under every engine that it has.

    matrix.py                                        everything; differences first, at the end a table
    matrix.py --list                                 the cells of the tests, one a line (for CMake): every engine on the first
                                                     interpreter of a minor version, on others what `auto` takes
    matrix.py --python /usr/bin/python3 --engine frame   one cell

The engine `oracle` is the check of the oracle by itself (two modes, two runs). Exit status: 0 all equal, 1 differences,
77 nothing to run.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.dirname(HERE))
import compare  # noqa: E402
from interpreters import interpreters, version_of  # noqa: E402

# Which engine runs where: first version, first version without it. Those that the library does not have are left out.
ENGINES = [
    ("oracle", (3, 8), (4, 0)),
    ("opcode", (3, 11), (3, 15)),
    ("monitoring", (3, 12), (4, 0)),
    ("frame", (3, 8), (3, 12)),
    ("profile", (3, 8), (4, 0)),
]
WORKERS = 2


def known_engines():
    """Those that KPROBE_ENGINE may name, from the table of options: cells are listed before anything is built."""
    with open(os.path.join(HERE, "../../trace/options.h"), encoding="utf-8") as file:
        words = re.search(r"^#define KP_OPTION_WORDS_ENGINE\(W\)((?:.*\\\n)*.*)$", file.read(), re.M).group(1)
    return re.findall(r'W\("(\w+)"\)', words)


def engines_of(python):
    version, known = compare.version_of(python), ["oracle"] + known_engines()
    return [name for name, first, below in ENGINES if first <= version < below and name in known]


def check(tools, python, engine, program):
    if engine == "oracle":
        return compare.check_oracle(python, program)
    return compare.check_program(tools, python, program, engine)


def run_cell(tools, python, engine, programs):
    """Results of one interpreter and engine: program to None (skipped) or the list of problems."""
    with ThreadPoolExecutor(WORKERS) as pool:
        return dict(zip(programs, pool.map(lambda program: check(tools, python, engine, program), programs)))


def title_of(python, engine):
    return "%-12s %s" % (engine, python)


def report(title, results, log):
    failed = {program: lines for program, lines in results.items() if lines}
    skipped = sum(lines is None for lines in results.values())
    print("%s: %d equal, %d different, %d skipped"
          % (title, len(results) - len(failed) - skipped, len(failed), skipped), file=log, flush=True)
    for program, lines in failed.items():
        print("  %s" % program, file=log)
        print("\n".join("    " + line for text in lines for line in text.split("\n")), file=log, flush=True)


def chosen_engine(tools, python):
    """What `auto` takes here."""
    with tempfile.TemporaryDirectory() as folder:
        trace = os.path.join(folder, "auto.kpt")
        env = compare.environment(LD_PRELOAD=os.path.join(tools, "libkprobe.so"), KPROBE_OUTPUT="file:" + trace)
        subprocess.run([python, "-c", ""], env=env, stderr=subprocess.DEVNULL)
        done = subprocess.run([os.path.join(tools, "kprobe"), "info", "--json", trace], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL)
    try:
        return json.loads(done.stdout.decode())["processes"][0]["engine"] or "none"
    except (ValueError, LookupError):
        return "none"


def mark(results):
    """A cell of the table."""
    if results is None:
        return ""
    different = sum(map(bool, results.values()))
    if different:
        return "%d DIFFER" % different
    return "%d equal" % sum(lines == [] for lines in results.values())


def table(tools, cells):
    """One row an interpreter, one column an engine, and what `auto` takes."""
    engines = [name for name, _, _ in ENGINES if any(engine == name for _, engine in cells)]
    print("%-9s" % "CPython" + "".join("%-12s" % name for name in engines + ["auto", "path"]))
    for python in dict.fromkeys(python for python, _ in cells):
        row = [mark(cells.get((python, engine))) for engine in engines] + [chosen_engine(tools, python)]
        print("%-9s" % ".".join(map(str, version_of(python))) + "".join("%-12s" % text for text in row) + python)


def short_form(cells):
    """All cells of the first interpreter of each minor version; of the others the engine that is tried first."""
    chosen, first, begun = [], {}, set()
    for python, engine in cells:
        if first.setdefault(compare.version_of(python), python) == python:
            chosen.append((python, engine))
        elif engine != "oracle" and python not in begun:
            begun.add(python)
            chosen.append((python, engine))
    return chosen


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--tools", default=os.path.join(HERE, "../../build/dev/bin"), help="folder of kprobe and libkprobe.so")
    parser.add_argument("--python", action="append", help="only this interpreter (may be given several times)")
    parser.add_argument("--engine", action="append", help="only this engine, or 'oracle'")
    parser.add_argument("--list", action="store_true", help="print the cells and stop")
    parser.add_argument("--log", type=argparse.FileType("w"), default=sys.stdout, help="the cells as they end, with differences")
    parser.add_argument("programs", nargs="*", help="only these programs")
    options = parser.parse_args()
    cells = [(python, engine) for python in options.python or interpreters() for engine in engines_of(python)
             if not options.engine or engine in options.engine]
    if options.list:
        for python, engine in short_form(cells):
            print("%s %s %d.%d" % ((engine, python) + compare.version_of(python)))
        return 0
    tools, results = os.path.abspath(options.tools), {}
    for python, engine in cells:
        results[python, engine] = run_cell(tools, python, engine, options.programs or compare.all_programs())
        report(title_of(python, engine), results[python, engine], options.log)
    if len(cells) > 1:
        table(tools, results)
    if not cells:
        return 77
    return 1 if any(any(cell.values()) for cell in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())

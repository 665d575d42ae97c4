#!/usr/bin/env python3
"""The corpus on every interpreter found, under every engine that it has.

    matrix.py                                        everything, as a table
    matrix.py --list                                 the cells: interpreter and engine, one a line (for CMake)
    matrix.py --python /usr/bin/python3 --engine frame   one cell

The engine `oracle` is the check of the oracle by itself (two modes, two runs). Exit status: 0 all equal, 1 differences,
77 nothing to run.
"""
import argparse
import glob
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import compare  # noqa: E402

# Which engine runs where: first version, first version without it.
ENGINES = [
    ("oracle", (3, 8), (4, 0)),
    ("frame", (3, 8), (3, 12)),
    ("monitoring", (3, 12), (4, 0)),
    ("profile", (3, 8), (4, 0)),
]
WORKERS = 2


def is_traceable(python):
    """CPython 3.8 or later that starts; a free-threaded build is refused by kprobe."""
    text = "import sys, sysconfig; print(sys.implementation.name, '%d.%d' % sys.version_info[:2]," \
           "sysconfig.get_config_var('Py_GIL_DISABLED') or 0)"
    try:
        done = subprocess.run([python, "-c", text], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    found = re.fullmatch(r"cpython (\d+)\.(\d+) 0\n", done.stdout.decode())
    return bool(found) and tuple(map(int, found.groups())) >= (3, 8)


def interpreters():
    """Each binary once, by version: the system's, pyenv's, and those named in KPROBE_PYTHONS (':'-separated)."""
    names = [name for name in glob.glob("/usr/bin/python3*") + glob.glob("/usr/local/bin/python3*")
             if re.fullmatch(r"python3(\.\d+)?", os.path.basename(name))]
    names += glob.glob(os.path.expanduser("~/.pyenv/versions/*/bin/python3"))
    names += [name for name in os.environ.get("KPROBE_PYTHONS", "").split(":") if name]
    found = {}
    for name in names:
        if is_traceable(name):
            found.setdefault(os.path.realpath(name), name)
    return sorted(found.values(), key=lambda name: (compare.version_of(name), name))


def engines_of(python):
    version = compare.version_of(python)
    return [name for name, first, below in ENGINES if first <= version < below]


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


def report(title, results):
    failed = {program: lines for program, lines in results.items() if lines}
    skipped = sum(lines is None for lines in results.values())
    print("%s: %d equal, %d different, %d skipped"
          % (title, len(results) - len(failed) - skipped, len(failed), skipped), flush=True)
    for program, lines in failed.items():
        print("  %s" % program)
        print("\n".join("    " + line for text in lines for line in text.split("\n")), flush=True)
    return bool(failed)


def table(cells):
    """One row a program, one column a cell; only the rows with a difference."""
    columns = [("%d.%d" % compare.version_of(python), engine) for python, engine in cells]
    print("\n%-24s%s" % ("", " ".join("%-5s" % version for version, _ in columns)))
    print("%-24s%s" % ("", " ".join("%-5s" % engine[:5] for _, engine in columns)))
    for program in compare.all_programs():
        row = [results.get(program) for results in cells.values()]
        if any(row):
            marks = " ".join("%-5s" % ("-" if lines is None else "DIFF" if lines else "ok") for lines in row)
            print("%-24s%s" % (program, marks))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--tools", default=os.path.join(HERE, "../../build/dev/bin"), help="folder of kprobe and libkprobe.so")
    parser.add_argument("--python", action="append", help="only this interpreter (may be given several times)")
    parser.add_argument("--engine", action="append", help="only this engine, or 'oracle'")
    parser.add_argument("--list", action="store_true", help="print the cells and stop")
    parser.add_argument("programs", nargs="*", help="only these programs")
    options = parser.parse_args()
    cells = [(python, engine) for python in options.python or interpreters() for engine in engines_of(python)
             if not options.engine or engine in options.engine]
    if options.list:
        for python, engine in cells:
            print("%s %s %d.%d" % ((engine, python) + compare.version_of(python)))
        return 0
    tools, results = os.path.abspath(options.tools), {}
    for python, engine in cells:
        results[python, engine] = run_cell(tools, python, engine, options.programs or compare.all_programs())
        report(title_of(python, engine), results[python, engine])
    if len(cells) > 1:
        table(results)
    if not cells:
        return 77
    return 1 if any(any(cell.values()) for cell in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())

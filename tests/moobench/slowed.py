#!/usr/bin/env python3
"""That moobench/check sees one clock read too many on the way into a call: the opcode engine and the trampoline of exported functions;
and that a library which traces nothing does not pass for one that was not measured.

    slowed.py SLOWED_TOOLS TOOLS     folders of the library that was slowed, and of the one as it is
"""
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
MOOBENCH = os.path.join(HERE, "..", "..", "moobench")
sys.path.insert(0, MOOBENCH)
import measuring  # noqa: E402
from harness import callgrind  # noqa: E402


def check(tools, python):
    command = [sys.executable, "-B", os.path.join(MOOBENCH, "check"), "--quick", "--json", "--part", "python", "--engine", "opcode",
               "--python", python, "--part", "native", "--mechanism", "c", "--tools", tools]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode not in (0, 1):
        sys.exit("check ended with status %d: %s" % (done.returncode, done.stderr))
    return done.returncode, {(row["figure"], row["unit"]): row for row in json.loads(done.stdout)}, done.stderr


def check_a_library_that_traces_nothing(python):
    with tempfile.TemporaryDirectory(prefix="kprobe-check-") as tools:
        subprocess.run([os.environ.get("CC", "cc"), "-shared", "-o", os.path.join(tools, "libkprobe.so"), "-x", "c", os.devnull], check=True)
        done = subprocess.run([sys.executable, "-B", os.path.join(MOOBENCH, "check"), "--quick", "--part", "python", "--python", python,
                               "--tools", tools], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 1 and "no engine of" in done.stdout, done.stdout


def main():
    slowed, usual = sys.argv[1:3]
    if not callgrind.folder_of_tool():
        print("skipped: valgrind is not installed")
        return 77
    python = next((name for name in measuring.chosen_pythons(None)
                   if measuring.has_engine(name, measuring.library(usual), "opcode")), None)
    if not python:
        print("skipped: no interpreter here has the opcode engine")
        return 77
    status, rows, said = check(usual, python)
    assert status == 0, said
    status, slow_rows, said = check(slowed, python)
    assert status == 1, "the gate is open: " + said
    for figure in ("opcode traced", "c traced"):
        for unit in ("clock reads", "instructions"):
            before, after = rows[figure, unit], slow_rows[figure, unit]
            print("%s: %.2f %s, slowed %.2f, limit %s: %s" % (
                figure, before["measured"], unit, after["measured"], after["limit"], after["verdict"]))
            assert before["verdict"] == "ok" and after["verdict"] == "BROKEN", figure
            assert figure in said and unit in said, said
        reads = slow_rows[figure, "clock reads"]["measured"] - rows[figure, "clock reads"]["measured"]
        assert abs(reads - 1) < 0.01, "%s: %.2f clock reads more, not one" % (figure, reads)
    check_a_library_that_traces_nothing(python)
    return 0


if __name__ == "__main__":
    sys.exit(main())

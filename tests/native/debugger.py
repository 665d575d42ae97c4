#!/usr/bin/env python3
"""gdb in traced functions: it sees the callers behind the trampoline, `finish` comes back to them, `up` finds their variables.

Exit status: 0 fine, 1 something differs, 77 no gdb.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

import suites

COMMANDS = ["set confirm off", "set pagination off", "set width 0", "set style enabled off", "set debuginfod enabled off", "set startup-with-shell off",
            "set breakpoint pending on", "break t_recursive", "run", "continue 5", "backtrace", "finish", "delete", "break t_callback", "continue",
            "backtrace", "delete", "break t_ints", "continue", "backtrace", "finish", "frame function twice", "info frame", "delete", "continue"]
LOOK = re.compile(r"^#\d+ +(?:0x[0-9a-f]+ in )?(\w+) |^(Value returned is .*)|^(\[Inferior \d+) |^(no (?:symbol|frame).*)", re.I)


def session(program, shim, rules, folder):
    """What gdb says of functions and values, without addresses and numbers of frames."""
    commands = ["set environment COUNTS=/dev/null"]
    if shim:
        commands += ["set environment LD_PRELOAD=" + shim, "set environment KPROBE_FILTER=" + rules,
                     "set environment KPROBE_OUTPUT=file:" + os.path.join(folder, "kprobe.%p.kpt")]
    words = ["gdb", "-q", "-nx", "-batch"]
    for command in commands + COMMANDS:
        words += ["-ex", command]
    done = subprocess.run(words + ["--args", program, "1"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                          cwd=folder, timeout=100)
    said = []
    for line in done.stdout.decode("utf-8", "replace").split("\n"):
        match = LOOK.match(line)
        if match:
            said.append(next(group for group in match.groups() if group))
    return said, done.stdout.decode("utf-8", "replace")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--tools", default=os.path.join(suites.TOP, "build/dev/bin"), help="folder of kprobe and libkprobe.so")
    options = parser.parse_args()
    if not shutil.which("gdb"):
        print("skipped: gdb is not installed")
        return 77
    work, failed = tempfile.mkdtemp(prefix="kprobe-gdb-"), False
    try:
        case = next(case for case in suites.CASES if case.name == "abi")
        program, library = suites.Builder(work).build(case, suites.STYLES[0])
        plain, text = session(program, None, "", work)
        if "t_callback" not in plain or "main" not in plain or not any(line.startswith("Value") for line in plain):
            print("skipped: gdb cannot run programs here: " + text[-500:])
            return 77
        for name, rules in suites.RULES.items():
            traced, text = session(program, os.path.join(os.path.abspath(options.tools), "libkprobe.so"),
                                   rules.replace("LIBRARY", library), work)
            # What gdb calls the trampoline is not part of the comparison.
            traced = [line for line in traced if not line.startswith("kp_")]
            print("%-6s gdb, rules %s: %d lines" % ("ok" if traced == plain else "FAIL", name, len(plain)))
            if traced != plain:
                failed = True
                print("  plain:  %s\n  traced: %s" % (plain, traced))
    finally:
        shutil.rmtree(work)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

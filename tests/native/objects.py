#!/usr/bin/env python3
"""What the compiler made of the code that runs between a caller and a function in C.

    objects.py                    of build/dev/bin/libkprobe.so

Arguments and results lie in vector registers there: the trampoline, and what kp_call_enter reaches by calls and jumps, use
no vector or x87 register, make no system call, and call nothing outside of the library. Thread-local variables are at a fixed distance from the
thread pointer: __tls_get_addr is neither called nor imported.

Exit status: 0 all fine, 1 something is wrong, 77 no objdump.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROOTS = ["kp_call_enter"]
TRAMPOLINE = "kp_call_common"  # ends in the slow path, which keeps the vector registers itself
# XSAVE and its like are for the slow path, which keeps what they name.
FORBIDDEN = re.compile(r"%[xyz]?mm\d|%st\b|%k[0-7]\b|\bf(ld|st|xsave|xrstor|nsave)\w*\b|\bv?mov[au]p[sd]|\bsyscall\b|\bxsave")
FUNCTION = re.compile(r"^[0-9a-f]+ <([^>]+)>:$")
TARGET = re.compile(r"\b(?:call|jmp|j\w+)\s+[0-9a-f]+ <([^>+]+)(?:\+0x[0-9a-f]+)?>")
INDIRECT = re.compile(r"\bcall\s+\*")


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, universal_newlines=True).stdout


def functions(shim):
    """Instructions of each function that has a name."""
    found, current = {}, None
    for line in output("objdump", "-d", "--no-show-raw-insn", shim).split("\n"):
        match = FUNCTION.match(line)
        if match:
            current = found.setdefault(match.group(1), [])
        elif current is not None and "\t" in line:
            current.append(line.split("\t", 1)[1])
    return found


def reachable(code, roots):
    """Names, each with how it is reached."""
    path = {root: root for root in roots}
    todo = list(roots)
    while todo:
        name = todo.pop()
        for line in code.get(name, ()):
            match = TARGET.search(line)
            if match and match.group(1) not in path:
                path[match.group(1)] = "%s > %s" % (path[name], match.group(1))
                todo.append(match.group(1))
    return path


def check(shim):
    """What is wrong, as text."""
    problems, code = [], functions(shim)
    for root in ROOTS + [TRAMPOLINE]:
        if root not in code:
            problems.append("%s is not in %s" % (root, shim))
    paths = reachable(code, ROOTS)
    for name, path in sorted(paths.items()):
        if name not in code or name.endswith("@plt"):
            problems.append("leaves the library: " + path)
        for line in code.get(name, ()):
            if FORBIDDEN.search(line.split("#")[0]) or INDIRECT.search(line):
                problems.append("%s: %s" % (path, line))
    if "__tls_get_addr" in output("nm", "-D", shim) or any("__tls_get_addr" in line for body in code.values() for line in body):
        problems.append("__tls_get_addr is used")
    for line in code.get(TRAMPOLINE, ()):
        if FORBIDDEN.search(line.split("#")[0]):
            problems.append("%s: %s" % (TRAMPOLINE, line))
    print("looked at %d functions: %s" % (len(paths), ", ".join(sorted(paths))))
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--tools", default=os.path.join(TOP, "build/dev/bin"), help="folder of libkprobe.so")
    options = parser.parse_args()
    for tool in ("objdump", "nm"):
        if not shutil.which(tool):
            print("skipped: %s is not installed" % tool)
            return 77
    problems = check(os.path.join(options.tools, "libkprobe.so"))
    for line in problems:
        print("FAIL   " + line)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""gdb attaches to a traced process, stops it in the probes of the engine opcode, and sees the whole stack each time.

    debugger.py --tools build/dev/bin --python /usr/bin/python3

Exit status: 0 fine, 1 a stack is not whole, 77 without gdb, the right to attach, or the engine.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "oracle"))
import compare  # noqa: E402

# Handlers called by thunks in front of opcodes, and by the one in front of the evaluator.
PLACES = ["kp_opcode_fast_start", "kp_opcode_fast_yield", "kp_opcode_fast_handler", "kp_opcode_event", "kp_opcode_left"]
# From the probe through the evaluator to the bottom.
WANTED = ["kp_thunk_entry|entry_slow", "Py_RunMain", "__libc_start_main|__libc_start_main_impl", "_start"]


def debug(pid):
    command = ["gdb", "-nx", "-batch", "-p", str(pid), "-ex", "set pagination off"]
    for place in PLACES:
        command += ["-ex", "tbreak " + place, "-ex", "continue", "-ex", "echo === %s\\n" % place, "-ex", "bt"]
    done = subprocess.run(command + ["-ex", "detach"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=200)
    return done.stdout.decode("utf-8", "replace")


def problems_of(place, stack):
    if not re.search(r"^#0 .*\b%s\b" % place, stack, re.M):
        return ["gdb did not stop in %s: %s" % (place, stack[-600:])]
    missing = [name for name in WANTED if not re.search(r"^#\d+ .*\b(%s)\b" % name, stack, re.M)]
    if "Backtrace stopped" in stack:
        missing.append("an end without complaint")
    return ["%s: no %s in the stack\n%s" % (place, ", ".join(missing), stack)] if missing else []


def check(process, said):
    """What is wrong; None when gdb may not attach."""
    output = debug(process.pid)
    if "ptrace: Operation not permitted" in output:
        return None
    stacks = dict(part.split("\n", 1) for part in output.split("=== ")[1:])
    problems = [line for place in PLACES for line in problems_of(place, stacks.get(place, output))]
    status = process.wait(60)
    if status:
        said.seek(0)
        problems.append("after gdb the program ended with %s: %s" % (status, said.read().decode("utf-8", "replace")))
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--tools", required=True, help="folder of kprobe and libkprobe.so")
    parser.add_argument("--python", default=sys.executable)
    options = parser.parse_args()
    if not shutil.which("gdb"):
        print("skipped: gdb is not installed")
        return 77
    with tempfile.TemporaryDirectory(prefix="kprobe-gdb-") as folder, open(os.path.join(folder, "said"), "w+b") as said:
        env = compare.environment(LD_PRELOAD=os.path.abspath(os.path.join(options.tools, "libkprobe.so")),
                                  KPROBE_ENGINE="opcode", KPROBE_OUTPUT="null:", KPROBE_LOG="info")
        command = [options.python, os.path.join(HERE, "programs", "endless.py"), "15"]
        process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said)
        try:
            process.stdout.readline()
            said.seek(0)
            if b"opcode engine" not in said.read():
                print("skipped: %s is not traced by the engine opcode" % options.python)
                return 77
            problems = check(process, said)
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
    if problems is None:
        print("skipped: gdb may not attach to processes here")
        return 77
    print("\n".join(problems) or "whole stacks in %s" % ", ".join(PLACES))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

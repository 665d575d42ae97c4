"""What the other scripts of this folder measure: programs, start-up, logs and streams. Each is run once, and answers in JSON.

A new one is a row in SCRIPTS. An answer is kept by the journal, so that promises can be judged again without measuring.
"""
import json
import os
import subprocess
import sys

from harness import children, context

SYSTEM, REFERENCE = "/usr/bin/python3", "3.12"
TIMEOUT_S = 900

# Name: what is measured, and the command. Only answers to these are looked at by the table of promises.
SCRIPTS = {
    "instructions": ("instructions of a call, counted", ["instructions.py", "--json"]),
    "slowdown": ("sixteen programs", ["slowdown.py", "--quick", "--json", "--python", REFERENCE]),
    "native_calls": ("functions in C, and start-up with rules for them", ["native_calls.py", "--json", "--python", SYSTEM]),
    "start": ("start-up", ["start_speed.py", "--json"]),
    "size": ("size of traces", ["trace_size.py", "--json", "--python", SYSTEM]),
    "sinks": ("live outputs", ["sink_speed.py", "--json"]),
    "serve": ("kprobe serve", ["serve_speed.py", "--json"]),
    "import": ("reading Kieker's logs", ["import_speed.py", "--json"]),
    "report": ("reading traces", ["report_speed.py", "--json", "--python", SYSTEM]),
}


class Failure(Exception):
    """The script has no answer, with the reason in one line."""


def ask(name, tools):
    command = SCRIPTS[name][1]
    try:
        done = subprocess.run([sys.executable, os.path.join(context.MOOBENCH, command[0])] + command[1:] + ["--tools", tools],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=TIMEOUT_S, preexec_fn=children.die_with_us)
    except subprocess.TimeoutExpired:
        raise Failure("%s did not end within %d s" % (command[0], TIMEOUT_S)) from None
    try:
        return json.loads(done.stdout)
    except ValueError:
        said = (done.stderr.strip() or done.stdout.strip() or "status %d" % done.returncode).splitlines()[-1]
        raise Failure("%s: %s" % (command[0], said)) from None

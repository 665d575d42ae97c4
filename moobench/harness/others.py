"""What the other scripts of this folder measure: programs, start-up, logs and streams. Each is run once, and answers in JSON.

A new one is a row in SCRIPTS. An answer is kept by the journal, so that promises can be judged again without measuring.
"""
import dataclasses
import json
import os
import subprocess
import sys

from harness import children, context

SYSTEM, REFERENCE = "/usr/bin/python3", "3.12"
TIMEOUT_S = 900


@dataclasses.dataclass(frozen=True)
class Script:
    subject: str
    command: list
    expected_s: float


# Only answers to these are looked at by the table of promises.
SCRIPTS = {
    "instructions": Script("instructions of a call, counted", ["instructions.py", "--json"], 200),
    "slowdown": Script("sixteen programs", ["slowdown.py", "--quick", "--json", "--python", REFERENCE], 120),
    "native_calls": Script("functions in C, and start-up with rules for them", ["native_calls.py", "--json", "--python", SYSTEM], 60),
    "start": Script("start-up", ["start_speed.py", "--json"], 30),
    "size": Script("size of traces", ["trace_size.py", "--json", "--python", SYSTEM], 3),
    "sinks": Script("live outputs", ["sink_speed.py", "--json"], 20),
    "serve": Script("kprobe serve", ["serve_speed.py", "--json"], 40),
    "import": Script("reading Kieker's logs", ["import_speed.py", "--json"], 15),
    "report": Script("reading traces", ["report_speed.py", "--json", "--python", SYSTEM], 6),
}


class Failure(Exception):
    """The script has no answer, with the reason in one line."""


def ask(name, tools):
    command = SCRIPTS[name].command
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

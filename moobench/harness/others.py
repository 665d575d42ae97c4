"""What the other scripts of this folder measure: programs, start-up, logs and streams. Each is run once, and answers in JSON.

A new one is a row in SCRIPTS. An answer is kept by the journal, so that promises can be judged again without measuring.
"""
import dataclasses
import json
import os
import subprocess
import sys

import measuring
from harness import children, context

TIMEOUT_S = 900


@dataclasses.dataclass(frozen=True)
class Script:
    subject: str
    command: list
    expected_s: float


# In commands: one interpreter of each minor version, the one that programs are measured on, the system's.
EACH, REFERENCE, SYSTEM = "EACH", "REFERENCE", "SYSTEM"
REFERENCE_VERSION = "3.12."

# Only answers to these are looked at by the table of promises and by pages.
SCRIPTS = {
    "floor": Script("what the floor is made of", ["floor_parts.py", "--json"], 2),
    "instructions": Script("instructions of a call, counted", ["instructions.py", "--json", EACH], 200),
    "slowdown": Script("sixteen programs", ["slowdown.py", "--quick", "--rounds", "7", "--config", "opcode", "--config", "viztracer",
                                            "--json", REFERENCE], 110),
    "native_calls": Script("functions in C, and start-up with rules for them", ["native_calls.py", "--json", SYSTEM], 60),
    "start": Script("start-up", ["start_speed.py", "--json", EACH], 30),
    "size": Script("size of traces", ["trace_size.py", "--json", SYSTEM], 3),
    "sinks": Script("live outputs", ["sink_speed.py", "--json"], 20),
    "serve": Script("kprobe serve", ["serve_speed.py", "--json"], 40),
    "import": Script("reading Kieker's logs", ["import_speed.py", "--json"], 15),
    "report": Script("reading traces", ["report_speed.py", "--json", SYSTEM], 6),
}


class Failure(Exception):
    """The script has no answer, with the reason in one line."""


def chosen():
    """Paths of interpreters by the words of commands."""
    each = measuring.interpreters.one_of_each_minor((3, 8))
    reference = [python for python in each if measuring.version_of(python).startswith(REFERENCE_VERSION)]
    system = [python for python in each if python.startswith("/usr/")]
    return {EACH: each, REFERENCE: reference or each[-1:], SYSTEM: system[:1] or each[-1:]}


def command_of(name):
    words, pythons = SCRIPTS[name].command, chosen()
    command = [sys.executable, os.path.join(context.MOOBENCH, words[0])]
    for word in words[1:]:
        command += [part for python in pythons[word] for part in ("--python", python)] if word in pythons else [word]
    return command


def ask(name, tools):
    command = command_of(name) + ["--tools", tools]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=TIMEOUT_S, preexec_fn=children.die_with_us)
    except subprocess.TimeoutExpired:
        raise Failure("%s did not end within %d s" % (os.path.basename(command[1]), TIMEOUT_S)) from None
    try:
        return json.loads(done.stdout)
    except ValueError:
        said = (done.stderr.strip() or done.stdout.strip() or "status %d" % done.returncode).splitlines()[-1]
        raise Failure("%s: %s" % (os.path.basename(command[1]), said)) from None

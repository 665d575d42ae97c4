"""Where programs traced by kprobe send what they record, and what is there afterwards."""
import json
import os
import re
import subprocess

from harness import receivers
from peers import Failure

# By kinds of the program's output, what comes before the place in KPROBE_OUTPUT.
KINDS = {"null": "null:", "file": "file:", "kieker-binary": "kieker-binary:", "kieker-text": "kieker-text:",
         "tcp": "tcp://", "kieker-tcp": "kieker-tcp://", "kieker-tcp.java": "kieker-tcp://"}
ENGINE = re.compile(r"is traced by the (\w+) engine")
WRONG = re.compile(r"kprobe: (?:warning|error): .*")
COMPLETE = re.compile(r"the trace is complete: (\d+) calls made, (\d+) of them lost")


def bytes_in(place):
    if os.path.isfile(place):
        return os.path.getsize(place)
    return sum(os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(place) for name in names)


class Destination:
    """A context manager; `output` is what KPROBE_OUTPUT has to be, `options` more of KPROBE_'s. When the program has ended,
    `fill_in` completes its model.Run."""

    def __init__(self, kind, context):
        self.kind, self.context, self.receiver = kind, context, None
        self.place = os.path.join(context.folder, "recorded" + (".kpt" if kind == "file" else ""))
        self.log = os.path.join(context.folder, "kprobe.log")
        self.output = KINDS[kind] + self.place if kind != "null" else KINDS[kind]
        # The end of the program waits for slow places: all that is lost is lost while it ran.
        self.options = {"LOG": "info", "LOG_FILE": self.log, "SPOOL": context.folder, "LINGER": "60s"}

    def __enter__(self):
        if self.kind.endswith(".java"):
            self.receiver = receivers.Original(self.context)
        elif self.kind.endswith("tcp"):
            self.receiver = receivers.Serve(self.context, "trace")
            self.place = self.receiver.output
        if self.receiver:
            self.output = "%s127.0.0.1:%d" % (KINDS[self.kind], self.receiver.port)
        return self

    def __exit__(self, *failure):
        if self.receiver:
            self.receiver.end()

    def _log(self):
        with open(self.log, errors="replace") as log:
            return log.read()

    def engine(self):
        """That the shim took, by its own account; None: it traces no Python."""
        found = ENGINE.search(self._log())
        return found and found.group(1)

    def _said(self):
        """Calls made and lost, likewise."""
        text = self._log()
        wrong, found = WRONG.search(text), COMPLETE.search(text)
        if not found:
            raise Failure(wrong.group() if wrong else "kprobe did not complete a trace")
        return map(int, found.groups())

    def _there(self):
        """Calls that are in the trace or log, or came to the receiver."""
        if self.kind.endswith(".java"):
            return self.receiver.befores
        paths = [self.place]
        if self.receiver:
            paths = [os.path.join(self.place, name) for name in sorted(os.listdir(self.place))]
        said = subprocess.run([self.context.kprobe, "info", "--json"] + paths, check=True, timeout=120, stdout=subprocess.PIPE)
        return json.loads(said.stdout)["calls"]

    def account(self, expected):
        """(recorded, lost, bytes or None). Fails when of the calls that were made some were neither recorded nor counted as lost."""
        made, lost = self._said()
        if self.receiver:
            self.receiver.finish()
        there = made - lost if self.kind == "null" else self._there()
        if made != expected or there + lost != made:
            raise Failure("%d calls were made, %d seen, %d recorded and %d lost" % (expected, made, there, lost))
        return there, lost, None if self.kind == "null" else self.receiver.bytes if self.receiver else bytes_in(self.place)

    def fill_in(self, run):
        run.calls_recorded, run.calls_lost, run.recorded_bytes = self.account(run.calls_made)

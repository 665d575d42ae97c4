"""Where programs traced by kprobe send what they record, and what is there afterwards."""
import json
import os
import re
import subprocess

from harness import receivers
from peers import Failure

# By kinds of the program's output, what comes before the place in KPROBE_OUTPUT.
KINDS = {"null": "null:", "file": "file:", "kieker-binary": "kieker-binary:", "kieker-text": "kieker-text:",
         "tcp": "tcp://", "kieker-tcp": "kieker-tcp://"}
COMPLETE = re.compile(r"the trace is complete: (\d+) calls made, (\d+) of them lost")


def bytes_in(place):
    if os.path.isfile(place):
        return os.path.getsize(place)
    return sum(os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(place) for name in names)


class Destination:
    """A context manager; `output` is what KPROBE_OUTPUT has to be, `options` more of KPROBE_'s. When the program has ended,
    `fill_in` completes its model.Run."""

    def __init__(self, kind, context):
        self.kind, self.context, self.serve = kind, context, None
        self.place = os.path.join(context.folder, "recorded" + (".kpt" if kind == "file" else ""))
        self.log = os.path.join(context.folder, "kprobe.log")
        self.output = KINDS[kind] + self.place if kind != "null" else KINDS[kind]
        # The end of the program waits for slow places: all that is lost is lost while it ran.
        self.options = {"LOG": "info", "LOG_FILE": self.log, "SPOOL": context.folder, "LINGER": "60s"}

    def __enter__(self):
        if self.kind.endswith("tcp"):
            self.serve = receivers.Serve(self.context, "trace")
            self.place = self.serve.output
            self.output = "%s127.0.0.1:%d" % (KINDS[self.kind], self.serve.port)
        return self

    def __exit__(self, *failure):
        if self.serve:
            self.serve.end()

    def _said(self):
        """Calls made and lost by the shim's own account."""
        with open(self.log, errors="replace") as log:
            found = COMPLETE.search(log.read())
        if not found:
            raise Failure("kprobe did not complete a trace")
        return map(int, found.groups())

    def _there(self):
        """Calls that are in the trace or log."""
        paths = [self.place]
        if self.serve:
            paths = [os.path.join(self.place, name) for name in sorted(os.listdir(self.place))]
        said = subprocess.run([self.context.kprobe, "info", "--json"] + paths, check=True, timeout=120, stdout=subprocess.PIPE)
        return json.loads(said.stdout)["calls"]

    def fill_in(self, run):
        """Fails when calls were made that were neither recorded nor counted as lost."""
        made, lost = self._said()
        if self.serve:
            self.serve.finish()
        there = made - lost if self.kind == "null" else self._there()
        if made != run.calls_made or there + lost != made:
            raise Failure("%d calls were made, %d seen, %d recorded and %d lost" % (run.calls_made, made, there, lost))
        run.calls_recorded, run.calls_lost = there, lost
        run.recorded_bytes = None if self.kind == "null" else self.serve.bytes if self.serve else bytes_in(self.place)

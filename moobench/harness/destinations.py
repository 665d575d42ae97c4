"""Where programs traced by kprobe send what they record, and what is there afterwards."""
import json
import os
import re
import subprocess
import sys
import time

from harness import children
from harness import context as places

# By kinds of the program's output, what comes before the place in KPROBE_OUTPUT.
KINDS = {"null": "null:", "file": "file:", "kieker-binary": "kieker-binary:", "kieker-text": "kieker-text:",
         "tcp": "tcp://", "kieker-tcp": "kieker-tcp://"}
LOST = re.compile(r"(\d+) calls (?:are not in the log|did not get there)")
# The metrics of bytes are those of the collector's last tick.
TICKS_S = 0.15


def _server(kprobe, folder, place):
    os.environ.setdefault("KPROBE", kprobe)
    sys.path.append(os.path.join(places.TOP, "tests", "serve"))
    import server
    server.KPROBE = kprobe
    return server.Server(folder, output="trace:" + place, preexec_fn=children.die_with_us)


def bytes_in(place):
    if os.path.isfile(place):
        return os.path.getsize(place)
    return sum(os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(place) for name in names)


class Destination:
    """A context manager; `output` is what KPROBE_OUTPUT has to be, `options` more of KPROBE_'s. When the program has ended:

        calls()     (recorded, lost): None, None for nowhere; calls that only have a begin count as recorded
        bytes()     that were written, or sent to the collector
    """

    def __init__(self, kind, tools, folder):
        self.kind, self.tools, self.folder = kind, tools, folder
        self.place = os.path.join(folder, "recorded" + (".kpt" if kind == "file" else ""))
        self.log = os.path.join(folder, "kprobe.log")
        self.server, self.received = None, None
        self.output = KINDS[kind] + self.place if kind != "null" else KINDS[kind]
        # The end of the program waits for slow places: all that is lost is lost while it ran.
        self.options = {"LOG_FILE": self.log, "SPOOL": folder, "LINGER": "60s"}

    def __enter__(self):
        if self.kind.endswith("tcp"):
            os.mkdir(self.place)
            self.server = _server(os.path.join(self.tools, "kprobe"), self.folder, self.place)
            self.output = "%s127.0.0.1:%d" % (KINDS[self.kind], self.server.address()[1])
        return self

    def __exit__(self, *failure):
        if self.server and self.server.process.poll() is None:
            self.server.kill()

    def _settle(self):
        """All that was sent is in the collector's files."""
        if self.server and self.received is None:
            while self.server.metric("peers"):
                time.sleep(0.02)
            time.sleep(TICKS_S)
            self.received = self.server.metric("bytes_received")
            self.server.stop()

    def _said(self):
        try:
            with open(self.log, errors="replace") as log:
                return log.read()
        except FileNotFoundError:
            return ""

    def _traces(self):
        if not self.server:
            return [self.place]
        return [os.path.join(self.place, name) for name in sorted(os.listdir(self.place))]

    def calls(self):
        if self.kind == "null":
            return None, None
        self._settle()
        said = subprocess.run([os.path.join(self.tools, "kprobe"), "info", "--json"] + self._traces(), check=True, timeout=120,
                              stdout=subprocess.PIPE)
        info = json.loads(said.stdout)
        return info["calls"], info["calls_lost"] + sum(map(int, LOST.findall(self._said())))

    def bytes(self):
        if self.kind == "null":
            return 0
        self._settle()
        return self.received if self.server else bytes_in(self.place)

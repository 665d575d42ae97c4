"""LTTng-UST: tracepoints with one integer at the begin and the end of each call, to a session daemon of our own."""
import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import time

import measuring
from harness import children, destinations, driver, native
from harness.model import Configuration
from peers import Failure

CONFIGURATIONS = [
    Configuration("lttng.inactive", "LTTng-UST, tracepoints off", "c", "lttng", "inactive", baseline="none.c.plt"),
    Configuration("lttng.file", "LTTng-UST", "c", "lttng", "file", baseline="none.c.plt"),
]
TOOLS = ("lttng", "lttng-sessiond", "lttng-consumerd", "babeltrace2")
PATHS = os.pathsep.join((os.environ.get("PATH", ""), "/usr/lib/x86_64-linux-gnu/lttng/libexec", "/usr/lib/lttng/libexec"))
START_S = 20


def absent(configuration, cell, context):
    missing = [tool for tool in TOOLS if not shutil.which(tool, path=PATHS)]
    if missing:
        return "no %s (Debian: lttng-tools, babeltrace2)" % ", ".join(missing)
    return native.absence(context.work, "lttng")


def _processor_ns(pid):
    """Of a process with all its threads, and of its children."""
    total = 0
    with contextlib.suppress(FileNotFoundError):
        for thread in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/children" % (pid, thread)) as children_of:
                total += sum(map(_processor_ns, map(int, children_of.read().split())))
        with open("/proc/%d/stat" % pid) as stat:
            fields = stat.read().rsplit(") ", 1)[1].split()
        total += (int(fields[11]) + int(fields[12])) * 1000000000 // os.sysconf("SC_CLK_TCK")
    return total


class Session:
    """A session daemon with one session. Its sockets are in `home`; root's are always in /var/run/lttng, so root has a /var/run
    of its own for the daemon and those that talk to it: `prefix` brings a command there."""

    def __init__(self, folder):
        # Sockets are in `home`: the path has to be short.
        self.home, self.place, self.prefix = tempfile.mkdtemp(prefix="kprobe-lttng-"), os.path.join(folder, "recorded"), []
        self.environment = measuring.environment()
        # The program waits until the daemon has told it what to record.
        self.environment.update(LTTNG_HOME=self.home, LTTNG_UST_REGISTER_TIMEOUT="-1", PATH=PATHS)
        command = ["lttng-sessiond", "--no-kernel", "--quiet"]
        if os.geteuid() == 0:
            command = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /var/run && exec "$@"', "sh"] + command
        self.said = open(os.path.join(folder, "sessiond.log"), "w+")
        self.process = subprocess.Popen(command, env=self.environment, stdin=subprocess.DEVNULL, stdout=self.said,
                                        stderr=subprocess.STDOUT, preexec_fn=children.die_with_us)
        if os.geteuid() == 0:
            self.prefix = ["nsenter", "--target", str(self.process.pid), "--mount"]

    def __enter__(self):
        try:
            self._wait()
            self.tell("create", "moobench", "--output=" + self.place)
            # As much as can be before events are discarded, which is what happens rather than waiting.
            self.tell("enable-channel", "--userspace", "--discard", "--subbuf-size=4M", "--num-subbuf=8", "calls")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *failure):
        self.process.terminate()
        try:
            self.process.wait(START_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.said.close()
        shutil.rmtree(self.home, ignore_errors=True)

    def _wait(self):
        end = time.monotonic() + START_S
        while self._lttng("list").returncode:
            if time.monotonic() > end or self.process.poll() is not None:
                self.said.seek(0)
                raise Failure("no session daemon: " + (self.said.read().strip().splitlines() or ["it says nothing"])[-1])
            time.sleep(0.1)

    def _lttng(self, *words):
        return subprocess.run(self.prefix + ["lttng", "--no-sessiond", *words], env=self.environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)

    def tell(self, *words):
        done = self._lttng(*words)
        if done.returncode:
            raise Failure("lttng %s: %s" % (words[0], (done.stdout.strip().splitlines() or ["?"])[-1]))
        return done.stdout

    def discarded(self):
        return sum(map(int, re.findall(r"[Dd]iscarded events: *(\d+)", self.tell("list", "moobench"))))


def _events(place):
    if not any("metadata" in names for _, _, names in os.walk(place)):
        return 0    # no program had a tracepoint
    done = subprocess.run(["babeltrace2", place, "--component=sink.utils.counter"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=300)
    found = re.findall(r"(\d+) Event messages", done.stdout)
    if done.returncode or not found:
        raise Failure("babeltrace2: " + (done.stdout.strip().splitlines() or ["?"])[-1])
    return int(found[-1])


def run(configuration, cell, context):
    program = native.driver(context.work, "lttng")
    with Session(context.folder) as session:
        active = configuration.kind != "inactive"
        if active:
            session.tell("enable-event", "--userspace", "--channel=calls", "moobench:*")
        session.tell("start")
        before = _processor_ns(session.process.pid)
        run = driver.run(session.prefix + [program], cell.parameters, context.folder, session.environment)
        session.tell("stop")
        run.process_cpu_ns += _processor_ns(session.process.pid) - before
        run.notes.append("the writer's processor time includes what the daemon does for a new program")
        discarded = session.discarded()
        session.tell("destroy", "moobench")
    if not active:
        run.calls_recorded, run.calls_lost, run.recorded_bytes = 0, 0, 0
        return run
    events = _events(session.place)
    if events + discarded != 2 * run.calls_made:
        raise Failure("%d calls were made, but %d events recorded and %d discarded" % (run.calls_made, events, discarded))
    # A call is there when both its events are; which were discarded is not known.
    run.calls_lost = -(-discarded // 2)
    run.calls_recorded = run.calls_made - run.calls_lost
    run.recorded_bytes = destinations.bytes_in(session.place)
    return run

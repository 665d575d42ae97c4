"""Who takes what is sent: `kprobe serve`, and Kieker's own receiver. On free ports of the loopback, ended in any case."""
import contextlib
import functools
import os
import re
import shutil
import subprocess
import sys
import time

from harness import children
from harness import context as contexts
from peers import Failure

sys.path[:0] = [os.path.join(contexts.TOP, "tests", folder) for folder in ("interop", "serve")]
import originals  # noqa: E402

RECEIVER = os.path.join(contexts.MOOBENCH, "receivers", "CountingReceiver.java")
LIMIT_S = 60
# The metrics of bytes are those of the server's last tick.
TICK_S = 0.15


def start_server(context, kind):
    os.environ.setdefault("KPROBE", context.kprobe)
    import server
    server.KPROBE = context.kprobe
    folder = os.path.join(context.folder, "serve")
    os.makedirs(folder)
    try:
        return server.Server(folder, output="%s:%s" % (kind, os.path.join(folder, "out")), preexec_fn=children.die_with_us)
    except AssertionError as error:
        raise Failure("kprobe serve: " + str(error).splitlines()[0]) from error


class Serve:
    """`kprobe serve`: `port`, then `finish`, then what is in the folder `output`, and of Kieker's records how many `befores`."""

    def __init__(self, context, kind):
        self.server = start_server(context, kind)
        self.port = self.server.address()[1]
        self.output = os.path.join(self.server.folder, "out")
        self.befores = self.bytes = 0

    def finish(self):
        """When everything that was sent was taken."""
        import server
        try:
            server.wait_until(self.is_idle, "all peers had ended", LIMIT_S)
            time.sleep(TICK_S)
            metrics = self.server.status()["metrics"]
            self.befores, self.bytes = metrics["records_before"], metrics["bytes_received"]
            self.server.stop()
        except (AssertionError, subprocess.SubprocessError) as error:
            raise Failure("kprobe serve: " + str(error).splitlines()[0]) from error

    def is_idle(self):
        metrics = self.server.status()["metrics"]
        return metrics["connections"] > 0 and metrics["peers"] == 0

    def end(self):
        if self.server.process.poll() is None:
            self.server.kill()


class Original:
    """Kieker's TCP source stage and a stage that counts: `port`, then `finish`, then `befores`. It does not say how many bytes."""

    bytes = None

    def __init__(self, context):
        java = compiled(context.work)
        self.port = originals.free_port()
        command = java.command("CountingReceiver", str(self.port))
        self.errors = open(os.path.join(context.folder, "receiver.errors"), "w+", encoding="utf-8")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
                                        preexec_fn=children.die_with_us)
        self.befores = 0
        try:
            originals.wait_for_listener(self.process, self.port)
        except AssertionError as error:
            self.end()
            raise Failure("Kieker's receiver: %s" % error) from error

    def finish(self):
        try:
            printed, _ = self.process.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            raise Failure("Kieker's receiver did not end") from None
        self.errors.seek(0)
        complaints = [line.strip() for line in self.errors if " ERROR " in line or "Exception" in line]
        found = re.fullmatch(rb"records \d+ befores (\d+)\n", printed)
        if complaints or not found:
            raise Failure("Kieker's receiver: " + (complaints or ["it ended before its time"])[0])
        self.befores = int(found.group(1))

    def end(self):
        self.process.kill()
        self.process.wait()
        self.errors.close()


@functools.lru_cache(maxsize=None)
def compiled(work):
    try:
        return originals.Java(work, sources=[RECEIVER])
    except SystemExit as error:
        raise Failure("Kieker's receiver does not compile: %s" % error) from error


@functools.lru_cache(maxsize=None)
def original_absent():
    """None, or why there is no receiver of Kieker's."""
    for tool in ("java", "javac"):
        if not shutil.which(tool):
            return "no %s" % tool
    done = subprocess.run([os.path.join(contexts.TOP, "scripts", "kieker-jars")], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          stdin=subprocess.DEVNULL, text=True)
    return "Kieker's jars cannot be had: " + (done.stderr.strip().splitlines() or ["?"])[-1] if done.returncode else None


@contextlib.contextmanager
def ending(receiver):
    try:
        yield receiver
    finally:
        receiver.end()

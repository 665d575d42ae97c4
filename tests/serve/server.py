"""A `kprobe serve` under test, on free ports of the loopback."""
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

KPROBE = os.environ["KPROBE"]
LIMIT = 20  # seconds that anything may take


def wait_until(condition, what, limit=LIMIT):
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("waited %d s until %s" % (limit, what))
        time.sleep(0.01)


class Server:
    def __init__(self, folder, *arguments, listen=("tcp://127.0.0.1:0",), output=None, command=None, **more):
        self.folder, self.output = folder, output or os.path.join(folder, "out")
        self.control = os.path.join(folder, "control.sock")
        self.errors = os.path.join(folder, "errors.%d" % time.monotonic_ns())
        options = [option for address in listen for option in ("--listen", address)]
        if "--forward" not in arguments:
            options += ["--output", self.output]
        command = (command or []) + [KPROBE, "serve", "--control", self.control] + options + list(arguments)
        with open(self.errors, "wb") as errors:
            self.process = subprocess.Popen(command, stderr=errors, stdin=subprocess.DEVNULL, **more)
        wait_until(self.is_ready, "the server is up:\n" + self.said())

    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError("the server ended with %d:\n%s" % (self.process.returncode, self.said()))
        return os.path.exists(self.control)

    def said(self):
        with open(self.errors, errors="replace") as errors:
            return errors.read()

    def address(self, index=0):
        found = re.findall(r"listening on (?:tcp|tls)://([0-9.]+):(\d+)", self.said())
        return found[index][0], int(found[index][1])

    def status(self):
        done = subprocess.run([KPROBE, "serve", "--status", "--json", "--control", self.control],
                              stdout=subprocess.PIPE, timeout=LIMIT, check=True)
        return json.loads(done.stdout)

    def metric(self, name):
        return self.status()["metrics"][name]

    def wait_metric(self, name, value):
        wait_until(lambda: self.metric(name) >= value, "%s is %d" % (name, value))

    def stop(self, number=signal.SIGTERM, expected=0):
        if number and self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(LIMIT)
        assert expected is None or status == expected, "ended with %d:\n%s" % (status, self.said())
        return self.said()

    def kill(self):
        self.process.kill()
        self.process.wait(LIMIT)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.control)


@contextlib.contextmanager
def scene():
    """A folder, and the servers in it ended in any case."""
    folder, servers = tempfile.mkdtemp(prefix="kprobe-serve-"), []

    def start(*arguments, **more):
        servers.append(Server(start.folder, *arguments, **more))
        return servers[-1]

    try:
        start.folder = folder
        yield start
    except BaseException:
        for server in servers:
            sys.stderr.write("--- a server said:\n" + server.said())
        raise
    finally:
        for server in servers:
            if server.process.poll() is None:
                server.kill()
        shutil.rmtree(folder, ignore_errors=True)


def files(folder, ending=".kpt"):
    return sorted(os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(ending))


def kprobe(*arguments, expected=0):
    done = subprocess.run([KPROBE, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    text = done.stdout.decode(errors="replace")
    assert expected is None or done.returncode == expected, "kprobe %s: %d\n%s" % (arguments, done.returncode, text)
    return text


def verify(*paths):
    return kprobe("verify", *paths)


def run(tests):
    """Each function, with its time; the first failure ends it."""
    wanted = sys.argv[1:]
    for test in tests:
        if wanted and test.__name__ not in wanted:
            continue
        start = time.monotonic()
        test()
        print("%-40s %6.2f s" % (test.__name__, time.monotonic() - start), flush=True)

#!/usr/bin/env python3
"""Real programs under the real shim, to each kind of output; collectors that are killed while the programs run."""
import os
import subprocess
import sys
import time

import kieker
from server import files, kprobe, run, scene, verify, wait_until

SHIM = os.environ.get("SHIM", "")
PROGRAM = """
import os, sys, threading, time
def leaf(n): return n
def work(n):
    for i in range(n): leaf(i)
threads = [threading.Thread(target=work, args=(int(sys.argv[1]),)) for _ in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
while len(sys.argv) > 2 and not os.path.exists(sys.argv[2]): time.sleep(0.01)
if os.fork() == 0:
    work(1000)
    os._exit(0)
os.wait()
"""


def start_program(server, count, *arguments, **more):
    host, port = server.address()
    environment = dict(os.environ, LD_PRELOAD=SHIM, KPROBE_OUTPUT="tcp://%s:%d" % (host, port), KPROBE_ON_FULL="block",
                       KPROBE_FILTER="+__main__.*", KPROBE_LINGER="20s", KPROBE_SPOOL=server.folder, **more)
    return subprocess.Popen([sys.executable, "-c", PROGRAM, str(count), *arguments], env=environment, stderr=subprocess.PIPE)


def finish(program):
    _, errors = program.communicate(timeout=60)
    assert program.returncode == 0 and not errors, (program.returncode, errors.decode())


def leaves(*paths):
    return sum(line.split("\t")[3] == "enter" and line.split("\t")[5] == "__main__.leaf"
               for line in kprobe("dump", *paths).splitlines())


def test_traces():
    with scene() as start:
        server = start()
        programs = [start_program(server, 5000) for _ in range(3)]
        for program in programs:
            finish(program)
        server.wait_metric("sections_ended", 6)
        server.stop()
        verify(*files(server.output))
        assert leaves(*files(server.output)) == 3 * 16000


def test_kieker_log():
    with scene() as start:
        out = os.path.join(start.folder, "logs")
        server = start("--merge", output="kieker-binary:" + out)
        finish(start_program(server, 5000))
        server.wait_metric("sections_ended", 2)
        server.stop()
        records = kieker.read_binary(kieker.logs(out)[0])
        kieker.check_traces(records)
        assert sum(record[0] == kieker.BEFORE and "leaf" in record[5] for record in records) == 16000


def test_forwarded_as_kieker():
    with scene() as start:
        folder = start.folder
        start.folder = os.path.join(folder, "next")
        os.mkdir(start.folder)
        following = start()
        start.folder = folder
        server = start("--forward", "kieker-tcp://%s:%d" % following.address())
        finish(start_program(server, 5000))
        server.wait_metric("sections_ended", 2)
        server.stop()
        wait_until(lambda: following.metric("streams_ended") == 1, "all is over")
        following.stop()
        verify(*files(following.output))
        assert sum("\tenter\t" in line for line in kprobe("dump", *files(following.output)).splitlines()) >= 16000


def test_killed_collector():
    """SIGKILL for the collector again and again while a program runs: every call arrives, once."""
    with scene() as start:
        server = start()
        address = "tcp://%s:%d" % server.address()
        go_on = os.path.join(start.folder, "go-on")
        program = start_program(server, 100000, go_on, KPROBE_LOG="error")
        for _ in range(5):
            time.sleep(0.15)
            server.kill()
            time.sleep(0.05)
            server = start(listen=(address,))
        server.wait_metric("peers", 1)  # a program that ends while nobody is there leaves the rest in a file of its own
        with open(go_on, "w"):
            pass
        finish(program)
        wait_until(lambda: server.metric("peers") == 0, "all is over")
        server.stop()
        verify(*files(server.output))
        text = kprobe("report", *files(server.output))
        assert leaves(*files(server.output)) == 301000, text


if not os.path.exists(SHIM):
    print("no shim (SHIM)")
    sys.exit(77)
run([value for name, value in list(globals().items()) if name.startswith("test_")])

#!/usr/bin/env python3
"""Whether live outputs keep up: calls lost at a steady rate, and what a record costs the writer thread.

A C program calls an exported function so many times a second; each call is two records. Where the trace goes is told by what
arrives there: bytes of a log or a stream. The writer's processor time for a record does not depend on what else the
machine does, the loss does: so a rate is missed when records are missing, and the share of a processor says what is left.
"""
import argparse
import glob
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

import measuring

HERE = os.path.dirname(os.path.abspath(__file__))
NATIVE = os.path.join(HERE, "native")
RECORD_BYTES = 40  # of a Before or After event in binary form
OUTPUTS = ("null", "file", "kieker-binary", "kieker-text", "kieker-tcp")


class Sponge:
    """Takes everything that comes and counts it."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen()
        self.bytes = 0
        self.thread = threading.Thread(target=self.take, daemon=True)
        self.thread.start()

    def take(self):
        peer, _ = self.listener.accept()
        buffer = bytearray(1 << 20)
        while True:
            count = peer.recv_into(buffer)
            if not count:
                return
            self.bytes += count


def build(folder):
    compiler = shutil.which("cc") or "gcc"
    library, program = os.path.join(folder, "libcallee.so"), os.path.join(folder, "paced")
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-Wl,-soname,libcallee.so", "-o", library,
                    os.path.join(NATIVE, "callee.c")], check=True)
    subprocess.run([compiler, "-O2", "-o", program, os.path.join(NATIVE, "paced.c"), "-L" + folder, "-lcallee",
                    "-Wl,-rpath," + folder], check=True)
    return program


def run(program, shim, output, rate, seconds, folder):
    """Calls made, seconds, writer's ns, records that arrived (None: not known)."""
    place = tempfile.mkdtemp(dir=folder)
    sponge = Sponge() if output == "kieker-tcp" else None
    where = {"null": "null:", "file": "file:" + place + "/x.kpt"}.get(output) or (
        "kieker-tcp://127.0.0.1:%d" % sponge.listener.getsockname()[1] if sponge else "%s:%s/log" % (output, place))
    environment = measuring.environment(shim, OUTPUT=where, FILTER="libcallee.so:*", LINGER="30s", SPOOL=place)
    done = subprocess.run([program, str(rate), str(seconds)], env=environment, check=True, capture_output=True, text=True)
    made, took, writer = done.stdout.split()
    records = None
    if sponge:
        sponge.thread.join(30)
        records = sponge.bytes // RECORD_BYTES
    elif output == "kieker-binary":
        records = sum(os.stat(path).st_size for path in glob.glob(place + "/log/*.bin")) // RECORD_BYTES
    elif output == "kieker-text":
        records = sum(sum(block.count(b"\n") for block in iter(lambda f=file: f.read(1 << 20), b""))
                      for file in (open(path, "rb") for path in glob.glob(place + "/log/*.dat")))
    shutil.rmtree(place)
    return int(made), float(took), int(writer), records


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tools", default=measuring.DEFAULT_TOOLS, help="folder of libkprobe.so (a release build)")
    parser.add_argument("--records", type=float, default=5e6, help="records a second")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("outputs", nargs="*", default=OUTPUTS, metavar="OUTPUT", help=", ".join(OUTPUTS))
    parser.add_argument("--check", action="store_true", help="status 1 when records are missing")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    shim, rows = measuring.library(arguments.tools), []
    with tempfile.TemporaryDirectory() as folder:
        program = build(folder)
        for output in arguments.outputs:
            made, took, writer, records = run(program, shim, output, arguments.records / 2, arguments.seconds, folder)
            rows.append({"output": output, "rate": 2 * made / took, "writer_ns": writer / (2 * made),
                         "writer_share": writer / 1e9 / took,
                         "lost": max(2 * made - records, 0) if records is not None else None})
            if not arguments.json:
                show(rows[-1], len(rows) == 1)
    if arguments.json:
        json.dump(rows, sys.stdout, indent=1)
        print()
    return 1 if arguments.check and any(row["lost"] for row in rows) else 0


def show(row, first):
    if first:
        print("output           records/s   writer ns/record   of a processor   records lost")
    print("%-14s %9.2f M %18.1f %15.0f%% %14s" % (row["output"], row["rate"] / 1e6, row["writer_ns"], 100 * row["writer_share"],
                                               "-" if row["lost"] is None else row["lost"]), flush=True)


if __name__ == "__main__":
    sys.exit(main())

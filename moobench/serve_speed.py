#!/usr/bin/env python3
"""How many Kieker records a second `kprobe serve` takes from 8 peers, for each kind of output; senders on the same machine.

    serve_speed.py --tools BIN [--records N] [--peers N] [--only NAME]

BIN holds kprobe and serve_sender. The goal is 2 million records a second on two cores.
"""
import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time


def start(tools, folder, *options):
    path = os.path.join(folder, "errors")
    control = os.path.join(folder, "control")
    with open(path, "wb") as errors:
        server = subprocess.Popen([os.path.join(tools, "kprobe"), "serve", "--listen", "tcp://127.0.0.1:0", "--control",
                                   control, *options], stderr=errors)
    end = time.monotonic() + 20
    while not os.path.exists(control):
        if time.monotonic() > end or server.poll() is not None:
            raise SystemExit(open(path).read())
        time.sleep(0.01)
    with open(path) as said:
        port = re.search(r"listening on tcp://127\.0\.0\.1:(\d+)", said.read()).group(1)
    return server, port, path


def stop(server, said):
    server.send_signal(signal.SIGTERM)
    if server.wait(60):
        raise SystemExit(open(said).read())


def measure(tools, name, peers, records, *options, before=None):
    folder = tempfile.mkdtemp(prefix="kprobe-speed-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
    try:
        others = before(folder) if before else []
        options = [option.replace("%", folder) for option in options]
        server, port, said = start(tools, folder, *[option.format(*[other[1] for other in others]) for option in options])
        done = subprocess.run([os.path.join(tools, "serve_sender"), "127.0.0.1", port, str(peers), str(records)],
                              stdout=subprocess.PIPE, check=True)
        seconds, count = done.stdout.split()
        with open("/proc/%d/stat" % server.pid) as stat:
            fields = stat.read().rsplit(") ", 1)[1].split()
        cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        stop(server, said)
        for other in others:
            stop(other[0], other[2])
        return {"name": name, "rate": int(count) / float(seconds), "server_ns": 1e9 * cpu / int(count)}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tools", required=True)
    parser.add_argument("--records", type=int, default=1_000_000, help="of each peer")
    parser.add_argument("--peers", type=int, default=8)
    parser.add_argument("--only")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()

    def collector(folder):
        inner = os.path.join(folder, "next")
        os.mkdir(inner)
        return [start(arguments.tools, inner, "--output", inner)]

    cases = [
        ("trace", ["-o", "trace:%/out"], None),
        ("kieker-text", ["-o", "kieker-text:%/out"], None),
        ("kieker-text merged", ["-o", "kieker-text:%/out", "--merge"], None),
        ("kieker-binary", ["-o", "kieker-binary:%/out"], None),
        ("kieker-binary merged", ["-o", "kieker-binary:%/out", "--merge"], None),
        ("forward", ["-f", "tcp://127.0.0.1:{0}"], collector),
        ("forward kieker-tcp", ["-f", "kieker-tcp://127.0.0.1:{0}"], collector),
    ]
    rows = []
    for name, options, before in cases:
        if not arguments.only or arguments.only == name:
            rows.append(measure(arguments.tools, name, arguments.peers, arguments.records, *options, before=before))
            if not arguments.json:
                print("%-22s %6.2f M records/s   server %4.0f ns/record of one core" % (
                    name, rows[-1]["rate"] / 1e6, rows[-1]["server_ns"]), flush=True)
    if arguments.json:
        json.dump(rows, sys.stdout, indent=1)
        print()


if __name__ == "__main__":
    main()

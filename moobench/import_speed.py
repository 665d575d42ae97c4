#!/usr/bin/env python3
"""How fast a Kieker text log is read: writes one of four threads and fifty methods, then has `kprobe info` read it."""
import argparse
import json
import os
import random
import sys
import tempfile

from report_speed import peak_bytes, timed

CLASSES = ["kieker.common.record.flow.trace.TraceMetadata",
           "kieker.common.record.flow.trace.operation.BeforeOperationEvent",
           "kieker.common.record.flow.trace.operation.AfterOperationEvent"]
METHODS = [("public final java.lang.Object com.example.shop.service.Component%d.operation%d(java.lang.String,int)" % (i, i),
            "com.example.shop.service.Component%d" % i) for i in range(50)]
DEEPEST = 9


def write_log(folder, lines):
    """Traces of random shape, interleaved; returns the lines written and their bytes."""
    with open(os.path.join(folder, "kieker.map"), "w") as out:
        out.writelines("$%d=%s\n" % row for row in enumerate(CLASSES))
    chance = random.Random(1)
    stacks, orders, traces = [[], [], [], []], [0] * 4, [0] * 4
    time, newest, count = 1_700_000_000_000_000_000, 1 << 32, 0
    path = os.path.join(folder, "kieker-20250101-000000000-UTC-001.dat")
    with open(path, "w", buffering=1 << 20) as out:
        while count < lines or any(stacks):
            thread = chance.randrange(4)
            stack = stacks[thread]
            time += chance.randrange(50, 900)
            if not stack:
                if count >= lines:
                    continue
                newest += 1
                traces[thread], orders[thread] = newest, 0
                out.write("$0;%d;%d;%d;<no-session-id>;host;%d;-1\n" % (time, newest, thread + 10, newest))
                count += 1
            if not stack or (len(stack) < DEEPEST and count < lines and chance.random() < 0.5):
                kind = 1
                stack.append(chance.choice(METHODS))
                method = stack[-1]
            else:
                kind = 2
                method = stack.pop()
            out.write("$%d;%d;%d;%d;%d;%s;%s\n" % ((kind, time + 20, time, traces[thread], orders[thread]) + method))
            orders[thread] += 1
            count += 1
    return count, os.path.getsize(path)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tools", default=os.path.join(here, "..", "build", "release", "bin"))
    parser.add_argument("--lines", type=int, default=3_000_000)
    parser.add_argument("--min-rate", type=float, default=0, help="fail below so many million lines a second of processor time")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    kprobe = os.path.abspath(os.path.join(arguments.tools, "kprobe"))
    with tempfile.TemporaryDirectory() as folder:
        lines, size = write_log(folder, arguments.lines)
        command = [kprobe, "info", folder]
        elapsed, processor = min((timed(command) for _ in range(3)), key=lambda times: times[1])
        peak = peak_bytes(command)
    if arguments.json:
        print(json.dumps({"lines": lines, "rate": lines / processor, "peak_bytes": peak}))
    else:
        print("%.1f million lines, %.0f MB: imported and read in %.2f s, %.2f s of processor, %.2f million lines/s, "
              "peak memory %.1f MB" % (lines / 1e6, size / 1e6, elapsed, processor, lines / processor / 1e6, peak / 1e6))
    if arguments.min_rate and lines / processor / 1e6 < arguments.min_rate:
        sys.exit("import_speed: slower than %g million lines a second" % arguments.min_rate)


if __name__ == "__main__":
    main()

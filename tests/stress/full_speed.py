#!/usr/bin/env python3
"""Programs that do nothing but call, as fast as they can.

    full_speed.py lossless|threads|block|drop

lossless: with default settings one thread loses nothing; threads: nor do four. block: with the smallest ring and
on-full=block nothing is lost either. drop: with a writer that cannot keep up, calls are lost, and read + lost are
exactly those the program made. Every interpreter and engine found.
"""
import argparse
import json
import os
import subprocess
import sys

import tracing
from tracing import Failure, kprobe

REPEATS = 2


def run(cell, kind, threads, count, check_loss, prefix=(), **options):
    """Trace bursts.py and compare what it made with what the trace tells. Returns calls lost."""
    python, engine = cell
    with tracing.Folder() as folder:
        trace = folder.file("trace.kpt")
        env = tracing.environment(output="file:" + trace, engine=engine, **options)
        script = os.path.join(tracing.HERE, "bursts.py")
        done = subprocess.run([*prefix, python, "-S", script, kind, str(threads), str(count)], env=env,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300, check=False)
        if done.returncode or done.stderr:
            raise Failure("it ended with %d: %s" % (done.returncode, done.stderr.decode()))
        verdict = json.loads(kprobe("verify", "--json", trace))["processes"][0]
        report = json.loads(kprobe("report", "--filter", "__main__.step", "--json", trace))["functions"]
        made, read, lost = int(done.stdout), report[0]["calls"], verdict["calls_lost"]
        # Nearly all calls are step's: the others that may be among the lost are a few dozen.
        if not made - lost <= read <= made or made - read < lost - 100:
            raise Failure("%d calls made, %d read, %d lost" % (made, read, lost))
        check_loss(lost, made)
        return lost


def none_lost(lost, made):
    if lost:
        raise Failure("%d of %d calls lost" % (lost, made))


def some_lost(lost, made):
    if not lost:
        raise Failure("nothing was lost of %d calls: the writer was not slow enough for this test" % made)


def lossless(cell):
    for _ in range(REPEATS):
        run(cell, "recursion", 1, 2000000, none_lost)


def threads(cell):
    run(cell, "recursion", 4, 400000, none_lost)


def block(cell):
    run(cell, "flat", 2, 400000, none_lost, buffer="64K", on_full="block")


def drop(cell):
    # One core for program and writer, and a writer with much to do.
    run(cell, "flat", 1, 4000000, some_lost, prefix=["taskset", "-c", "0"], buffer="64K", compress="zstd:19")


KINDS = {kind.__name__: kind for kind in (lossless, threads, block, drop)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=sorted(KINDS))
    kind = parser.parse_args().kind
    failed = 0
    for cell in tracing.cells():
        try:
            KINDS[kind](cell)
            print("fine %s: %s, %s" % (kind, *cell), flush=True)
        except Failure as failure:
            failed += 1
            print("FAIL %s: %s, %s: %s" % (kind, *cell, failure), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""A mixed program takes at most five bytes a call pair on disk with default settings.

The program is the shop of scripts/demo: a web server with threads, SQLite, JSON, XML, templates, generators, imports and
exceptions. What `kprobe info` says must be what the file system says.
"""
import json
import os
import subprocess
import sys

import tracing
from tracing import Failure, kprobe

LIMIT = 5.0
SHOP = os.path.join(os.path.dirname(os.path.dirname(tracing.HERE)), "scripts", "demo_shop.py")


def measure(python, engine):
    with tracing.Folder() as folder:
        trace = folder.file("shop.kpt")
        env = tracing.environment(output="file:" + trace, engine=engine)
        subprocess.run([python, SHOP, "--requests", "800"], env=env, stdout=subprocess.DEVNULL, timeout=120, check=True)
        kprobe("verify", trace)
        info = json.loads(kprobe("info", "--json", trace))
        if info["calls_lost"] or info["bytes"] != os.path.getsize(trace):
            raise Failure("%d calls lost; info says %d bytes, the file has %d"
                          % (info["calls_lost"], info["bytes"], os.path.getsize(trace)))
        print("%5.2f bytes a call, %d calls: %s, %s" % (info["bytes"] / info["calls"], info["calls"], python, engine))
        if info["bytes"] > LIMIT * info["calls"]:
            raise Failure("more than %.0f bytes a call pair" % LIMIT)


def main():
    failed = 0
    for python, engine in tracing.cells():
        try:
            measure(python, engine)
        except (Failure, subprocess.SubprocessError) as failure:
            failed += 1
            print("FAIL %s, %s: %s" % (python, engine, failure))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

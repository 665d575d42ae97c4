"""So many calls of the driver's workload under one of its probes, for a counter of instructions; prints how many it made.

    peer.py WARM_UP CALLS PROBE [KEY=VALUE]...
"""
import os
import sys

import marks

DRIVER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "drivers", "python")
sys.path.insert(1, DRIVER)
import monitored_application  # noqa: E402
import probes  # noqa: E402

DEPTH = 10


def main():
    settings = dict(text.split("=", 1) for text in sys.argv[4:])
    probe = probes.load(sys.argv[3])(settings)
    untraced, traced = probe.methods(monitored_application.monitored_method)
    method = traced if probe.switchable else untraced

    def repeat(calls):
        made = 0
        while made < calls:
            method(0, DEPTH)
            made += DEPTH
        return made

    probe.on()
    probe.thread_on()
    marks.count(repeat)


if __name__ == "__main__":
    main()

"""kprobe, switched by its rule file: the rule set that matches nothing puts the interpreter as it was.

The shim reads the file again when it changes, in its own time. A region of ours, which the traced state alone selects,
tells which rules are in force.
"""
import os
import sys
import time

import probes

REGION = "moobench.switch"
OFF = "-*\n-manual:*\n"
LIMIT_S = 20


def on_rules(rules):
    return "%s\n+manual:%s\n" % (rules, REGION)


class Probe(probes.Probe):
    switchable = True

    def __init__(self, settings):
        super().__init__(settings)
        functions = {}
        sys.audit("kprobe.probes", functions)
        if not functions:
            raise SystemExit("kprobe is not in this process")
        self.file = settings["file"]
        self.wanted, self.handle = functions["wanted"], functions["region"](REGION)

    def change(self, text, wanted):
        with open(self.file + ".new", "w") as file:
            file.write(text)
        os.replace(self.file + ".new", self.file)
        end = time.monotonic() + LIMIT_S
        while self.wanted(self.handle) != wanted:
            if time.monotonic() > end:
                raise SystemExit("kprobe did not take the changed rules within %d s" % LIMIT_S)
            time.sleep(0.001)
        # The interpreter does the rest in its main thread, when that runs next.
        time.sleep(0.005)

    def on(self):
        self.change(on_rules(self.settings["rules"]), 1)

    def off(self):
        self.change(OFF, 0)

    def finish(self):
        # The writer wakes every 100 ms: what it does for the last block belongs to this run.
        time.sleep(0.2)

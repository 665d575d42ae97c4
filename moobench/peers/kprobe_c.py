"""kprobe on functions in C: exported functions through their slots, and inside their library by KPROBE_INLINE.

Switched off by a rule, a hooked function is not what it was before: so runs are compared with those of the untraced configuration.
"""
import dataclasses
import os

import measuring
from harness import destinations, driver, native
from harness.model import Configuration
from peers import Failure

RULE = native.LIBRARY + ":monitored_method"
# The library is looked at, and nothing in it is hooked.
INACTIVE = "+%s:*,-%s" % (native.LIBRARY, RULE)
KINDS = [("inactive", "no rule selects it", "inactive"), ("null", "nowhere", "null"), ("file", "file", "file"),
         ("kieker-text", "Kieker text log", "text"), ("kieker-binary", "Kieker binary log", "binary"),
         ("tcp", "kprobe serve", "tcp"), ("kieker-tcp", "Kieker TCP", "tcp")]

CONFIGURATIONS = [
    Configuration("kprobe.c.%s" % name, "kprobe C, %s" % label, "c", "kprobe_c", kind, engine="got", baseline="none.c.plt")
    for name, label, kind in KINDS
] + [
    Configuration("kprobe.c.inside.%s" % name, "kprobe C inside the library, %s" % label, "c", "kprobe_c", kind, engine="inline",
                  baseline="none.c.inside")
    for name, label, kind in KINDS[:3]
]


def variant(configuration):
    return "inside" if configuration.engine == "inline" else "plt"


def absent(configuration, cell, context):
    if configuration.engine == "inline" and not os.path.exists(os.path.join(context.tools, "libkprobe-inline.so")):
        return "libkprobe-inline.so was not built"
    return native.absence(context.work, variant(configuration))


def _traced(configuration, parameters, context, folder, kind):
    """A run, the calls that were recorded and lost, and the bytes that hold them."""
    program = native.driver(context.work, variant(configuration))
    with destinations.Destination(kind, context.tools, folder) as destination:
        environment = measuring.environment(
            context.shim, OUTPUT=destination.output, FILTER=INACTIVE if configuration.kind == "inactive" else RULE,
            INLINE="1" if configuration.engine == "inline" else None, **destination.options)
        run = driver.run([program], parameters, folder, environment)
        if configuration.kind == "inactive":
            if os.path.exists(destination.place):
                raise Failure("something was recorded, though no rule selects it")
            run.calls_recorded, run.calls_lost, run.recorded_bytes = 0, 0, 0
            return run
        run.calls_recorded, run.calls_lost = destination.calls()
        run.recorded_bytes = destination.bytes()
    if kind != "null" and run.calls_recorded + run.calls_lost != run.calls_made:
        raise Failure("%d calls were made, %d recorded and %d lost" % (run.calls_made, run.calls_recorded, run.calls_lost))
    return run


def run(configuration, cell, context):
    kind = {"inactive": "file"}.get(configuration.kind, configuration.name.rsplit(".", 1)[1])
    if kind == "null":
        # Nowhere leaves nothing to count: the same on a small scale, to a file, shows that calls are seen.
        folder = os.path.join(context.folder, "seen")
        os.mkdir(folder)
        few = dataclasses.replace(cell.parameters, invocations=10, blocks=1)
        _traced(configuration, few, context, folder, "file")
    return _traced(configuration, cell.parameters, context, context.folder, kind)

"""kprobe on functions in C: exported functions through their slots, and inside their library by KPROBE_INLINE.

Switched off by a rule, a hooked function is not what it was before: so runs are compared with those of the untraced configuration.
"""
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


def run(configuration, cell, context):
    program = native.driver(context.work, variant(configuration))
    inactive = configuration.kind == "inactive"
    with destinations.Destination("file" if inactive else configuration.name.rsplit(".", 1)[1], context) as destination:
        environment = measuring.environment(
            context.shim, OUTPUT=destination.output, FILTER=INACTIVE if inactive else RULE,
            INLINE="1" if configuration.engine == "inline" else None, **destination.options)
        result = driver.run([program], cell.parameters, context.folder, environment)
        if not inactive:
            destination.fill_in(result)
        elif os.path.exists(destination.place):
            raise Failure("something was recorded, though no rule selects it")
    return result

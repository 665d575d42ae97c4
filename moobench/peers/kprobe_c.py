"""kprobe on functions in C: exported functions through their slots, and inside their library by KPROBE_INLINE.

A hooked function that rules select no more is not what it was before: so runs do not alternate blocks, but are compared with those
of the untraced configuration.
"""
import os

import measuring
from harness import destinations, driver, native, receivers
from harness.model import Configuration
from peers import Failure

RULE = native.LIBRARY + ":monitored_method"
# The library is looked at, and nothing in it is hooked.
INACTIVE = "+%s:*,-%s" % (native.LIBRARY, RULE)
# Kieker's formats take the writer longer than the rings hold; of the rest any number.
KIEKER_MOST, ORIGINAL_MOST = 800_000, 400_000
# Behind kprobe.c: what tables say, the column, and the most calls.
KINDS = {"inactive": ("no rule selects it", "inactive", None), "null": ("nowhere", "null", None), "file": ("file", "file", None),
         "deselected": ("hooked, selected no more", "inactive", None),
         "kieker-text": ("Kieker text log", "text", KIEKER_MOST), "kieker-binary": ("Kieker binary log", "binary", KIEKER_MOST),
         "tcp": ("TCP to serve", "tcp", None), "kieker-tcp": ("Kieker TCP to serve", "tcp", KIEKER_MOST),
         "kieker-tcp.java": ("Kieker TCP to Kieker", "tcp", ORIGINAL_MOST)}
INSIDE = ("inactive", "null", "file")

GOT, INLINE = "kprobe.c.", "kprobe.c.inside."
CONFIGURATIONS = [
    Configuration(GOT + name, "kprobe C, " + label, "c", "kprobe_c", kind, engine="got", baseline="none.c.plt", most_calls=most)
    for name, (label, kind, most) in KINDS.items()
] + [
    Configuration(INLINE + name, "kprobe C inside the library, " + KINDS[name][0], "c", "kprobe_c", KINDS[name][1], engine="inline",
                  baseline="none.c.inside")
    for name in INSIDE
]


def variant(configuration):
    return "inside" if configuration.engine == "inline" else "plt"


def absent(configuration, cell, context):
    if configuration.engine == "inline" and not os.path.exists(os.path.join(context.tools, "libkprobe-inline.so")):
        return "libkprobe-inline.so was not built"
    if configuration.name.endswith(".java") and receivers.original_absent():
        return receivers.original_absent()
    return native.absence(context.work, variant(configuration))


def run(configuration, cell, context):
    name = configuration.name[len(INLINE if configuration.engine == "inline" else GOT):]
    kind = "file" if configuration.kind == "inactive" else name
    options, more = {"FILTER": INACTIVE if name == "inactive" else RULE}, []
    if name == "deselected":
        rules = os.path.join(context.folder, "rules")
        with open(rules, "w") as file:
            file.write(RULE + "\n")
        options, more = {"FILTER_FILE": rules}, ["--deselect", rules]
    if configuration.engine == "inline":
        options["INLINE"] = "1"
    program = native.driver(context.work, variant(configuration))
    with destinations.Destination(kind, context) as destination:
        environment = measuring.environment(context.shim, OUTPUT=destination.output, **options, **destination.options)
        result = driver.run([program], cell.parameters, context.folder, environment, more)
        if name == "deselected":
            # Those before the rules changed, and no others.
            destination.account(cell.parameters.depth * cell.parameters.threads)
        elif name != "inactive":
            destination.fill_in(result)
        elif os.path.exists(destination.place):
            raise Failure("something was recorded, though no rule selects it")
    return result

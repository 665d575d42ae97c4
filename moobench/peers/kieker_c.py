"""Kieker's pack for C, with gcc's -finstrument-functions, sending to kprobe serve. It is found by --kieker-c, built."""
import os

import measuring
from harness import driver, native, receivers
from harness.model import Configuration
from peers import Failure

# Each event is a write() of its own.
CONFIGURATIONS = [Configuration("kieker-c.tcp", "Kieker C, TCP", "c", "kieker_c", "tcp", baseline="none.c.plt", most_calls=200000)]
PLACES = ("", "lib", ".libs", "libkieker/.libs", os.path.join("source", "libkieker", ".libs"))


def _library(context):
    """Options that link with libkieker.so, None where it is not found."""
    top = context.options.get("kieker_c")
    for place in PLACES if top else ():
        folder = os.path.abspath(os.path.join(top, place))
        if os.path.exists(os.path.join(folder, "libkieker.so")):
            return ("-Wl,--no-as-needed", "-L" + folder, "-lkieker", "-Wl,-rpath," + folder)
    return None


def absent(configuration, cell, context):
    if not context.options.get("kieker_c"):
        return "is in no package: build libkieker from kieker-lang-pack-c, and say --kieker-c DIR"
    if not _library(context):
        return "no libkieker.so in %s" % context.options["kieker_c"]
    return native.absence(context.work, "cyg", libraries=_library(context))


def run(configuration, cell, context):
    if cell.parameters.threads > 1:
        raise Failure("its threads share one buffer: streams of several are damaged")
    program = native.driver(context.work, "cyg", libraries=_library(context))
    with receivers.ending(receivers.Serve(context, "trace")) as serve:
        environment = measuring.environment()
        environment.update(KIEKER_HOSTNAME="127.0.0.1", KIEKER_PORT=str(serve.port))
        result = driver.run([program], cell.parameters, context.folder, environment)
        serve.finish()
    if serve.befores != result.calls_made:
        raise Failure("%d calls were made, %d recorded" % (result.calls_made, serve.befores))
    result.calls_recorded, result.calls_lost, result.recorded_bytes = serve.befores, 0, serve.bytes
    return result

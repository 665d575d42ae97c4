"""kprobe with each of its engines: inactive, to nowhere, to a file; with the engine that it takes by itself, to all others.

Engines that follow the rule file alternate in one process; `frame` and `profile` stay attached, so they trace all the time. What
the shim says at its end (calls made, lost) has to be what the driver made, and what was written has to hold the rest.
"""
import functools
import json
import os
import subprocess

import measuring
from harness import destinations, model, python_driver, receivers
from peers import Failure

METHOD = "monitored_application." + python_driver.METHOD
SWITCHABLE = ("opcode", "monitoring", "auto")
# Kieker's formats take the writer longer than the rings hold; of the rest any number.
KIEKER_MOST, ORIGINAL_MOST = 800_000, 400_000


def configurations_of(engine):
    def make(kind, label):
        return model.Configuration("kprobe.%s.%s" % (engine, kind), "kprobe %s, %s" % (engine, label), "python", "kprobe",
                                   "inactive" if kind == "disabled" else kind, engine,
                                   switchable=engine in SWITCHABLE and kind != "disabled")
    return [make("disabled", "KPROBE_ENABLED=0"), make("inactive", "filtered out"), make("null", "nowhere"), make("file", "file")]


def by_itself(name, label, kind, most=None):
    return model.Configuration("kprobe.auto." + name, "kprobe, " + label, "python", "kprobe", kind, "auto", True, most_calls=most)


CONFIGURATIONS = [configuration for engine in measuring.ENGINES for configuration in configurations_of(engine)] + [
    by_itself("kieker-text", "Kieker text", "text", KIEKER_MOST),
    by_itself("kieker-binary", "Kieker binary", "binary", KIEKER_MOST),
    by_itself("tcp", "TCP to serve", "tcp"),
    by_itself("kieker-tcp", "Kieker TCP to serve", "tcp", KIEKER_MOST),
    by_itself("kieker-tcp.java", "Kieker TCP to Kieker", "tcp", ORIGINAL_MOST),
]

has_engine = functools.lru_cache(maxsize=None)(measuring.has_engine)


def engines_for(configuration):
    return measuring.ENGINES if configuration.engine == "auto" else [configuration.engine]


def is_disabled(configuration):
    return configuration.name.endswith(".disabled")


def absent(configuration, cell, context):
    engines = engines_for(configuration)
    if not any(has_engine(cell.python, context.shim, engine) for engine in engines):
        return "the %s engine does not work with this interpreter" % configuration.engine if len(engines) == 1 else "it is not traced"
    if configuration.name.endswith(".java"):
        return receivers.original_absent()
    return None


def drive(configuration, cell, context, rules, destination):
    """The driver under the shim, switched where that can be; (run, report)."""
    settings, options = {}, dict(destination.options, OUTPUT=destination.output, ENGINE=configuration.engine)
    if is_disabled(configuration):
        options["ENABLED"] = "0"
    if configuration.switchable:
        path = os.path.join(context.folder, "rules")
        with open(path, "w") as file:
            file.write("-*\n-manual:*\n")
        settings, options["FILTER_FILE"] = {"file": path, "rules": rules}, path
    else:
        options["FILTER"] = rules
    found = python_driver.run(cell, context, "rules" if configuration.switchable else "outside",
                              python_driver.environment(context.shim, **options), **settings)
    if not is_disabled(configuration) and destination.engine() not in engines_for(configuration):
        raise Failure("traced by the %s engine" % destination.engine())
    return found


def calls_in(context, trace):
    """By function."""
    done = subprocess.run([context.kprobe, "report", "--json", trace], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          stdin=subprocess.DEVNULL, timeout=120)
    if done.returncode:
        raise Failure("kprobe report: " + done.stderr.decode(errors="replace").strip())
    return {function["name"]: function["calls"] for function in json.loads(done.stdout)["functions"]}


def run_inactive(configuration, cell, context):
    """All functions are traced but this one; or none, because tracing was never switched on."""
    with destinations.Destination("file", context) as destination:
        result, _ = drive(configuration, cell, context, "-" + METHOD, destination)
    if is_disabled(configuration):
        if os.path.exists(destination.place):
            raise Failure("kprobe made a trace though it was switched off")
        return result
    calls, blocks = calls_in(context, destination.place), sum(block.traced for block in result.blocks)
    if METHOD in calls or calls.get("__main__.time_block") != blocks:
        raise Failure("%d calls were recorded that a rule excludes, and %d of %d blocks that none does"
                      % (calls.get(METHOD, 0), calls.get("__main__.time_block", 0), blocks))
    return result


def run(configuration, cell, context):
    if configuration.kind == "inactive":
        return run_inactive(configuration, cell, context)
    with destinations.Destination(configuration.name.split(".", 2)[2], context) as destination:
        result, report = drive(configuration, cell, context, "+" + METHOD, destination)
        account = destination.account(python_driver.expected_calls(result, report))
    if configuration.engine == "auto":
        result.notes.append("engine: " + destination.engine())
    return python_driver.fill_in(result, report, *account)

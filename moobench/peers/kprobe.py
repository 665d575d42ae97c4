"""kprobe with each of its engines: inactive, to nowhere, to a file; with the engine that it takes by itself, to all others.

Engines that follow the rule file alternate in one process; `frame` and `profile` stay attached, so they trace all the time. What
the shim says at its end (calls made, lost) has to be what the driver made, and what was written has to hold the rest.
"""
import functools
import json
import os
import re
import subprocess

import measuring
from harness import model, python_driver, receivers
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


def absent(configuration, cell, context):
    engines = measuring.ENGINES if configuration.engine == "auto" else [configuration.engine]
    if not any(has_engine(cell.python, context.shim, engine) for engine in engines):
        return "no engine works with this interpreter" if len(engines) > 1 else "the %s engine does not work with this interpreter" % engines[0]
    if configuration.name.endswith(".java"):
        return receivers.original_absent()
    return None


class Files:
    """Of one run: rules, what the shim says, what it writes."""

    def __init__(self, context):
        self.context = context
        self.rules, self.log, self.trace, self.logs = (os.path.join(context.folder, name) for name in ("rules", "log", "trace.kpt", "logs"))

    def reported(self, *inputs):
        """Calls of monitored_method, lost calls, and those of any other function by name."""
        done = subprocess.run([self.context.kprobe, "report", "--json", *inputs], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              stdin=subprocess.DEVNULL)
        if done.returncode:
            raise Failure("kprobe report: " + done.stderr.decode(errors="replace").strip())
        report = json.loads(done.stdout)
        calls = {function["name"]: function["calls"] for function in report["functions"]}
        ours = [name for name in calls if python_driver.METHOD in name]
        return sum(map(calls.pop, ours)), report["calls_lost"], calls

    def said(self):
        """(engine, calls made, lost) by the shim's own account."""
        with open(self.log, errors="replace") as file:
            text = file.read()
        engine = re.search(r"is traced by the (\w+) engine", text)
        counts = re.search(r"the trace is complete: (\d+) calls made, (\d+) of them lost", text)
        wrong = re.search(r"kprobe: (?:warn|error)\w*: .*", text)
        if wrong and "are not in the log" not in wrong.group() and "did not get there" not in wrong.group():
            raise Failure(wrong.group())
        if not engine or not counts:
            raise Failure("kprobe did not trace, or did not complete its trace")
        return engine.group(1), int(counts.group(1)), int(counts.group(2))


def drive(configuration, cell, context, files, rules, output):
    """The driver under the shim, switched where that can be; (run, report)."""
    settings, options = {}, {"OUTPUT": output, "LOG": "info", "LOG_FILE": files.log, "LINGER": "60s", "ENGINE": configuration.engine}
    if configuration.name.endswith(".disabled"):
        options["ENABLED"] = "0"
    if configuration.switchable:
        with open(files.rules, "w") as file:
            file.write("-*\n-manual:*\n")
        settings, options["FILTER_FILE"] = {"file": files.rules, "rules": rules}, files.rules
    else:
        options["FILTER"] = rules
    return python_driver.run(cell, context, "rules" if configuration.switchable else "outside",
                             python_driver.environment(context.shim, **options), **settings)


def run_inactive(configuration, cell, context, files):
    """All functions are traced but this one; or none, because tracing was never switched on."""
    result, _ = drive(configuration, cell, context, files, "-%s" % METHOD, "file:" + files.trace)
    if configuration.name.endswith(".disabled"):
        if os.path.exists(files.trace):
            raise Failure("kprobe made a trace though it was switched off")
        return result
    check_engine(configuration, files.said()[0])
    found, _, others = files.reported(files.trace)
    blocks = sum(block.traced for block in result.blocks)
    if found or others.get("__main__.time_block") != blocks:
        raise Failure("%d calls were recorded that a rule excludes, and %s of %d blocks that none does"
                      % (found, others.get("__main__.time_block", 0), blocks))
    return result


def check_engine(configuration, engine):
    if configuration.engine not in ("auto", engine):
        raise Failure("traced by the %s engine" % engine)


def run_recorded(configuration, cell, context, files, output, account):
    """`account` says (calls, bytes) of what was recorded, once the program has ended."""
    result, report = drive(configuration, cell, context, files, "+" + METHOD, output)
    engine, made, lost = files.said()
    check_engine(configuration, engine)
    if made != python_driver.expected_calls(result, report):
        raise Failure("kprobe saw %d calls, not %d" % (made, python_driver.expected_calls(result, report)))
    recorded, size = account(made, lost)
    if configuration.engine == "auto":
        result.notes.append("engine: " + engine)
    return python_driver.fill_in(result, report, recorded, lost, size)


def run_to_server(configuration, cell, context, files):
    ours = configuration.name.endswith(".tcp")
    with receivers.ending(receivers.Serve(context, "trace" if ours else "kieker-binary")) as serve:
        def account(made, lost):
            serve.finish()
            calls = files.reported(*traces_in(serve.output))[0] if ours else serve.befores
            return calls, serve.bytes
        return run_recorded(configuration, cell, context, files, "%stcp://127.0.0.1:%s" % ("" if ours else "kieker-", serve.port), account)


def traces_in(folder):
    return [os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".kpt")]


def run_to_original(configuration, cell, context, files):
    with receivers.ending(receivers.Original(context)) as original:
        def account(made, lost):
            original.finish()
            return original.befores, None
        return run_recorded(configuration, cell, context, files, "kieker-tcp://127.0.0.1:%d" % original.port, account)


def run(configuration, cell, context):
    files = Files(context)
    if configuration.kind == "inactive":
        return run_inactive(configuration, cell, context, files)
    if configuration.name.endswith(".java"):
        return run_to_original(configuration, cell, context, files)
    if configuration.kind == "tcp":
        return run_to_server(configuration, cell, context, files)
    if configuration.kind == "null":
        return run_recorded(configuration, cell, context, files, "null:", lambda made, lost: (made - lost, None))
    path, output = (files.trace, "file:") if configuration.kind == "file" else (files.logs, "kieker-%s:" % configuration.kind)
    return run_recorded(configuration, cell, context, files, output + path,
                        lambda made, lost: (files.reported(path)[0], python_driver.size_of(path)))

"""uftrace on functions in C, in each of the ways in which it can get there: the system's, and a newer one that
scripts/interpreters made, started with the libraries of its release."""
import functools
import os
import re
import resource
import shutil
import subprocess

import measuring
from harness import destinations, driver, native
from harness.model import Configuration
from peers import Failure

# Name: label, variant of the workload, options of `uftrace record`. Without --no-libcall it hooks the PLT as well.
PATCH = ["--no-libcall", "--patch=monitored_method@" + native.LIBRARY]
WAYS = {
    "pg": ("uftrace, -pg", "pg", ["--no-libcall"]),
    "cyg": ("uftrace, -finstrument-functions", "cyg", ["--no-libcall"]),
    "patchable": ("uftrace, patchable functions", "patchable", PATCH),
    "dynamic": ("uftrace, patched code", "plt", PATCH),
    "plt": ("uftrace, PLT", "plt", ["--nest-libcall"]),
}
NEWER = "uftrace-newer"
CONFIGURATIONS = [Configuration("%s.%s" % (prefix, name), words + label, "c", "uftrace", "file", baseline="none.c.plt")
                  for prefix, words in (("uftrace", ""), (NEWER, "newer "))
                  for name, (label, _, _) in WAYS.items()]


def _way(configuration):
    return WAYS[configuration.name.split(".")[1]]


def _newer():
    """Its launcher, or None."""
    return next((path for path in measuring.interpreters.made("uftrace") if os.access(path, os.X_OK)), None)


def _program(configuration):
    return _newer() if configuration.name.startswith(NEWER) else shutil.which("uftrace")


def absent(configuration, cell, context):
    if not _program(configuration):
        newer = configuration.name.startswith(NEWER)
        return "no newer uftrace: scripts/interpreters makes a folder with one" if newer else "no uftrace (Debian: uftrace)"
    return native.absence(context.work, _way(configuration)[1])


@functools.lru_cache(maxsize=None)
def version(uftrace):
    """As `uftrace v0.13 ( ... )` says it."""
    said = subprocess.run([uftrace, "--version"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60).stdout
    found = re.match(r"uftrace v(\S+)", said)
    return found.group(1) if found else "of unknown version"


def calls(uftrace, data, function):
    """How often the function is in the data."""
    done = subprocess.run([uftrace, "report", "--no-pager", "-d", data], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=300)
    if done.returncode:
        raise Failure("uftrace report: " + (done.stderr.strip().splitlines() or ["status %d" % done.returncode])[-1])
    return sum(int(found) for found in re.findall(r"\s(\d+)\s+%s\s" % re.escape(function), done.stdout))


def record(uftrace, options, command, function, cell, context, environment, more=()):
    """A run of the driver under `uftrace record`, and how many calls of the function are in its data."""
    data = os.path.join(context.folder, "uftrace.data")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = driver.run([uftrace, "record", "--no-pager", "--no-event", "-d", data] + options + command, cell.parameters,
                     context.folder, environment, more)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # uftrace writes in a process of its own, the driver's parent.
    run.process_cpu_ns = int(1e9 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime))
    run.notes.append("uftrace " + version(uftrace))
    run.notes.append("the writer's processor time includes the start of uftrace and its end")
    run.recorded_bytes = destinations.bytes_in(data)
    recorded = calls(uftrace, data, function)
    if not recorded:
        raise Failure("uftrace recorded nothing of %s" % function)
    return run, recorded


def run(configuration, cell, context):
    _, variant, options = _way(configuration)
    run, recorded = record(_program(configuration), ["--force"] + options, [native.driver(context.work, variant)],
                           "monitored_method", cell, context, measuring.environment())
    run.calls_recorded = recorded
    run.calls_lost = run.calls_made - run.calls_recorded
    if "--nest-libcall" in options and run.calls_lost:
        # The dynamic linker writes the function's address over the hook; uftrace puts it back when that first call returns.
        run.notes.append("it does not see recursion inside the first call that the dynamic linker binds")
    if run.calls_lost < 0:
        raise Failure("%d calls were made, but %d recorded" % (run.calls_made, run.calls_recorded))
    return run

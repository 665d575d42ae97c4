"""Runs moobench/drivers/python, and what its peers have in common: packages from PyPI, and the check that every call arrived."""
import functools
import json
import os
import subprocess

import measuring
from harness import context as contexts
from harness import driver
from peers import Failure

FOLDER = os.path.join(contexts.MOOBENCH, "drivers", "python")
METHOD = "monitored_method"


def environment(shim=None, packages=None, **options):
    found = measuring.environment(shim, **options)
    found.update(PYTHONDONTWRITEBYTECODE="1", PYTHONNOUSERSITE="1")
    found.pop("PYTHONPATH", None)
    if packages:
        found["PYTHONPATH"] = packages
    return found


def run(cell, context, probe, env=None, **settings):
    """(model.Run, the driver's report). `probe` is a module of drivers/python/probes, `settings` are its."""
    more = ["--probe", probe] + [word for key, value in settings.items() for word in ("--with", "%s=%s" % (key, value))]
    try:
        result = driver.run([cell.python, os.path.join(FOLDER, "driver.py")], cell.parameters, context.folder,
                            env or environment(), more)
    except driver.DriverFailure as failure:
        raise Failure(str(failure)) from failure
    with open(os.path.join(context.folder, "report.json")) as text:
        return result, json.load(text)


def refuse(reason):
    """The plan asks absent() for one thread only; some cannot be had for more."""
    if reason:
        raise Failure(reason)


def expected_calls(result, report):
    """Probes record the invocations that are not timed, too."""
    return result.calls_made + report["warm_up_calls"]


def fill_in(result, report, recorded, lost=0, size=None):
    """What was found in what was recorded: all that was made must be there, or counted as lost. `size` is of all of it."""
    expected = expected_calls(result, report)
    if recorded + lost != expected:
        raise Failure("%d calls were recorded and %d lost, of %d" % (recorded, lost, expected))
    result.calls_recorded, result.calls_lost = recorded - report["warm_up_calls"], lost
    # In the proportion of the calls that count.
    result.recorded_bytes = None if size is None or not recorded else round(size * result.calls_recorded / recorded)
    return result


@functools.lru_cache(maxsize=None)
def packages(name, python):
    """(folder, None) of the packages of tests/packages/NAME.txt, installed if need be; or (None, why not)."""
    done = subprocess.run([os.path.join(contexts.TOP, "scripts", "python-packages"), name, python], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    if done.returncode:
        said = [line for line in done.stderr.strip().splitlines() if "notice" not in line] or ["?"]
        return None, "cannot be installed for this interpreter: " + said[-1]
    return done.stdout.strip(), None


def version_of(python):
    return measuring.numbers(measuring.version_of(python))

"""cProfile, which keeps totals of each function, those in C too."""
from harness import model, python_driver
from peers import Failure

CONFIGURATIONS = [model.Configuration("cprofile", "cProfile", "python", "cprofile", "memory", switchable=True)]


def absent(configuration, cell, context):
    if cell.parameters.threads > 1 and python_driver.version_of(cell.python) >= (3, 12):
        return "one profiler at a time from Python 3.12 on, and it is not safe with threads"
    return None


def run(configuration, cell, context):
    python_driver.refuse(absent(configuration, cell, context))
    result, report = python_driver.run(cell, context, "cprofile")
    found, expected = report["probe"]["calls"], python_driver.expected_calls(result, report)
    if found != expected:
        raise Failure("cProfile counted %d calls of %d" % (found, expected))
    return result

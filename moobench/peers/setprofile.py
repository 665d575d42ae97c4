"""sys.setprofile with a recorder in Python: what a tracer costs that is written in Python."""
from harness import model, python_driver
from peers import Failure

# Some 130 bytes an event, two a call.
MOST = 400_000
CONFIGURATIONS = [model.Configuration("setprofile", "sys.setprofile", "python", "setprofile", "memory", switchable=True, most_calls=MOST)]


def absent(configuration, cell, context):
    return None


def run(configuration, cell, context):
    return run_recorder("setprofile", cell, context)


def run_recorder(probe, cell, context):
    """Both lists of events have to hold every call."""
    result, report = python_driver.run(cell, context, probe)
    found = report["probe"]
    if found["calls"] != found["returns"]:
        raise Failure("%d calls and %d returns were recorded" % (found["calls"], found["returns"]))
    return python_driver.fill_in(result, report, found["calls"])

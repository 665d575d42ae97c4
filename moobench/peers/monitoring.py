"""sys.monitoring with callbacks in Python."""
from harness import model, python_driver
from peers import setprofile

CONFIGURATIONS = [model.Configuration("monitoring", "sys.monitoring", "python", "monitoring", "memory", switchable=True,
                                      most_calls=setprofile.MOST)]


def absent(configuration, cell, context):
    return "sys.monitoring is there from Python 3.12 on" if python_driver.version_of(cell.python) < (3, 12) else None


def run(configuration, cell, context):
    return setprofile.run_recorder("monitoring", cell, context)

"""VizTracer, with and without functions in C; entries kept in memory, and saved as JSON."""
import os
import re

from harness import model, python_driver

# Its reader makes an object of each entry.
MOST = 400_000
# The two clocks of the driver and those of the workload are functions in C: entries of an invocation beside the calls.
C_CALLS, CLOCK_NS = 8, 30


def configuration_of(name, label, kind):
    return model.Configuration(name, "VizTracer, " + label, "python", "viztracer", kind, switchable=True, most_calls=MOST)


CONFIGURATIONS = [
    configuration_of("viztracer.python", "no C functions, memory", "memory"),
    configuration_of("viztracer.all", "memory", "memory"),
    configuration_of("viztracer.python.json", "no C functions, JSON", "file"),
]


def absent(configuration, cell, context):
    return python_driver.packages("peers", cell.python)[1]


def entries(parameters):
    """That hold everything, of all threads."""
    each = parameters.depth + C_CALLS + parameters.method_time_ns // CLOCK_NS
    return parameters.threads * parameters.blocks * (parameters.invocations + 1000) * each


def run(configuration, cell, context):
    settings = {"entries": entries(cell.parameters), "c": "yes" if configuration.name == "viztracer.all" else "no"}
    path = os.path.join(context.folder, "viztracer.json")
    if configuration.kind == "file":
        settings["save"] = path
    folder, _ = python_driver.packages("peers", cell.python)
    result, report = python_driver.run(cell, context, "viztracer", python_driver.environment(packages=folder), **settings)
    if configuration.kind != "file":
        return python_driver.fill_in(result, report, report["probe"]["calls"])
    with open(path, "rb") as file:
        saved = file.read()
    return python_driver.fill_in(result, report, len(re.findall(rb'"name": ?"%s \(' % python_driver.METHOD.encode(), saved)), size=len(saved))

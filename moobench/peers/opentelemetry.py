"""OpenTelemetry for Python: a span for each call, by hand, as MooBench instruments."""
from harness import model, python_driver
from peers import Failure

# A span is an object of some 1.5 KB.
MOST = 40_000


def configuration_of(way, label, kind):
    return model.Configuration("opentelemetry." + way, "OpenTelemetry, " + label, "python", "opentelemetry", kind, switchable=True,
                               most_calls=MOST)


CONFIGURATIONS = [
    configuration_of("none", "no exporter", "null"),
    configuration_of("batch", "batches, exporter that drops", "null"),
    configuration_of("memory", "memory", "memory"),
]


def absent(configuration, cell, context):
    return python_driver.packages("opentelemetry", cell.python)[1]


def run(configuration, cell, context):
    way = configuration.name.split(".")[1]
    folder, _ = python_driver.packages("opentelemetry", cell.python)
    result, report = python_driver.run(cell, context, "opentelemetry", python_driver.environment(packages=folder), way=way)
    found = report["probe"]
    if not found["recording"]:
        raise Failure("OpenTelemetry did not record its spans")
    if way == "none":
        return result
    # Its queue has room for 2048 spans, and drops what does not fit.
    lost = python_driver.expected_calls(result, report) - found["calls"] if way == "batch" else 0
    return python_driver.fill_in(result, report, found["calls"], lost)

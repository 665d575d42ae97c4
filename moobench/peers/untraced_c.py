"""The workload in C as it is: for calls through the PLT, and for calls inside the library."""
import measuring
from harness import driver, native
from harness.model import Configuration

CONFIGURATIONS = [
    Configuration("none.c.plt", "no instrumentation", "c", "untraced_c", "none"),
    Configuration("none.c.inside", "no instrumentation, calls inside the library", "c", "untraced_c", "none"),
]


def variant(configuration):
    return configuration.name.rsplit(".", 1)[1]


def absent(configuration, cell, context):
    return native.absence(context.work, variant(configuration))


def run(configuration, cell, context):
    program = native.driver(context.work, variant(configuration))
    return driver.run([program], cell.parameters, context.folder, measuring.environment(), ["--untraced"])

"""No instrumentation: what all others are compared with."""
from harness import model, python_driver

CONFIGURATIONS = [model.Configuration("untraced", "no instrumentation", "python", "untraced", "none")]


def absent(configuration, cell, context):
    return None


def run(configuration, cell, context):
    return python_driver.run(cell, context, "untraced")[0]

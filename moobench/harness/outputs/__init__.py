"""What is written of results: one module each, with write(results, folder), which says by its return value what was not
written and why (None: all was). A new output is a file here and a row in MODULES."""
import importlib

# The first is what the others, and --report-only, can be made from again.
MODULES = ["json", "yaml", "csv", "markdown", "talk", "plots"]


def module(name):
    return importlib.import_module("harness.outputs." + name)


def write_all(results, folder):
    """What the outputs had to leave out, a line each."""
    said = [(name, module(name).write(results, folder)) for name in MODULES]
    return ["%s: %s" % (name, line) for name, line in said if line]

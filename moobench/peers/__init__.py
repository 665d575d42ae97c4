"""The peers: one module each. A new one is a file here and a row in MODULES.

A module has:

    CONFIGURATIONS          a list of model.Configuration
    absent(configuration, cell, context)    None, or why it cannot be had for cell.python on this machine, in one line
    run(configuration, cell, context)       one process of the driver under that configuration; returns model.Run

`absent` installs what can be installed (scripts/python-packages, the release build's own files), nothing by apt. `run` raises
Failure where the peer did not record what it had to: figures of a probe that was not there are worse than none. Each run has
a folder of its own, context.folder, which is removed after it; `context` is a harness.context.Context. What a peer starts beside
the driver gets `preexec_fn=children.die_with_us` (harness/children.py), and is ended by the peer. Parameters of a cell are what
`absent` and `run` have to take as given: the planner keeps invocations * blocks * depth * threads within `most_calls`.
"""
import importlib


class Failure(Exception):
    """A run that must not count, with the reason in one line."""


# The order is that of tables.
MODULES = ["untraced", "kprobe", "kieker_python", "viztracer", "cprofile", "setprofile", "monitoring", "uftrace_python", "opentelemetry",
           "untraced_c", "kprobe_c", "uftrace", "lttng", "kieker_c"]


def module(name):
    return importlib.import_module("peers." + name)


def configurations():
    return [configuration for name in MODULES for configuration in module(name).CONFIGURATIONS]

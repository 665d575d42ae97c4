"""Kieker's Python pack of PyPI in the configurations of MooBench: both ways to weave, inactive, to nowhere, as text, over TCP.

That it instruments is checked in every run: by the driver in the function, by us in what arrived.
"""
import os
import re

from harness import context as contexts
from harness import model, python_driver, receivers
from peers import Failure

# Calls that can be made in about a second. A text record opens and closes its file.
MOST = {"inactive": None, "dummy": 200_000, "text": 30_000, "tcp": 40_000}
WAYS = {"1": "after import", "2": "before import"}
KINDS = {"inactive": "inactive", "dummy": "null", "text": "text", "tcp": "tcp"}
LABELS = {"inactive": "deactivated probe", "dummy": "no logging", "text": "text", "tcp": "TCP to serve"}


def configuration_of(mode, way, original=False):
    label = "TCP to Kieker" if original else LABELS[mode]
    return model.Configuration("kieker-python.%s.%s%s" % (mode, way, ".java" if original else ""),
                               "Kieker Python, %s, %s" % (label, WAYS[way]), "python", "kieker_python", KINDS[mode], switchable=True,
                               most_calls=MOST[mode])


CONFIGURATIONS = [configuration_of(mode, way) for mode in MOST for way in WAYS] + [configuration_of("tcp", way, True) for way in WAYS]


def parts(configuration):
    """mode, way, and whether Kieker's own receiver is at the other end."""
    words = configuration.name.split(".")
    return words[1], words[2], len(words) > 3


def absent(configuration, cell, context):
    mode, way, original = parts(configuration)
    version = python_driver.version_of(cell.python)
    if way == "1" and version >= (3, 12):
        return "its finder has find_module alone, which Python ignores from 3.12 on: nothing would be instrumented"
    if way == "2" and version < (3, 9):
        return "it needs ast.unparse of Python 3.9"
    if mode == "text" and cell.parameters.threads > 1:
        return "its file writer shares one buffer among all threads"
    return python_driver.packages("kieker", cell.python)[1] or (receivers.original_absent() if original else None)


def write_configuration(context, mode, port):
    path = os.path.join(context.folder, "kieker.ini")
    with open(path, "w", encoding="ascii") as file:
        file.write("[Main]\nmode = %s\n[General]\nmultiple_Connections = False\n[FileWriter]\nfile_path = %s\n"
                   "[Tcp]\nhost = 127.0.0.1\nport = %s\nconnection_timeout = 10\n"
                   % (mode, os.path.join(context.folder, "records"), port))
    return path


def drive(configuration, cell, context, port=0):
    mode, way, _ = parts(configuration)
    inactive = mode == "inactive"
    folder, _ = python_driver.packages("kieker", cell.python)
    path = os.pathsep.join([folder, os.path.join(contexts.TOP, "tests", "interop")])
    writer = "dummy" if inactive else mode
    return python_driver.run(cell, context, "kieker", python_driver.environment(packages=path), approach=way, mode=writer,
                             inactive="yes" if inactive else "no", ini=write_configuration(context, writer, port))


def befores_in(context):
    """Records of begun calls in the text log, and its bytes."""
    with open(os.path.join(context.folder, "record-map.log"), encoding="utf-8") as file:
        number = re.search(r"BeforeOperationEvent = (\d+) ", file.read())
    if not number:
        raise Failure("the log knows no record of a begun call")
    path, begin = os.path.join(context.folder, "records"), number.group(1) + ";"
    with open(path, encoding="utf-8") as file:
        return sum(line.startswith(begin) for line in file), os.path.getsize(path)


def run_without_records(configuration, cell, context):
    result, report = drive(configuration, cell, context)
    # The driver has called a function of depth 3 with the writer watched.
    expected = 0 if configuration.kind == "inactive" else 3
    if report["probe"]["writes"] != expected:
        raise Failure("Kieker's pack wrote %d records of 3 calls" % report["probe"]["writes"])
    return result


def run_to_receiver(configuration, cell, context):
    original = parts(configuration)[2]
    receiver = receivers.Original(context) if original else receivers.Serve(context, "kieker-binary")
    with receivers.ending(receiver):
        result, report = drive(configuration, cell, context, receiver.port)
        receiver.finish()
    return python_driver.fill_in(result, report, receiver.befores, size=receiver.bytes)


def run(configuration, cell, context):
    python_driver.refuse(absent(configuration, cell, context))
    if configuration.kind in ("inactive", "null"):
        return run_without_records(configuration, cell, context)
    if configuration.kind == "tcp":
        return run_to_receiver(configuration, cell, context)
    result, report = drive(configuration, cell, context)
    recorded, size = befores_in(context)
    return python_driver.fill_in(result, report, recorded, size=size)

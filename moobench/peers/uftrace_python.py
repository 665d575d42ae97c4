"""uftrace on Python, by a callback of sys.setprofile in C: Debian sid's, in the folder that scripts/interpreters makes.

It belongs to that folder's interpreter. In Debian's package its module for Python divides by zero: it looks for two functions in the
symbol table (.symtab) of libmcount.so, which was stripped. So we give a copy of that library a table of those two.
"""
import glob
import json
import os
import re
import shutil
import subprocess

from harness import python_driver
from harness.model import Configuration
from peers import Failure, uftrace

VERSION = "3.14"
CONFIGURATIONS = [Configuration("uftrace-python.file", "uftrace on Python", "python", "uftrace_python", "file", version=VERSION)]
WANTED = ("__cyg_profile_func_enter", "__cyg_profile_func_exit")
LIBRARIES = "usr/lib/x86_64-linux-gnu/uftrace"


def launcher(python):
    """uftrace in the same folder, as scripts/interpreters puts it beside the interpreter."""
    return os.path.join(os.path.dirname(python), "uftrace")


def libraries(python):
    return os.path.join(os.path.dirname(python), "tree", LIBRARIES)


def absent(configuration, cell, context):
    folder = os.path.join(os.path.dirname(cell.python), "tree")
    if not re.fullmatch(r"python3\.\d+", os.path.basename(cell.python)) or not os.path.isdir(folder):
        return "is linked with Debian sid's CPython %s, which scripts/interpreters makes" % VERSION
    if not os.access(launcher(cell.python), os.X_OK):
        return "no uftrace beside this interpreter (scripts/interpreters installs it where it can)"
    if not glob.glob(os.path.join(libraries(cell.python), "uftrace_python*.so")):
        return "this uftrace was built without Python"
    if not all(map(shutil.which, ("objcopy", "nm", "readelf"))):
        return "no binutils"
    return None


def _output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def _with_table(library):
    """Adds a symbol table where there is none."""
    sections = _output("readelf", "-SW", library)
    if ".symtab" in sections:
        return
    text = int(re.search(r"\s\.text\s+PROGBITS\s+([0-9a-f]+)", sections).group(1), 16)
    places = {name: int(place, 16) for place, name in re.findall(r"^([0-9a-f]+) T (\w+)$", _output("nm", "-D", library), re.M)}
    options = ["--add-symbol=%s=.text:%#x,function,global" % (name, places[name] - text) for name in WANTED]
    subprocess.run(["objcopy"] + options + [library], check=True)


def mended(python, work):
    """The folder of its libraries, mended, once a benchmark."""
    folder = os.path.join(work, "uftrace-python")
    if not os.path.isdir(folder):
        part = folder + ".part"
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(libraries(python), part)
        for library in glob.glob(os.path.join(part, "libmcount*.so")):
            _with_table(library)
        os.rename(part, folder)
    return folder


def script(cell, context):
    """uftrace asks the first line of a script whether it is Python, and takes only what is beside it for the program's own."""
    folder = os.path.join(context.folder, "driver")
    shutil.copytree(python_driver.FOLDER, folder)
    path = os.path.join(folder, "driver.py")
    with open(path) as source:
        text = source.read()
    with open(path, "w") as copy:
        copy.write("#!/usr/bin/%s\n%s" % (os.path.basename(cell.python), text))
    os.chmod(path, 0o700)
    return path


def run(configuration, cell, context):
    if cell.parameters.threads > 1:
        raise Failure("it follows the first thread only")
    options = ["--no-libcall", "--libmcount-path=" + mended(cell.python, context.work)]
    result, recorded = uftrace.record(launcher(cell.python), options, [script(cell, context)],
                                      "monitored_application." + python_driver.METHOD, cell, context,
                                      python_driver.environment(), ["--probe", "outside"])
    with open(os.path.join(context.folder, "report.json")) as text:
        report = json.load(text)
    lost = python_driver.expected_calls(result, report) - recorded
    if lost < 0:
        raise Failure("%d calls were recorded, %d more than made" % (recorded, -lost))
    return python_driver.fill_in(result, report, recorded, lost, result.recorded_bytes)

"""What the measurements share: interpreters, the engines they have with this library, the environment of a traced run."""
import atexit
import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests"))
import interpreters  # noqa: E402

DEFAULT_TOOLS = os.path.join(HERE, "..", "build", "release", "bin")

# In the order in which `auto` tries them.
ENGINES = ["opcode", "monitoring", "frame", "profile"]


def library(tools):
    path = os.path.abspath(os.path.join(tools, "libkprobe.so"))
    if not os.path.exists(path):
        sys.exit("%s is not there: cmake --preset release && cmake --build --preset release" % path)
    return path


def version_of(python):
    numbers_found = interpreters.version_of(python)
    if not numbers_found:
        sys.exit("%s is no CPython that kprobe traces" % python)
    return "%d.%d.%d" % numbers_found


def numbers(version):
    return tuple(map(int, version.split(".")))


@functools.lru_cache(maxsize=None)
def loadable(shim):
    """The same library by a path without blanks and colons, which separate names in LD_PRELOAD."""
    if not re.search(r"[\s:]", shim):
        return shim
    folder = tempfile.mkdtemp(prefix="kprobe-tools-")
    atexit.register(shutil.rmtree, folder)
    # The folder, because the shim looks for other libraries beside it.
    os.symlink(os.path.dirname(os.path.abspath(shim)), os.path.join(folder, "bin"))
    return os.path.join(folder, "bin", os.path.basename(shim))


def environment(shim=None, **options):
    """The environment of a run, with the library if there is one, and only these KPROBE_ options."""
    result = {name: value for name, value in os.environ.items() if not name.startswith("KPROBE_") and name != "LD_PRELOAD"}
    result["PYTHONHASHSEED"] = "0"
    if shim:
        result["LD_PRELOAD"] = loadable(shim)
        result.update(("KPROBE_" + name, value) for name, value in options.items() if value is not None)
    return result


def has_engine(python, shim, engine):
    """Asks the library itself: it traces by that engine here, or it does not know it, or the engine declines."""
    said = subprocess.run([python, "-c", "def f(): pass\nf()"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                          env=environment(shim, ENGINE=engine, OUTPUT="null:", LOG="info")).stderr
    return re.search(r"traced by the %s engine" % engine, said) is not None


def engines_of(python, shim, wanted=None):
    return [engine for engine in ENGINES if (not wanted or engine in wanted) and has_engine(python, shim, engine)]


def chosen_pythons(asked):
    """Interpreters by the answers to --python: paths, or versions such as 3.12; all of them without an answer."""
    if not asked:
        return interpreters.interpreters()
    found, known = [], None
    for name in asked:
        if os.sep in name:
            found.append(name)
            continue
        known = known or [(version_of(python), python) for python in interpreters.interpreters()]
        matching = [python for version, python in known if version == name or version.startswith(name + ".")]
        if not matching:
            sys.exit("no interpreter of version %s was found" % name)
        found += matching
    return found

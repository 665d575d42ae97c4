"""What the tests of the opcode engine share: which interpreters have it, and running them."""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from interpreters import interpreters, version_of  # noqa: E402

KPROBE = os.environ["KPROBE"]
SHIM = os.environ["SHIM"]


def with_engine():
    """The interpreters that the engine is for. Exit status 77 when there is none."""
    found = [python for python in interpreters() if (3, 11) <= version_of(python)[:2] <= (3, 14)]
    if not found:
        print("skipped: no CPython 3.11 to 3.14")
        sys.exit(77)
    return found


def run(python, program, library, **options):
    """One traced run; options are KPROBE_ variables, or others with an underscore in front."""
    environment = dict(os.environ, LD_PRELOAD=library, KPROBE_ENGINE="opcode", KPROBE_LOG="info")
    for name, value in options.items():
        environment[name[1:] if name.startswith("_") else "KPROBE_" + name] = value
    return subprocess.run([python, "-S", "-c", program], env=environment, capture_output=True, text=True, timeout=120)


def dump(trace):
    """Events as (kind, depth, name), thread by thread as dump has them."""
    text = subprocess.run([KPROBE, "dump", trace], check=True, capture_output=True, text=True).stdout
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    return [(row[3], int(row[4]), row[5]) for row in rows]

"""What the stress tests share: where things are, and running a program under the shim. KPROBE and SHIM name the build."""
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "oracle"))
import matrix  # noqa: E402

BIN = os.path.join(os.path.dirname(os.path.dirname(HERE)), "build", "dev", "bin")
KPROBE = os.environ.get("KPROBE", os.path.join(BIN, "kprobe"))
SHIM = os.environ.get("SHIM", os.path.join(BIN, "libkprobe.so"))


def cells():
    """(interpreter, engine) for every engine of every interpreter found."""
    found = [(python, engine) for python in matrix.interpreters() for engine in matrix.engines_of(python)
             if engine != "oracle"]
    if not found:
        print("skipped: no CPython that can be traced")
        sys.exit(77)
    return found


def environment(**options):
    """Ours without any KPROBE_* but those given."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("KPROBE")}
    # The interpreter alone: site-packages of this machine are not part of the test.
    env.update(PYTHONNOUSERSITE="1", LD_PRELOAD=SHIM)
    env.update({"KPROBE_" + name.upper(): value for name, value in options.items()})
    return env


def kprobe(*arguments, check=True):
    """Run the command; its output as text. With `check` a status other than 0 is a failure that says why."""
    done = subprocess.run([KPROBE, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    text = done.stdout.decode("utf-8", "replace")
    if check and done.returncode:
        raise Failure("kprobe %s: status %d\n%s%s" % (" ".join(arguments), done.returncode, text[-2000:],
                                                     done.stderr.decode("utf-8", "replace")[-2000:]))
    return text


class Failure(Exception):
    """A promise did not hold."""


class Folder:
    """A folder of its own for one run; kept, and said, when the run failed."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="kprobe-stress-")
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            shutil.rmtree(self.path)
        else:
            print("what is left of the failed run: %s" % self.path)

    def file(self, name):
        return os.path.join(self.path, name)

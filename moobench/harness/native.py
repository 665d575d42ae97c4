"""Builds the driver in C with the workload in each of the ways that somebody needs, by the system's compiler."""
import hashlib
import os
import re
import shutil
import subprocess
import tempfile

from harness import context as places

SOURCES = os.path.join(places.MOOBENCH, "drivers", "c")
LIBRARY = "libmonitored.so"

# Options of the compiler for monitored.c, and of the linker for libmonitored.so. Without more, calls of monitored_method by itself
# go through the PLT, as they may in any library; with -Bsymbolic they are direct.
VARIANTS = {
    "plt": ([], []),
    "inside": ([], ["-Wl,-Bsymbolic"]),
    "pg": (["-pg"], []),
    "cyg": (["-finstrument-functions"], []),
    "patchable": (["-fpatchable-function-entry=5"], []),
    "lttng": (["-DMONITORED_LTTNG", "-I" + SOURCES], ["-llttng-ust", "-ldl"]),
}


class BuildFailure(Exception):
    """The compiler refused, with its last line."""


def _compile(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        lines = [line for line in done.stdout.splitlines() if re.search("error:|undefined", line)] or done.stdout.splitlines()
        raise BuildFailure("%s: %s" % (os.path.basename(command[0]), lines[0] if lines else "status %d" % done.returncode))


def _build(folder, compiler, variant, more_flags, more_libraries):
    flags, libraries = VARIANTS[variant]
    common = [compiler, "-std=gnu11", "-O2", "-g", "-fPIC"]
    paths = {name: os.path.join(folder, name + ".o") for name in ("clock", "monitored", "driver")}
    for name, options in (("clock", ["-fno-plt"]), ("monitored", flags + list(more_flags)), ("driver", ["-pthread"])):
        _compile(common + options + ["-c", "-o", paths[name], os.path.join(SOURCES, name + ".c")])
    _compile([compiler, "-shared", "-Wl,-soname," + LIBRARY, "-o", os.path.join(folder, LIBRARY), paths["monitored"],
              paths["clock"]] + libraries + list(more_libraries))
    # libc has functions for -finstrument-functions that do nothing: a library with others has to come before it.
    _compile([compiler, "-pthread", "-o", os.path.join(folder, "driver"), paths["driver"], paths["clock"],
              "-L" + folder, "-lmonitored", "-Wl,-rpath,$ORIGIN"] + list(more_libraries))


def driver(work, variant, flags=(), libraries=()):
    """The path of the driver with that variant of the workload, LIBRARY beside it. Built when there is none of these sources."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if not compiler:
        raise BuildFailure("there is no C compiler")
    text = hashlib.sha256(repr((compiler, VARIANTS[variant], flags, libraries)).encode())
    for name in sorted(os.listdir(SOURCES)):
        with open(os.path.join(SOURCES, name), "rb") as source:
            text.update(source.read())
    folder = os.path.join(work, "driver-c", "%s-%s" % (variant, text.hexdigest()[:12]))
    if not os.path.isdir(folder):
        os.makedirs(os.path.dirname(folder), exist_ok=True)
        part = tempfile.mkdtemp(dir=os.path.dirname(folder))
        try:
            _build(part, compiler, variant, flags, libraries)
            os.rename(part, folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return os.path.join(folder, "driver")


def absence(work, variant, flags=(), libraries=()):
    """Why that variant cannot be built, None if it can."""
    try:
        driver(work, variant, flags, libraries)
    except BuildFailure as failure:
        return str(failure)
    return None

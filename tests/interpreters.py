#!/usr/bin/env python3
"""The interpreters that tests and benchmarks run on: CPython 3.8 or later, each binary once, by version.

Those of the system, of pyenv, those that scripts/interpreters made, and those named in KPROBE_PYTHONS (':'-separated). As a
program: prints their paths.
"""
import functools
import glob
import os
import re
import subprocess

PROBE = "import sys, sysconfig; print(sys.implementation.name, '%d.%d.%d' % sys.version_info[:3]," \
        "sysconfig.get_config_var('Py_GIL_DISABLED') or 0)"


def made(pattern):
    """Programs of such names that scripts/interpreters made, of all releases."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return sorted(glob.glob(os.path.join(cache, "kprobe", "*", pattern)))


def candidates():
    patterns = ["/usr/bin/python3*", "/usr/local/bin/python3*", os.path.expanduser("~/.pyenv/versions/*/bin/python3")]
    names = [name for found in [*map(sorted, map(glob.glob, patterns)), made("python3*")] for name in found
             if re.fullmatch(r"python3(\.\d+)?", os.path.basename(name))]
    return names + [name for name in os.environ.get("KPROBE_PYTHONS", "").split(":") if name]


@functools.lru_cache(maxsize=None)
def version_of(python):
    """Three numbers; None for what is no CPython, does not start, or is a free-threaded build, which kprobe refuses."""
    try:
        done = subprocess.run([python, "-c", PROBE], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.fullmatch(r"cpython (\d+)\.(\d+)\.(\d+) 0\n", done.stdout.decode())
    return tuple(map(int, found.groups())) if found else None


def interpreters():
    found = {}
    for name in candidates():
        if (version_of(name) or (0,)) >= (3, 8):
            found.setdefault(os.path.realpath(name), name)
    return sorted(found.values(), key=lambda name: (version_of(name), name))


def one_of_each_minor(oldest):
    """From `oldest` (two numbers) on: the system's where it has one."""
    found = {}
    for name in sorted(interpreters(), key=lambda name: not name.startswith("/usr/")):
        found.setdefault(version_of(name)[:2], name)
    return [name for version, name in sorted(found.items()) if version >= oldest]


if __name__ == "__main__":
    print("\n".join(interpreters()))

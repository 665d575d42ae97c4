"""Other tracers, installed by pip into a folder of their own for each version of Python, and kept there."""
import os
import subprocess
import sys

FOLDER = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "kprobe", "peers")


def has_pip(python):
    return subprocess.run([python, "-m", "pip", "--version"], capture_output=True).returncode == 0


def viztracer(python, version):
    """The folder to have in PYTHONPATH, and VizTracer's version; None and the reason if it cannot be had.

    pip of any Python will do: the interpreter measured may be one without.
    """
    minor = ".".join(version.split(".")[:2])
    folder = os.path.join(FOLDER, minor)
    if not found_version(folder):
        installer = next((candidate for candidate in (python, sys.executable) if has_pip(candidate)), None)
        if not installer:
            return None, "no pip"
        done = subprocess.run([installer, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--target", folder,
                               "--upgrade", "--only-binary=:all:", "--python-version", minor, "--implementation", "cp",
                               "viztracer"], capture_output=True, text=True)
        if done.returncode:
            return None, (done.stderr.strip().splitlines() or ["pip failed"])[-1]
    return folder, found_version(folder)


def found_version(folder):
    names = os.listdir(folder) if os.path.isdir(folder) else []
    return next((name.split("-")[1][:-len(".dist")]
                 for name in names if name.startswith("viztracer-") and name.endswith(".dist-info")), None)

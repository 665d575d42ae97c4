"""Where and with what was measured."""
import hashlib
import os
import platform
import re
import shutil
import subprocess

from harness import context


def said(*command):
    """The first line that a command prints; empty where it fails."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              timeout=60, cwd=context.TOP)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip().split("\n")[0] if done.returncode == 0 else ""


def text_of(path):
    try:
        with open(path) as text:
            return text.read().strip()
    except OSError:
        return ""


def processor():
    found = re.search(r"^model name\s*: (.*)$", text_of("/proc/cpuinfo"), re.MULTILINE)
    return found.group(1) if found else platform.machine()


def hypervisor():
    if not re.search(r"^flags\s*:.*\bhypervisor\b", text_of("/proc/cpuinfo"), re.MULTILINE):
        return "none"
    return text_of("/sys/class/dmi/id/sys_vendor") or text_of("/sys/hypervisor/type") or "yes"


def commit():
    name = said("git", "rev-parse", "--short=12", "HEAD")
    changed = said("git", "status", "--porcelain", "--untracked-files=no")
    return name + (" with changes" if name and changed else "") or "unknown"


def load():
    return os.getloadavg()[0]


def facts(tools):
    return {
        "cpu": processor(), "processors": len(os.sched_getaffinity(0)), "hypervisor": hypervisor(),
        "governor": text_of("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") or "unknown",
        "kernel": "%s %s" % (platform.system(), platform.release()), "libc": " ".join(platform.libc_ver()),
        "memory_bytes": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        "compiler": said(shutil.which("cc") or "gcc", "--version"),
        "kprobe": said(os.path.join(tools, "kprobe"), "--version"), "commit": commit(),
    }


def fingerprint(tools):
    """Of what is measured: the library and the command."""
    digest = hashlib.sha256()
    for name in ("libkprobe.so", "kprobe"):
        with open(os.path.join(tools, name), "rb") as data:
            digest.update(data.read())
    return digest.hexdigest()[:16]

"""Another Python started as a subprocess, by exec after fork, and by os.posix_spawn."""
import os
import subprocess
import sys


def child():
    print("child", flush=True)
    return leaf()


def leaf():
    return 2


def run():
    return subprocess.call([sys.executable, __file__, "child"])


def replace():
    pid = os.fork()
    if not pid:
        leaf()
        os.execv(sys.executable, [sys.executable, __file__, "child"])
    return os.waitpid(pid, 0)[1] >> 8


def spawn():
    pid = os.posix_spawn(sys.executable, [sys.executable, __file__, "child"], os.environ)
    return os.waitpid(pid, 0)[1] >> 8


if len(sys.argv) > 1:
    sys.exit(child())
print(run(), flush=True)
print(replace(), flush=True)
print(spawn(), flush=True)
print(subprocess.check_output(["/bin/sh", "-c", "echo shell"]))

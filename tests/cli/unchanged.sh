#!/bin/bash
# What a program can see of its process is as without the shim: descriptors, warnings, threads, children, exec.
. "$(dirname "$0")/common.sh"
need_plain_shim

cat >descriptors.py <<'END'
# Numbers of descriptors, a program that closes all it does not know, and a daemon.
import os, sys, tempfile
def f(): pass
f()
print(sorted(int(n) for n in os.listdir("/proc/self/fd")))
first = os.open("/dev/null", os.O_RDONLY)
second = os.dup(first)
print(first, second, os.pipe(), tempfile.TemporaryFile().fileno())
os.closerange(3, 1000)
for _ in range(20000): f()
print(os.open("/dev/null", os.O_RDONLY))
print(sorted(int(n) for n in os.listdir("/proc/self/fd")))
END
cat >daemon.py <<'END'
import os, sys
def f(): pass
def child(): f()
f()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.closerange(0, 1000)
        os.chdir("/")
        for _ in range(1000): child()
        os._exit(0)
    os._exit(0)
os.wait()
END
cat >forks.py <<'END'
import os, sys, warnings
def f(): pass
for _ in range(3):
    f()
    pid = os.fork()
    if pid == 0:
        f()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
print("out")
END
cat >executes.py <<'END'
import os, sys
def f(): pass
f()
if len(sys.argv) == 1:
    os.execv(sys.executable, [sys.executable, __file__, "again"])
print("out")
END
cat >state.py <<'END'
# Everything here must read the same.
import gc, os, resource, signal, sys, threading
def f():
    raise ValueError("x")
try:
    f()
except ValueError as error:
    print(error.__traceback__.tb_next.tb_frame.f_code.co_name)
print(sys.getrecursionlimit(), sys.getprofile(), sys.gettrace(), threading.active_count(), gc.isenabled())
print([m for m in sys.meta_path if "kprobe" in repr(m)], [m for m in sys.modules if "kprobe" in m])
print({s: signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGXFSZ, signal.SIGUSR1)})
print(signal.pthread_sigmask(signal.SIG_BLOCK, []), os.getcwd(), oct(os.umask(0o22)))
print(f.__code__.co_code == f.__code__.co_code, type(f.__code__).__name__)
def deep(n): return deep(n + 1)
try:
    deep(0)
except RecursionError as error:
    print(error)
sys.exit("the end")
END

# same SCRIPT OPTION...: output, errors and status are those of the program alone
same() {
    run "$python" "${@:2}" "$1"
    mv stdout alone
    mv stderr alone_errors
    local expected=$status
    KPROBE_OUTPUT=file:%p.kpt traced "$python" "${@:2}" "$1"
    expect_status "$expected" "$1, $python"
    cmp -s stdout alone || fail "$1, $python: $(diff alone stdout)"
    cmp -s stderr alone_errors || fail "$1, $python: $(diff alone_errors stderr)"
}

# traces COUNT TITLE: so many, all good
traces() {
    run "$KPROBE" verify ./*.kpt
    expect_status 0 "$2, $python: $(cat stdout)"
    [ "$(grep -c ^good stdout)" = "$1" ] || fail "$2, $python: not $1 traces: $(cat stdout)"
    rm -f ./*.kpt
}

for python in $(pythons); do
    same descriptors.py
    traces 1 "closed descriptors"
    same state.py
    traces 1 "what a program sees"
    # A thread of ours must not make CPython 3.12 warn that a process with threads forks.
    same forks.py -W error
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        [ -z "$(leftovers)" ] && break
        sleep 0.2
    done
    traces 4 "forks"
    same executes.py
    traces 2 "exec"
    KPROBE_OUTPUT=file:%p.kpt traced "$python" daemon.py
    expect_status 0 "a daemon"
    # The daemon ends by _exit and its parent is gone: its calls are in shared memory, or in part in a file.
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        sleep 0.1
        names=$({ ls ./*.kpt; leftovers | xargs -r head -qc 8192 | grep -aoE '/[^/]+/[0-9]+\.kpt' | sed 's,.*/,./,'; } | sort -u)
        # shellcheck disable=SC2086
        "$KPROBE" verify $names >verdict 2>&1 && grep -q "killed, recovered" verdict && break
    done
    # shellcheck disable=SC2086
    "$KPROBE" dump $names >dump
    [ "$(awk -F'\t' '$4 == "enter" && $6 == "__main__.child"' dump | wc -l)" = 1000 ] ||
        fail "a daemon, $python: $names: $(cut -f 4,6 dump | sort | uniq -c | sort -rn | head -5); $(cat verdict)"
    remove_leftovers
    rm -f ./*.kpt
    KPROBE_CHILDREN=ignore KPROBE_OUTPUT=file:%p.kpt traced "$python" forks.py
    traces 1 "children ignored"
done

# Programs that have nothing to trace: no file, no thread, no shared memory, no word.
KPROBE_OUTPUT=file:%p.kpt traced sh -c 'ls / >/dev/null; cat /proc/self/status' >/dev/null
expect_text stdout "Threads:	1"
expect_empty stderr
[ -z "$(ls ./*.kpt 2>/dev/null)" ] && [ -z "$(leftovers)" ] || fail "a shell left something: $(ls)"
finish

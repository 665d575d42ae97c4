#!/usr/bin/env python3
"""Programs in C and C++ with probes of kprobe.h: built every way it may be included, run without the shim and with it.

KPROBE, SHIM, CC and CXX name the build. Without a compiler: 77.
"""
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "builtins"))
from tracing import KPROBE, TOP, Trace, meta, run  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
HEADERS = os.path.join(TOP, "shim")
CC, CXX = os.environ.get("CC", "cc"), os.environ.get("CXX", "c++")
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I", HEADERS]

LEAF_OUTER = "outer(leaf inner(leaf)! void shop.Cart.total(int,long))"

# By case: the first thread's tree, and what the metadata says of ends without a begin.
CASES = {
    "nested": (LEAF_OUTER, None),
    "wrong": ("outer(inner(inner!)!)", "3"),
    "jump": ("outer(inner(leaf)!)", None),
    "suspended": ("outer~ inner~ outer inner~ inner", None),
    "pack": ("shop.Cart.total(int shop.Cart.add(int)(shop.f))", None),
}


def build(folder, compiler, source, output, *options):
    path = os.path.join(folder, output)
    subprocess.run([compiler, *WARNINGS, os.path.join(HERE, source), *options, "-o", path], check=True)
    return path


def traced(folder, command, **options):
    """(what was printed, the traces of the processes, oldest first)."""
    for old in os.listdir(folder):
        if old.endswith(".kpt"):
            os.unlink(os.path.join(folder, old))
    done = run(command, True, OUTPUT="file:%s/%%p.kpt" % folder, **options)
    paths = [os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".kpt")]
    return done, sorted(paths, key=os.path.getmtime)


class Checks:
    def __init__(self):
        self.failed = 0

    def same(self, what, found, wanted):
        if found != wanted:
            self.failed += 1
            print("%s:\n  wanted %s\n  found  %s" % (what, wanted, found))

    def holds(self, what, good, told=""):
        if not good:
            self.failed += 1
            print("%s does not hold: %s" % (what, told))

    def fine(self, what, done, trace=None):
        self.holds(what + ": its status", done.returncode == 0, "%d %s" % (done.returncode, done.stderr[-500:]))
        if trace is not None:
            self.holds(what + ": its trace", not trace.problem, trace.problem)


def check_cases(checks, folder, program):
    for case, (tree, unmatched) in CASES.items():
        plain = run([program, case])
        done, paths = traced(folder, [program, case])
        checks.same(case + ": output", done.stdout + done.stderr, plain.stdout + plain.stderr)
        checks.holds(case + ": one trace", len(paths) == 1, paths)
        trace = Trace(paths[0])
        checks.fine(case, done, trace)
        if tree is not None:
            checks.same(case, " ".join(map(str, trace.tree().children)), tree)
        checks.same(case + ": ends without begin", meta(paths[0]).get("manual.unmatched_ends"), unmatched)


def check_threads(checks, folder, program):
    done, paths = traced(folder, [program, "threads"])
    trace = Trace(paths[0])
    checks.fine("threads", done, trace)
    trees = sorted(" ".join(map(str, trace.tree(thread).children)) for thread in trace.threads())
    checks.same("threads", trees, ["inner(leaf)!"] * 4 + ["outer"])
    done, paths = traced(folder, [program, "forks"])
    trees = []
    for path in paths:
        trace = Trace(path)
        checks.fine("forks", done, trace)
        # The child's region began in its parent: its end is all that the child has of it.
        trees.append(" ".join(map(str, trace.tree().children)))
    checks.same("forks", sorted(trees), ["leaf", "outer"])


def check_limits(checks, folder, program):
    done, paths = traced(folder, [program, "signals"])
    checks.fine("signals", done, Trace(paths[0]))
    done, paths = traced(folder, [program, "names"])
    trace = Trace(paths[0])
    checks.fine("names", done, trace)
    checks.same("names", len(trace.names()), 65536)
    checks.holds("names: said once", done.stderr.count("manual probes") == 1, done.stderr[-500:])


def check_exec(checks, folder, program):
    """exec of a program none of whose functions is traced is not seen: what was recorded survives it."""
    path, clean = os.path.join(folder, "exec.kpt"), os.path.join(folder, "clean.kpt")
    done = run([program, "executes"], True, OUTPUT="file:" + path)
    subprocess.run([KPROBE, "recover", "--remove", "-o", clean, path], stdout=subprocess.DEVNULL, check=True)
    told = subprocess.run([KPROBE, "dump", clean], stdout=subprocess.PIPE, universal_newlines=True)
    checks.same("exec", [line.split("\t")[3:6:2] for line in told.stdout.splitlines()],
                [["enter", "outer"], ["enter", "leaf"], ["exit", "leaf"]])
    checks.same("exec: its status", done.returncode, 0)


def check_rules(checks, folder, program):
    for rules, wanted in (("-manual:outer", ["leaf", "inner", "leaf", "void shop.Cart.total(int,long)"]),
                          ("+manual:*shop.Cart.*(*)", ["void shop.Cart.total(int,long)"]),
                          ("+manual:outer,+manual:re:l.*f", ["outer", "leaf", "leaf"]),
                          ("+nothing.*", ["outer", "leaf", "inner", "leaf", "void shop.Cart.total(int,long)"])):
        done, paths = traced(folder, [program, "nested"], FILTER=rules)
        trace = Trace(paths[0])
        checks.fine(rules, done, trace)
        checks.same(rules, trace.names(), wanted)
    for options in ({"FILTER": "-manual:*"}, {"ENABLED": "0"}):
        done, paths = traced(folder, [program, "nested"], **options)
        checks.same("nothing wanted (%s)" % options, (done.returncode, paths), (0, []))


def check_functions(checks, folder, program):
    """Among functions in C that are traced, too: what they leave open ends with them."""
    # The compiler must leave the calls through the table of the linker.
    library = os.path.join(folder, "libparts.so")
    source = os.path.join(folder, "parts.c")
    with open(source, "w") as file:
        file.write('#include "kprobe.h"\nvoid opens(void); void closes(void); void opens(void) { kprobe_begin_named("r"); }\n'
                   'void closes(void) { kprobe_end_named("r"); }\n')
    subprocess.run([CC, *WARNINGS, "-shared", "-fPIC", source, "-o", library], check=True)
    source = os.path.join(folder, "parts_main.c")
    with open(source, "w") as file:
        file.write('#include "kprobe.h"\nvoid opens(void); void closes(void);\nint main(void) { kprobe_begin_named("a");'
                   ' opens(); closes(); kprobe_end_named("a"); return 0; }\n')
    program = build(folder, CC, source, "parts", library, "-Wl,-rpath," + folder)
    done, paths = traced(folder, [program], FILTER="+libparts.so:*")
    trace = Trace(paths[0])
    checks.fine("functions", done, trace)
    checks.same("functions", " ".join(map(str, trace.tree().children)), "a(libparts.so:opens(r!) libparts.so:closes)")


def check_cpp(checks, folder):
    plugin = os.path.join(folder, "plugin.so")
    scope = "throws(throws!)! quiet throws! named named"
    for standard in ("c++11", "c++20"):
        program = build(folder, CXX, "scopes.cc", "scopes", "-std=" + standard, "-ldl")
        for name in ("first", "second"):
            build(folder, CC, "plugin.c", "plugin.so", "-shared", "-fPIC", '-DNAME="%s"' % name)
            checks.same("c++ plain", run([program, plugin]).stdout, "done\n")
            done, paths = traced(folder, [program, plugin])
            trace = Trace(paths[0])
            checks.fine(standard, done, trace)
            tree = " ".join(map(str, trace.tree().children)).replace("throws!(throws!)", "throws(throws!)!")
            checks.holds(standard, tree.endswith("named named %s %s" % (name, name)), tree)
            checks.same(standard + ": unwound", [e[3] for e in trace.events if e[1] == "unwind"], ["throws"] * 3)
            checks.holds(standard + ": in order", ("exit", "quiet") in [(e[1], e[3]) for e in trace.events] or
                         standard == "c++11", scope)


def check_records(checks, folder):
    generated = os.path.join(folder, "records")
    subprocess.run([KPROBE, "irl", "-l", "c", "-o", generated, os.path.join(HERE, "shop.irl")], check=True)
    sources = [os.path.join(root, name) for root, _, names in os.walk(generated) for name in names if name.endswith(".c")]
    program = build(folder, CC, "records.c", "records.out", "-I", generated, "-std=c11", *sources, "-lm")
    checks.same("records plain", run([program, "3"]).stdout, "done\n")
    done, paths = traced(folder, [program, "2"])
    lines = [event[3:] for event in Trace(paths[0]).events if event[1] == "record"]
    checks.fine("records", done)
    values = "[1.5,-0.25];[3,-4];true;1;120;0.5;[a\\x3bb,\u00e9]"
    checks.same("records", lines, [("shop.Order", "nobody;%d;%s" % (i, values)) for i in range(2)])
    # A small ring that is never waited for: what is there is whole, the rest counted.
    done, paths = traced(folder, [program, "300000"], BUFFER="64K", COMPRESS="none")
    checks.fine("many records", done)
    trace = Trace(paths[0])
    checks.holds("many records: the trace", not trace.problem, trace.problem)
    texts = [event[4] for event in trace.events if event[1] == "record"]
    ids = [int(text.split(";")[1]) for text in texts]
    checks.holds("many records: whole", all(text.endswith(values) for text in texts), texts[:1])
    checks.holds("many records: in order", ids == sorted(set(ids)), "")
    lost = [event for event in trace.events if event[1] == "lost"]
    told = subprocess.run([KPROBE, "info", "--json", paths[0]], stdout=subprocess.PIPE, check=True).stdout.decode()
    checks.holds("many records: counted", len(ids) == 300000 or lost or '"events_lost"' in told, "%d" % len(ids))
    # More different strings than there is room for.
    done, paths = traced(folder, [program, "30000", "4000"])
    dropped = int(meta(paths[0]).get("manual.records_without_room", "0"))
    trace = Trace(paths[0])
    checks.fine("long strings", done, trace)
    there = sum(event[1] == "record" for event in trace.events)
    checks.holds("long strings: bounded", dropped > 0 and there + dropped == 30000, "%d there, %d dropped" % (there, dropped))


def main():
    if not shutil.which(CC) or not shutil.which(CXX):
        print("no compiler")
        return 77
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="kprobe-manual-") as folder:
        for number, options in enumerate((["-std=c11", "-O2"], ["-std=c11", "-O0", "-fno-pie", "-no-pie"])):
            program = build(folder, CC, "program.c", "program%d" % number, "-D_GNU_SOURCE", "-pthread", *options)
            check_cases(checks, folder, program)
        static = build(folder, CC, "program.c", "static", "-D_GNU_SOURCE", "-pthread", "-static")
        checks.same("static", run([static, "nested"]).stdout, "done 0\n")
        for check in (check_threads, check_limits, check_exec, check_rules, check_functions):
            check(checks, folder, program)
        check_cpp(checks, folder)
        check_records(checks, folder)
    print("%d failed" % checks.failed)
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())

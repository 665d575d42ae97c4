#!/usr/bin/env python3
"""Programs in C, C++ and assembly, built here, run plainly and under the shim with rules for C functions.

    suites.py --work build/dev/tests/native                       every case as it comes from the compiler
    suites.py abi exceptions --style now --style lld              these cases, linked in these ways
    suites.py --list | --list-styles

What must hold: standard output, error output and status are those of the plain run; `kprobe verify` is content; the events of
each thread nest; and every function of the program's library, which counts its calls itself (programs/counted.h), was
entered that often, for every set of rules in RULES. Calls that kprobe counted as lost must make up what is missing, exactly.

Exit status: 0 all fine, 1 something differs, 77 nothing could run.
"""
import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter, namedtuple
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
PROGRAMS = os.path.join(HERE, "programs")
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "oracle"))
import compare  # noqa: E402

TIMEOUT_S = 60
CALLS_TO_NEST = 300000  # of longer traces `verify` says it
ESCAPES_DAMAGE = 1000  # calls, of some hundred thousand, that jumps out of our own code may leave half recorded

# How objects are made and put together. `needs` is a program that must be there. Options go to the library and to the program.
Style = namedtuple("Style", "name compile link needs strip", defaults=((), (), None, False))
STYLES = [
    Style("default"),
    Style("now", link=["-Wl,-z,now"]),
    Style("lazy", link=["-Wl,-z,lazy"]),
    Style("no_plt", ["-fno-plt"], ["-Wl,-z,lazy"]),
    Style("no_plt_now", ["-fno-plt"], ["-Wl,-z,now"]),
    Style("no_pie", ["-fno-pie"], ["-no-pie"]),
    Style("no_pie_now", ["-fno-pie"], ["-no-pie", "-Wl,-z,now"]),
    Style("gold", link=["-fuse-ld=gold", "-Wl,-z,lazy"], needs="ld.gold"),
    Style("gold_now", link=["-fuse-ld=gold", "-Wl,-z,now"], needs="ld.gold"),
    Style("lld", link=["-fuse-ld=lld", "-Wl,-z,lazy"], needs="ld.lld"),
    Style("lld_now", link=["-fuse-ld=lld", "-Wl,-z,now"], needs="ld.lld"),
    Style("cet", ["-fcf-protection=full"], ["-fuse-ld=bfd", "-Wl,-z,ibtplt", "-Wl,-z,lazy"], needs="ld.bfd"),
    Style("sysv_hash", link=["-Wl,--hash-style=sysv"]),
    Style("stripped", link=["-s"]),
    Style("packed", link=["-fuse-ld=bfd", "-Wl,-z,pack-relative-relocs"], needs="ld.bfd"),
    Style("static_libgcc", link=["-static-libgcc", "-static-libstdc++"]),
    Style("unoptimised", ["-O0", "-fno-inline"]),
]

# `check`: "counts" (each function exactly), "escapes" (nearly; Run.check_escapes), or None.
# `nesting` False: calls of different stacks are mixed. `libraries`: -l of the program; `needs`: header without which it is skipped.
# `callers`: a second library, which calls the first.
Case = namedtuple("Case", "name main library arguments check nesting libraries needs flags status rules callers environment",
                  defaults=(None, [], "counts", True, [], None, [], 0, None, None, {}))
# A call is a call, not a jump at the end.
FRAMES = ["-fno-optimize-sibling-calls"]
OWN, ALL = {"own": "+LIBRARY:t_*"}, {"all": "+*:*"}
CASES = [
    Case("abi", "abi.c", "abi_lib.c", ["3"], libraries=["-lm"], flags=["-Wno-psabi"]),
    Case("abi_fuzz", "fuzz/fuzz.c", "fuzz/stubs.S", ["4000", "1"], libraries=["-lffi"], needs="ffi.h", callers="fuzz/callers.S"),
    Case("abi_fuzz_inline", "fuzz/fuzz.c", "fuzz/stubs.S", ["3000", "3"], libraries=["-lffi"], needs="ffi.h", callers="fuzz/callers.S",
         environment={"KPROBE_INLINE": "1"}, rules=OWN),
    Case("jumps", "jumps.c", "jumps_lib.c", ["20000"], flags=FRAMES),
    Case("jumps_checked", "jumps.c", "jumps_lib.c", ["1000"], flags=FRAMES + ["-D_FORTIFY_SOURCE=2"]),
    Case("jumps_async", "jumps.c", "jumps_lib.c", ["async"], check="escapes", flags=FRAMES),
    Case("exceptions", "exceptions.cpp", "exceptions_lib.cpp", flags=FRAMES),
    Case("exceptions_unwind", "exceptions.cpp", "exceptions_lib.cpp", libraries=["-lunwind"], needs="libunwind.h",
         flags=FRAMES + ["-DWITH_LIBUNWIND"]),
    Case("exceptions_terminate", "exceptions.cpp", "exceptions_lib.cpp", ["3", "terminate"], None, flags=FRAMES,
         status=-signal.SIGABRT),
    Case("exceptions_exit", "exceptions.cpp", "exceptions_lib.cpp", ["3", "exit"], flags=FRAMES, status=3),
    Case("threads", "threads.c", "threads_lib.c", ["400"], flags=FRAMES),
    Case("threads_main_leaves", "threads.c", "threads_lib.c", ["8", "main_leaves"], flags=FRAMES, status=signal.SIGALRM),
    Case("storm", "storm.c", "storm_lib.c", ["0.7"]),
    Case("coroutines", "coroutines.c", "coroutines_lib.c", flags=FRAMES),
    Case("small_stacks", "small_stacks.c", "small_stacks_lib.c"),
    Case("short", "short.c", "short_lib.S"),
    Case("collected", "collected.c", "collected_lib.c", libraries=["-lgc"], needs="gc.h"),
    Case("no_new_code", "no_new_code.c", "storm_lib.c"),
    Case("shadow_stack", "shadow_stack.c", "abi_lib.c", libraries=["-lm"], flags=["-Wno-psabi"], rules=ALL),
    Case("processes", "processes.c", "processes_lib.c", flags=FRAMES, status=11),
]

# Which functions are traced: the library's own, and with everything that the process calls.
RULES = {
    "own": "+LIBRARY:t_*",
    "libc": "+LIBRARY:t_*,+libc.so.6:*",
    "all": "+*:*",
}


def compiler(source):
    if source.endswith(".cpp"):
        return os.environ.get("CXX", "c++")
    return os.environ.get("CC", "cc")


class Missing(Exception):
    """What a case needs is not on this machine."""


class Failed(Exception):
    """It could not be built or run."""


class Builder:
    """Objects, libraries and programs, each made once."""

    def __init__(self, work):
        self.work = work
        self.done = {}
        self.lock = threading.Lock()

    def run(self, command):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            raise Failed("%s\n%s" % (" ".join(command), done.stdout.decode("utf-8", "replace")[-2000:]))

    def object(self, source, flags):
        key = (source, tuple(flags))
        with self.lock:
            if key not in self.done:
                path = os.path.join(self.work, "object%d.o" % len(self.done))
                self.run([compiler(source), "-g", "-O2", "-D_GNU_SOURCE", "-c", os.path.join(PROGRAMS, source), "-o", path] + flags)
                self.done[key] = path
            return self.done[key]

    def build(self, case, style):
        """The program's path, and the name of its library."""
        if style.needs and not shutil.which(style.needs):
            raise Missing("%s is not installed" % style.needs)
        flags = case.flags + list(style.compile)
        if case.needs:
            self.check_needs(case)
        folder = os.path.join(self.work, case.name + "." + style.name)
        os.makedirs(folder, exist_ok=True)
        library = "lib%s.so" % case.name
        shared = [flag for flag in flags if flag not in ("-fno-pie",)] + ["-fPIC"]
        driver = compiler("x.cpp" if (case.main + (case.library or "")).find(".cpp") >= 0 else "x.c")
        linked = ["-L" + folder, "-Wl,-rpath," + folder]
        for source, name in ((case.library, case.name), (case.callers, case.name + "_callers")):
            if source:
                self.run([driver, "-shared", "-o", os.path.join(folder, "lib%s.so" % name), self.object(source, shared),
                          "-Wl,-soname,lib%s.so" % name] + linked + self.shared_link(style) + case.libraries)
                linked.insert(0, "-l" + name)
        program = os.path.join(folder, case.name)
        self.run([driver, "-o", program, self.object(case.main, flags), "-pthread", "-rdynamic"] + linked + list(style.link)
                 + case.libraries + ["-ldl"])
        return program, library

    @staticmethod
    def shared_link(style):
        return [flag for flag in style.link if flag not in ("-no-pie",)]

    def check_needs(self, case):
        test = subprocess.run([compiler(case.main), "-E", "-x", "c", "-", "-o", os.devnull],
                              input=("#include <%s>\n" % case.needs).encode(), stderr=subprocess.DEVNULL)
        if test.returncode:
            raise Missing("<%s> is not installed" % case.needs)


def counts_of(path):
    counts = Counter()
    if os.path.exists(path):
        with open(path) as file:
            for line in file:
                name, calls = line.split()
                counts[name] += int(calls)
    return +counts


class Run:
    """One case, built in one way, under one set of rules."""

    def __init__(self, case, program, library, options):
        self.case, self.program, self.library = case, program, library
        self.kprobe, self.shim = os.path.join(options.tools, "kprobe"), os.path.join(options.tools, "libkprobe.so")
        self.limit_s = options.limit
        self.environment = dict(case.environment, **{"KPROBE_INLINE": "1"} if options.inside else {})
        self.problems = compare.Problems()

    def start(self, folder, **extra):
        env = compare.environment(COUNTS=os.path.join(folder, "counts"), **self.environment, **extra)
        # The libraries that gdb and others look for are the system's; the program knows its own by RPATH.
        return compare.run([self.program] + self.case.arguments, env, os.devnull, folder, self.limit_s)

    def plain(self):
        folder = tempfile.mkdtemp(prefix="kprobe-native-")
        try:
            return self.start(folder)
        finally:
            shutil.rmtree(folder)

    def check(self, plain, rules):
        """What is wrong, as text; what kprobe counted as lost."""
        folder = tempfile.mkdtemp(prefix="kprobe-native-")
        try:
            os.mkdir(os.path.join(folder, "traces"))
            traced = self.start(folder, LD_PRELOAD=self.shim, KPROBE_FILTER=rules.replace("LIBRARY", self.library),
                                KPROBE_ON_FULL="block", KPROBE_OUTPUT="file:" + os.path.join(folder, "traces", "kprobe.%p.kpt"))
            compare.compare_output(plain, traced, self.problems, "traced")
            return self.problems.lines, self.check_traces(folder, counts_of(os.path.join(folder, "counts")))
        finally:
            for mapping, _ in compare.leftovers(folder):
                os.unlink(mapping)
            shutil.rmtree(folder)

    def check_traces(self, folder, counts):
        traces = compare.find_traces(os.path.join(folder, "traces"))
        if not traces:
            self.problems.add("no trace was written")
            return 0
        verify = subprocess.run([self.kprobe, "verify"] + traces, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if self.case.check == "escapes":
            self.check_escapes(self.report(traces), counts)
            return 0
        if verify.returncode and self.case.nesting:
            self.problems.add("kprobe verify: status %d\n%s" % (verify.returncode, verify.stdout.decode()[-1500:]))
        report = self.report(traces)
        if self.case.check:
            self.check_counts(report, counts)
        if self.case.nesting and report.get("calls", 0) < CALLS_TO_NEST:
            for trace in traces:
                for key, raw in compare.dump_events(self.kprobe, trace, self.problems).items():
                    # What is missing, `verify` knows better how to judge.
                    if not any(event[0] == "lost" for event in raw):
                        compare.check_nesting(key, raw, self.problems)
        return report.get("calls_lost", 0)

    def report(self, traces):
        done = subprocess.run([self.kprobe, "report", "--json"] + traces, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            return json.loads(done.stdout.decode("utf-8", "replace"))
        except ValueError:
            self.problems.add("kprobe report: status %d: %s" % (done.returncode, done.stderr.decode()[-500:]))
            return {"functions": []}

    def check_escapes(self, report, counts):
        """A handler that jumps out of a probe leaves it undone: one call more or less, and the next is seen as ever."""
        seen = {function["name"].split(":")[-1]: function["calls"] for function in report["functions"]
                if function["name"].startswith(self.library + ":")}
        difference = sum(abs(counts[name] - seen.get(name, 0)) for name in counts) - report.get("calls_lost", 0)
        if difference > ESCAPES_DAMAGE:
            self.problems.add("counted %s, seen %s" % (dict(counts), seen))

    def check_counts(self, report, counts):
        """Those of the library: what happened is what was seen and what was lost."""
        prefix, lost = self.library + ":", report.get("calls_lost", 0)
        seen = Counter()
        for function in report["functions"]:
            if function["name"].startswith(prefix) and function["name"][len(prefix):] in counts:
                seen[function["name"][len(prefix):]] += function["calls"]
        if not counts:
            self.problems.add("the program counted nothing")
        missing = 0
        for name in sorted(counts):
            if seen[name] > counts[name] or seen[name] < counts[name] and not lost:
                self.problems.add("%s was called %d times, and seen %d times" % (name, counts[name], seen[name]))
            missing += counts[name] - seen[name]
        if missing > lost:
            self.problems.add("%d calls were not seen, but only %d counted as lost" % (missing, lost))


def check_case(case, style, options, builder):
    """Lines to print, and whether it failed (None: skipped)."""
    title = "%s, %s" % (case.name, style.name)
    try:
        program, library = builder.build(case, style)
    except Missing as why:
        return ["skipped: %s: %s" % (title, why)], None
    except Failed as why:
        return ["FAIL   %s: cannot be built" % title, "  " + str(why).replace("\n", "\n  ")], True
    plain = Run(case, program, library, options).plain()
    if plain.status == 77:
        return ["skipped: %s: %s" % (title, plain.out.decode("utf-8", "replace").strip())], None
    if plain.status != case.status:
        return ["FAIL   %s: without the shim it ends with %s" % (title, plain.status), "  %r" % (plain.err[-1000:],)], True
    if options.plain:
        again, problems = Run(case, program, library, options).plain(), compare.Problems()
        compare.compare_output(plain, again, problems, "second")
        return ["%-6s %s, without the shim" % ("FAIL" if problems.lines else "ok", title)] + problems.lines, bool(problems.lines)
    lines, failed = [], False
    for name, rules in (case.rules or RULES).items():
        if options.rules and name not in options.rules:
            continue
        problems, lost = Run(case, program, library, options).check(plain, rules)
        lines.append("%-6s %s, rules %s%s" % ("FAIL" if problems else "ok", title, name, ", %d lost" % lost if lost else ""))
        lines += ["  " + line.replace("\n", "\n  ") for line in problems]
        failed = failed or bool(problems)
    return lines, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--tools", default=os.path.join(TOP, "build/dev/bin"), help="folder of kprobe and libkprobe.so")
    parser.add_argument("--work", help="folder for what is built (default: a temporary one)")
    parser.add_argument("--style", action="append", help="how to link (default: default; 'all')")
    parser.add_argument("--rules", action="append", help="only these: " + ", ".join(RULES))
    parser.add_argument("--inside", action="store_true", help="calls inside of objects, too (KPROBE_INLINE=1)")
    parser.add_argument("--plain", action="store_true", help="no shim: only whether the programs always print the same")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--limit", type=float, default=TIMEOUT_S, help="seconds that a program may take")
    parser.add_argument("--arguments", nargs="+", help="for the program, instead of the case's")
    parser.add_argument("--list", action="store_true", help="print the cases and stop")
    parser.add_argument("--list-styles", action="store_true", help="print the ways to link and stop")
    parser.add_argument("cases", nargs="*", help="only these")
    options = parser.parse_args()
    if options.list or options.list_styles:
        print("\n".join(row.name for row in (CASES if options.list else STYLES)))
        return 0
    options.tools = os.path.abspath(options.tools)
    wanted = options.style or ["default"]
    styles = [style for style in STYLES if "all" in wanted or style.name in wanted]
    cases = [case for case in CASES if not options.cases or case.name in options.cases]
    if options.arguments:
        cases = [case._replace(arguments=options.arguments) for case in cases]
    if options.cases and len(cases) != len(options.cases) or not styles:
        parser.error("no such case or style")
    work = tempfile.mkdtemp(prefix="kprobe-native-build-", dir=options.work)
    try:
        builder = Builder(work)
        with ThreadPoolExecutor(options.jobs) as pool:
            results = []
            for lines, failed in pool.map(lambda pair: check_case(*pair, options, builder),
                                          [(case, style) for case in cases for style in styles]):
                print("\n".join(lines), flush=True)
                results.append(failed)
    finally:
        shutil.rmtree(work)
    ran = [failed for failed in results if failed is not None]
    return 1 if any(ran) else 0 if ran else 77


if __name__ == "__main__":
    sys.exit(main())

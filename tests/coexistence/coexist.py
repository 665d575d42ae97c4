#!/usr/bin/env python3
"""Other tools, allocators, runtimes and stack switchers beside the shim, each a case of one table.

    coexist.py --libraries build/dev/tests/coexistence                       every case on every interpreter, as a list
    coexist.py --libraries ... --python /usr/bin/python3 --engine frame gevent    one case
    coexist.py --list                                         case, interpreter and version, one a line (for CMake)

Each program runs plainly and under the shim. What must hold: output and exit status are the same, `kprobe verify` is
content, calls nest, and the calls in the trace are those that the program made. Which these are is known from

    workload   the oracle's events of the program `alone`: in the file workload.py the same events must come, in one thread,
               whatever tool looks on (the oracle itself cannot run beside most of these tools)
    oracle     the oracle's events of the program itself, thread by thread
    activations    the same, but only how often each function is entered and left, because who comes first, and in which
               worker, differs from run to run
    seen       the same from 3.12 on; before that the oracle would use the hooks that the program is about
    calls      the line `# calls:` in the program: functions and how often each is entered and left

Exit status: 0 all fine, 1 something differs, 77 nothing could run.
"""
import argparse
import fnmatch
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter, namedtuple

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
PROGRAMS = os.path.join(HERE, "programs")
sys.path.insert(0, os.path.dirname(HERE))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "oracle"))
import compare  # noqa: E402
from interpreters import one_of_each_minor  # noqa: E402

TIMEOUT_S = 100
OLDEST = (3, 11)
SHIM = "SHIM"  # its place among the preloaded libraries

# `command` is the program in programs/ and its arguments, after options of the interpreter; LIBRARIES is where the build
# put the test libraries, WORK a folder for the program's files. `preload`: libraries around the shim, as the compiler or
# the loader knows them. `check` is described above, `status` is how the program has to end.
Case = namedtuple("Case", "name command check environment preload stdin since why_later status",
                  defaults=({}, (SHIM,), None, OLDEST, "", 0))
NO_MONITORING = "there is no sys.monitoring before 3.12"
NO_LEAKS = {"ASAN_OPTIONS": "detect_leaks=0:exitcode=99"}  # an interpreter leaks by design
ALL_OF_C = {"KPROBE_FILTER": "+*:*,+c:*"}  # stacks of C are switched and unwound, too
CASES = [
    Case("coverage_ctrace", ["under_coverage.py", "branch"], "workload", {"COVERAGE_CORE": "ctrace"}),
    Case("coverage_sysmon", ["under_coverage.py", "line"], "workload", {"COVERAGE_CORE": "sysmon"}, since=(3, 12),
         why_later=NO_MONITORING),
    Case("cprofile", ["under_cprofile.py"], "workload"),
    Case("settrace", ["under_settrace.py"], "seen"),
    Case("setprofile", ["under_setprofile.py"], "seen"),
    Case("monitoring_tool", ["under_monitoring.py"], "seen", since=(3, 12), why_later=NO_MONITORING),
    Case("pdb", ["-m", "pdb", "alone.py"], "workload", stdin="pdb_commands.txt"),
    Case("debugpy", ["under_debugpy.py", "WORK/output"], "workload", {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}),
    Case("faulthandler_dump", ["faulthandler_dump.py", "WORK/dump"], "oracle"),
    Case("faulthandler_segfault", ["faulthandler_segfault.py"], "oracle", status=-signal.SIGSEGV),
    Case("greenlet", ["greenlet_switches.py"], "calls"),
    Case("greenlet_c", ["greenlet_switches.py"], "calls", ALL_OF_C),
    Case("gevent", ["gevent_server.py"], "calls"),
    Case("gevent_c", ["gevent_server.py"], "calls", ALL_OF_C),
    Case("uvloop", ["uvloop_server.py"], "activations"),
    Case("multiprocessing_fork", ["multiprocessing_methods.py", "fork"], "activations"),
    Case("multiprocessing_spawn", ["multiprocessing_methods.py", "spawn"], "activations"),
    Case("multiprocessing_forkserver", ["multiprocessing_methods.py", "forkserver"], "activations"),
    Case("jemalloc_first", ["jemalloc.py"], "oracle", preload=("libjemalloc.so.2", SHIM)),
    Case("jemalloc_last", ["jemalloc.py"], "oracle", {"PYTHONMALLOC": "malloc"}, preload=(SHIM, "libjemalloc.so.2")),
    Case("asan", ["asan_extension.py", "LIBRARIES/kp_test_sanitized.so"], "oracle", NO_LEAKS, preload=("libasan.so", SHIM)),
    Case("asan_report", ["asan_extension.py", "LIBRARIES/kp_test_sanitized.so", "overflow"], "oracle", NO_LEAKS,
         preload=("libasan.so", SHIM), status=99),
    Case("cpp_exceptions", ["cpp_exceptions.py", "LIBRARIES/kp_test_throwing.so"], "oracle", status=7),
    Case("cpp_exceptions_c", ["cpp_exceptions.py", "LIBRARIES/kp_test_throwing.so"], "oracle", ALL_OF_C, status=7),
]

# Differences that are known: case, engine, what is not demanded ("output", "verify", "nesting", "events"), and why.
Known = namedtuple("Known", "case engine what why")
SWITCHES = "these engines do not see that greenlets switch stacks: calls of different greenlets are mixed"
KNOWN = [
    Known(case, engine, what, SWITCHES)
    for case in ("greenlet*", "gevent*") for engine in ("frame", "monitoring", "profile") for what in ("verify", "nesting")
] + [
    Known("monitoring_tool", "monitoring", "output", "which events a tool gets after it was switched on or off in a callback "
          "depends on whether there is another tool, whoever that is (3.13)"),
] + [
    Known("cpp_exceptions_c", engine, "events", "the unwinder tells of the C++ exception that leaves traced functions in C, so the Python "
          "calls above them are known to be unwound; the oracle is not told")
    for engine in ("opcode", "monitoring", "frame", "profile")
]


def packages(python):
    """The folder of the packages for this interpreter, None when scripts/setup has not installed them."""
    script = os.path.join(TOP, "scripts", "python-packages")
    done = subprocess.run([script, "--find", "coexistence", python], stdout=subprocess.PIPE, universal_newlines=True)
    return done.stdout.strip() or None


def library(name):
    """Where the loader or the compiler finds a library, None when it is not installed."""
    compiler = os.environ.get("CC", "cc")
    known = subprocess.run([compiler, "-print-file-name=" + name], stdout=subprocess.PIPE, universal_newlines=True)
    path = known.stdout.strip()
    return os.path.realpath(path) if os.path.isabs(path) else None


class Cell:
    """One case on one interpreter."""

    def __init__(self, case, python, engine, options):
        self.case, self.python, self.engine = case, python, engine
        self.tools, self.libraries = options.tools, options.libraries
        self.kprobe = os.path.join(self.tools, "kprobe")
        self.problems = compare.Problems()
        self.allowed, self.used = set(), set()

    def missing(self):
        """Why this cannot run here, None when it can."""
        if compare.version_of(self.python) < self.case.since:
            return self.case.why_later
        if not packages(self.python):
            return "the packages are not installed: scripts/python-packages coexistence %s" % self.python
        for name in self.case.preload:
            if name != SHIM and not library(name):
                return "%s is not installed" % name
        return None

    def preload(self, folder, traced):
        """Libraries from a copy, because an interpreter of another system may have a /usr of its own."""
        paths = []
        for name in self.case.preload:
            if name != SHIM:
                paths.append(shutil.copy(library(name), folder))
            elif traced:
                paths.append(os.path.join(self.tools, "libkprobe.so"))
        return ":".join(paths)

    def run(self, folder, traced, **extra):
        paths = [path for path in (extra.pop("first_path", None), packages(self.python)) if path]
        env = compare.environment(PYTHONPATH=":".join(paths), PYTHONNOUSERSITE="1", **self.case.environment, **extra)
        preload = self.preload(folder, traced)
        if preload:
            env["LD_PRELOAD"] = preload
        places = {"LIBRARIES": self.libraries, "WORK": folder}
        command = [re.sub("^(LIBRARIES|WORK)/", lambda match: places[match.group(1)] + "/", word)
                   for word in self.case.command]
        stdin = os.path.join(PROGRAMS, self.case.stdin) if self.case.stdin else os.devnull
        return compare.run([self.python] + command, env, stdin, PROGRAMS, TIMEOUT_S)

    def check(self):
        """What is wrong, as text."""
        folder = tempfile.mkdtemp(prefix="kprobe-coexistence-")
        try:
            plain = normal(self.run(folder, traced=False))
            if plain.status != self.case.status:
                self.problems.add("without the shim it ends with %s instead of %s: %s"
                                  % (plain.status, self.case.status, plain.err.decode("utf-8", "replace")[-1000:]))
            trace = "file:" + os.path.join(folder, "traces", "kprobe.%p.kpt")
            os.mkdir(os.path.join(folder, "traces"))
            traced = normal(self.run(folder, True, KPROBE_OUTPUT=trace, KPROBE_ENGINE=self.engine))
            self.check_traces(folder)
            if "output" not in self.allowed:
                compare.compare_output(plain, traced, self.problems, "traced")
            return self.problems.lines
        finally:
            for mapping, _ in compare.leftovers(folder):
                os.unlink(mapping)
            shutil.rmtree(folder)

    def check_traces(self, folder):
        traces = compare.find_traces(os.path.join(folder, "traces"))
        if not traces:
            self.problems.add("no trace was written")
            return
        self.used = compare.check_engine(self.kprobe, traces, self.engine, self.problems)
        self.allowed = {row.what for row in KNOWN if fnmatch.fnmatch(self.case.name, row.case) and row.engine in self.used}
        verify = subprocess.run([self.kprobe, "verify"] + traces, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if verify.returncode and "verify" not in self.allowed:
            self.problems.add("kprobe verify: status %d\n%s" % (verify.returncode, verify.stdout.decode()[-1500:]))
        got = self.events(traces)
        if "events" not in self.allowed and self.case.check:
            getattr(self, "check_" + self.case.check)(folder, got)

    def events(self, traces):
        """The events of the programs here, thread by thread."""
        threads = []
        for trace in traces:
            for key, raw in compare.dump_events(self.kprobe, trace, self.problems).items():
                if "nesting" not in self.allowed:
                    compare.check_nesting(key, raw, self.problems)
                rows = zip(*compare.with_exceptions(raw))
                threads.append([event for event in (compare.corpus_event(*row, root=PROGRAMS + "/") for row in rows) if event])
        return [thread for thread in threads if thread]

    def oracle(self, folder, cell=None):
        """What the oracle sees of this case's program, or of another's."""
        cell = cell or self
        out = os.path.join(folder, "oracle")
        os.mkdir(out)
        mode = compare.oracle_modes(compare.version_of(self.python), {})[0]
        cell.run(folder, False, ORACLE_OUT=out, ORACLE_ROOT=PROGRAMS + "/", ORACLE_MODE=mode,
                 first_path=os.path.join(compare.HERE, "site"))
        return compare.oracle_events(out)

    def without_closing(self, threads):
        """The engine opcode is no tool of the interpreter's, which has generators run only to be closed for tools."""
        if "opcode" not in self.used:
            return threads
        return [kept for kept in map(compare.without_closing, threads) if kept]

    def check_oracle(self, folder, got):
        expected = self.without_closing(self.oracle(folder))
        if not expected:
            self.problems.add("the oracle saw nothing")
        compare.compare_threads(expected, got, self.problems)

    def check_activations(self, folder, got):
        threads = self.oracle(folder)
        # Generators are run to be closed while the program has its own tool, or not.
        most, least, seen = activations(threads), activations(self.without_closing(threads)), activations(got)
        if not most:
            self.problems.add("the oracle saw nothing")
        for key in sorted(most.keys() | seen.keys()):
            if not least[key] <= seen[key] <= most[key]:
                self.problems.add("%s: %d times instead of %d" % (" ".join(key), seen[key], most[key]))

    def check_seen(self, folder, got):
        if compare.version_of(self.python) >= (3, 12):
            self.check_activations(folder, got)

    def check_workload(self, folder, got):
        alone = Cell(Case("alone", ["alone.py"], None), self.python, self.engine, self)
        expected, got = only_workload(self.oracle(folder, alone)), only_workload(got)
        if len(expected) != 1:
            self.problems.add("the oracle saw %d threads instead of one" % len(expected))
        # The tool that looks on may be one for which generators are run to be closed, or not.
        if sum(map(len, got)) < sum(map(len, expected)):
            expected = self.without_closing(expected)
        compare.compare_threads(expected, got, self.problems, names=False)

    def check_calls(self, folder, got):
        marks = compare.directives(os.path.join(PROGRAMS, self.case.command[0]))
        expected = {name: int(count) for name, count in (text.split() for text in ", ".join(marks["calls"]).split(", "))}
        begun = Counter(event.name for thread in got for event in thread if event.kind == "enter")
        ended = Counter(event.name for thread in got for event in thread if event.kind in ("exit", "unwind"))
        for name, count in expected.items():
            if begun[name] != count:
                self.problems.add("%s was entered %d times instead of %d" % (name, begun[name], count))
            if ended[name] > count:
                self.problems.add("%s was left %d times instead of %d" % (name, ended[name], count))


def activations(threads):
    return Counter(compare.key_of(event) for thread in threads for event in thread
                   if event.kind in ("enter", "exit", "unwind"))


def only_workload(threads):
    kept = [[event for event in thread if event.where.startswith("workload.py:")] for thread in threads]
    return [thread for thread in kept if thread]


# Of the sanitizer's report, its verdict, and of faulthandler's no stack in C: they tell addresses and the libraries around.
REPORT = re.compile(rb"^==\d+==ERROR: AddressSanitizer: ([\w-]+).*", re.S | re.M)


STACK_IN_C = re.compile(rb"^Current thread's C stack trace.*", re.S | re.M)


def normal(run):
    """Without what differs from run to run: addresses, thread and process ids."""
    err = STACK_IN_C.sub(b"", REPORT.sub(rb"AddressSanitizer: \1", run.err))
    texts = [re.sub(rb"0x[0-9a-f]+", b"0x", text) for text in (run.out, err)]
    return compare.Run(run.status, *texts)


def report(title, problems):
    print("%-6s %s" % ("FAIL" if problems else "ok", title), flush=True)
    for line in problems:
        print("  " + line.replace("\n", "\n  "))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--tools", default=os.path.join(TOP, "build/dev/bin"), help="folder of kprobe and libkprobe.so")
    parser.add_argument("--libraries", default=os.path.join(TOP, "build/dev/tests/coexistence"), help="folder of the test libraries")
    parser.add_argument("--python", action="append", help="only this interpreter (may be given several times)")
    parser.add_argument("--engine", default="auto", help="KPROBE_ENGINE")
    parser.add_argument("--list", action="store_true", help="print the cells and stop")
    parser.add_argument("cases", nargs="*", help="only these")
    options = parser.parse_args()
    options.tools, options.libraries = os.path.abspath(options.tools), os.path.abspath(options.libraries)
    cells = [Cell(case, python, options.engine, options) for python in options.python or one_of_each_minor(OLDEST)
             for case in CASES if not options.cases or case.name in options.cases]
    if options.list:
        for cell in cells:
            if compare.version_of(cell.python) >= cell.case.since:
                print("%s %s %d.%d" % ((cell.case.name, cell.python) + compare.version_of(cell.python)))
        return 0
    results = []
    for cell in cells:
        title, why = "%s on %s, %s" % (cell.case.name, cell.python, cell.engine), cell.missing()
        if why:
            print("skipped: %s: %s" % (title, why))
            continue
        results.append(cell.check())
        report(title, results[-1])
    return 1 if any(results) else 0 if results else 77


if __name__ == "__main__":
    sys.exit(main())

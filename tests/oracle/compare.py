#!/usr/bin/env python3
"""Run programs of the corpus three times - plainly, under the oracle, under kprobe - and compare.

    compare.py --python /usr/bin/python3.11 --engine frame generators_throw

What must hold: output and exit status of the traced run are those of the plain one; `kprobe verify` is content;
every thread has the events of the oracle's (kind, file:line, last part of the name) in the same order; depths
and names nest; names are the qualified names of the compiler. Threads and processes are paired by what they did, as
their ids differ. Legitimate differences are rows of ALLOWED below, or directives in the program:

    # requires: 3.11              skipped on older interpreters
    # oracle-requires: 3.12       the oracle `trace` cannot see it: only output, verify and nesting are compared before
    # compare: collapsed          runs of equal events count as one (the depth at which the stack ends varies)
    # own-hooks: yes              the program sets its own trace and profile functions, which replace the oracle `trace`
                                  and the engine `profile`
    # thread-before-3.12: KIND NAME, ...   a thread that the oracle `trace` cannot see, and what happens in it
"""
import argparse
import fnmatch
import glob
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter, namedtuple

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = os.path.join(os.path.dirname(HERE), "programs")
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.dirname(HERE))
import interpreters  # noqa: E402
from recorder import label  # noqa: E402

TIMEOUT_S = 120
CONTEXT = 6

# Differences that are right: program, engine, versions from and below, what is changed, and why. `what` is one of
# "verify" (need not be content), "events" (not compared), "output" (not compared).
Allowed = namedtuple("Allowed", "program engine since below what why")
ALLOWED = [
    Allowed("threads_c", "profile", (3, 8), (4, 0), "events",
            "profile functions belong to a thread; one that C code starts gets it at another thread's next event, if ever"),
    Allowed("subinterpreters", "profile", (3, 12), (4, 0), "events",
            "profile functions belong to a thread state, and a subinterpreter has its own"),
]

# `exception`: of an unwind, the name of its exception's type, of the oracle's all that may be; empty where it is unknown.
Event = namedtuple("Event", "kind where name full depth time closes exception", defaults=(False, ""))
Run = namedtuple("Run", "status out err")


class Problems:
    """What is wrong, collected, so that one run shows everything."""

    def __init__(self):
        self.lines = []

    def add(self, text):
        self.lines.append(text)


def version_of(python):
    """Major and minor number."""
    return interpreters.version_of(python)[:2]


def directives(path):
    found = {}
    with open(path, encoding="utf-8") as file:
        for key, value in re.findall(r"^# ([a-z][a-z0-9.-]+): (.*)$", file.read(), re.M):
            found.setdefault(key, []).append(value)
    return found


def required(marks, key):
    return tuple(map(int, marks[key][0].split("."))) if key in marks else (0, 0)


def environment(**extra):
    keep = {k: v for k, v in os.environ.items() if not k.startswith(("KPROBE_", "PYTHON", "LD_PRELOAD", "ORACLE_"))}
    return dict(keep, PYTHONHASHSEED="0", PYTHONDONTWRITEBYTECODE="1", LC_ALL="C.UTF-8", **extra)


def run(command, env, stdin=os.devnull, folder=None, timeout_s=TIMEOUT_S):
    """Its own session, so that whatever it leaves behind on a time-out can be ended as well."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, open(stdin, "rb") as given:
        process = subprocess.Popen(command, env=env, stdin=given, stdout=out, stderr=err, cwd=folder, start_new_session=True)
        try:
            status = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            status = "time-out"
        out.seek(0)
        err.seek(0)
        return Run(status, out.read(), err.read())


# --- the oracle's events ---

def unescape(text):
    names = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\"}

    def one(match):
        body = match.group(1)
        return chr(int(body[1:], 16)) if body[0] == "x" else names.get(body, body)

    return re.sub(r"\\(x[0-9a-fA-F]{2}|.)", one, text)


def last_part(name):
    return name.rsplit(".", 1)[-1]


def oracle_events(folder):
    """For every process and thread its events; `full` holds the names that may be shown."""
    threads = {}
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            for line in file.read().split("\n")[:-1]:
                tid, kind, where, first_line, short, module, qualnames, exceptions = line.split("\t")
                full = tuple(unescape(module + "." + q) for q in qualnames.split("|")) if qualnames else ()
                event = Event(kind.rstrip("!"), "%s:%s" % (unescape(where), first_line), last_part(unescape(short)), full,
                              0, "", kind.endswith("!"), tuple(map(unescape, filter(None, exceptions.split("|")))))
                threads.setdefault((name, tid), []).append(event)
    return list(threads.values())


def oracle_run(python, path, mode):
    folder = tempfile.mkdtemp(prefix="kprobe-oracle-")
    try:
        env = environment(ORACLE_OUT=folder, ORACLE_ROOT=PROGRAMS + "/", ORACLE_MODE=mode,
                          PYTHONPATH=os.path.join(HERE, "site"))
        return run([python, path], env), oracle_events(folder)
    finally:
        shutil.rmtree(folder)


def without_closing(thread):
    """What happens where no tool wants to see a generator unwind: one that a `resume` would only close is not run."""
    kept, closing = [], False
    for event in thread:
        if not event.closes and not closing:
            kept.append(event)
        closing = event.closes
    return kept


def unseen_threads(marks):
    """Threads written down in the program because an oracle before 3.12 cannot see them."""
    return [[Event(*text.split(), None, None, 0, "") for text in line.split(", ")]
            for line in marks.get("thread-before-3.12", [])]


# --- kprobe's events ---

def dump_events(kprobe, trace, problems):
    """Line by line, and each name once: some traces have tens of millions of events."""
    threads, texts = {}, {}
    with tempfile.TemporaryFile() as said, subprocess.Popen([kprobe, "dump", trace], stdout=subprocess.PIPE, stderr=said) as dump:
        for line in io.TextIOWrapper(dump.stdout, encoding="utf-8", errors="surrogateescape", newline="\n"):
            fields = line.rstrip("\n").split("\t")
            if len(fields) < 7 or line.startswith("#"):
                continue
            time_ns, pid, tid, kind, depth, name, where = fields[:7]
            for text in (name, where):
                if text not in texts:
                    texts[text] = unescape(text)
            threads.setdefault((pid, tid), []).append((sys.intern(kind), int(depth), texts[name], texts[where], time_ns))
        if dump.wait() not in (0, 1):
            said.seek(0)
            problems.add("kprobe dump %s: status %d: %s" % (trace, dump.returncode, said.read().decode()[-500:]))
    return threads


BEGINS = ("enter", "resume")
ENDS = ("exit", "unwind", "yield")


def check_nesting(key, raw, problems):
    """Every end closes the call on top, at its depth; times do not go back."""
    stack, before = [], 0
    for number, (kind, depth, name, where, time_ns) in enumerate(raw):
        if kind in BEGINS:
            if stack and depth != stack[-1][0] + 1:
                problems.add("thread %s event %d: %s %s at depth %d inside of depth %d"
                             % (key, number, kind, name, depth, stack[-1][0]))
                return
            stack.append((depth, name, where))
        elif kind in ENDS:
            if stack and stack.pop() != (depth, name, where):
                problems.add("thread %s event %d: %s of %s at depth %d is not of the call on top"
                             % (key, number, kind, name, depth))
                return
        elif (kind, name.partition("=")[0]) != ("values", "exception"):
            problems.add("thread %s event %d: unexpected %s" % (key, number, kind))
        elif [other[:2] for other in raw[number + 1:number + 2]] != [("unwind", depth - 1)]:
            problems.add("thread %s event %d: an exception that leaves no call" % (key, number))
        digits = int(re.sub(r"\D", "", time_ns))
        if digits < before:
            problems.add("thread %s event %d: time goes back" % (key, number))
        before = digits


def leftovers(folder):
    """Mappings of killed processes whose trace belongs to this folder, with the name of that trace."""
    found = []
    for mapping in glob.glob("/dev/shm/kprobe.*"):
        try:
            with open(mapping, "rb") as file:
                match = re.search(re.escape(folder.encode()) + rb"/[^\0]+", file.read(65536))
        except OSError:  # other processes come and go
            continue
        if match:
            found.append((mapping, match.group().decode()))
    return found


def find_traces(folder):
    """Files, and those that a process killed at once had no time to make: reading commands find them in memory."""
    traces = {os.path.join(folder, name) for name in os.listdir(folder)}
    return sorted(traces.union(name for _, name in leftovers(folder)))


def traced_events(kprobe, traces, problems):
    threads = []
    for trace in traces:
        for key, raw in dump_events(kprobe, trace, problems).items():
            check_nesting(key, raw, problems)
            threads.append([event for event in map(corpus_event, *with_exceptions(raw)) if event])
    return [thread for thread in threads if thread]


def with_exceptions(raw):
    """Events, and of each unwind the exception that stands before it."""
    kept, exceptions, before = [], [], ""
    for event in raw:
        if event[0] == "values":
            before = event[2].partition("exception=")[2]
            continue
        kept.append(event)
        exceptions.append(before)
        before = ""
    return kept, exceptions


def corpus_event(raw, exception="", root=PROGRAMS + "/"):
    kind, depth, name, where, time_ns = raw
    file, _, line = where.rpartition(":")
    known = label(file, root)
    return Event(kind, "%s:%s" % (known, line), last_part(name), name, depth, time_ns, False, exception) if known else None


def check_engine(kprobe, traces, engine, problems):
    """The engine asked for is the one that recorded; another would prove nothing. Returns those that did."""
    done = subprocess.run([kprobe, "info", "--json"] + traces, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        used = {process["engine"] for process in json.loads(done.stdout.decode("utf-8", "replace"))["processes"]}
    except (ValueError, KeyError) as error:
        problems.add("kprobe info --json: status %d, %r" % (done.returncode, error))
        return set()
    if engine != "auto" and used - {engine, ""} or not used - {""}:
        problems.add("recorded by %s instead of the engine %s" % (sorted(used), engine))
    return used - {""}


def traced_run(tools, python, path, engine, problems, marks):
    folder = tempfile.mkdtemp(prefix="kprobe-traced-")
    kprobe = os.path.join(tools, "kprobe")
    try:
        env = environment(LD_PRELOAD=os.path.join(tools, "libkprobe.so"), KPROBE_ENGINE=engine,
                          KPROBE_OUTPUT="file:" + os.path.join(folder, "kprobe.%p.kpt"))
        result = run([python, path], env)
        traces = find_traces(folder)
        if not traces:
            problems.add("no trace was written; the program said: " + result.err.decode("utf-8", "replace")[-500:])
            return result, [], set()
        verify = subprocess.run([kprobe, "verify"] + traces, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if verify.returncode and "verify" not in marks:
            problems.add("kprobe verify: status %d\n%s" % (verify.returncode, verify.stdout.decode()[-1500:]))
        used = check_engine(kprobe, traces, engine, problems)
        return result, traced_events(kprobe, traces, problems), used
    finally:
        for mapping, _ in leftovers(folder):
            os.unlink(mapping)
        shutil.rmtree(folder)


# --- comparison ---

def key_of(event):
    return (event.kind, event.where, event.name)


def collapse(thread):
    """Runs of equal events as one event."""
    return [e for i, e in enumerate(thread) if not i or key_of(e) != key_of(thread[i - 1])]


def show(event):
    return "%-7s %s  %s" % (event.kind, event.name[:60], event.where)


def describe(expected, got, problems, title):
    """The first event that differs, with those before it."""
    at = next((i for i, (a, b) in enumerate(zip(expected, got)) if key_of(a) != key_of(b)),
              min(len(expected), len(got)))
    lines = ["%s: %d events expected, %d seen; event %d differs" % (title, len(expected), len(got), at)]
    lines += ["      both: " + show(event) for event in expected[max(0, at - CONTEXT):at]]
    lines += ["    oracle: " + show(event) for event in expected[at:at + CONTEXT // 2]] or ["    oracle: (end)"]
    lines += ["    kprobe: " + show(event) for event in got[at:at + CONTEXT // 2]] or ["    kprobe: (end)"]
    problems.add("\n".join(lines))


def common_prefix(a, b):
    return next((i for i, (x, y) in enumerate(zip(a, b)) if key_of(x) != key_of(y)), min(len(a), len(b)))


def compare_names(expected, got, problems):
    wrong = Counter((e.full, g.full) for e, g in zip(expected, got) if e.full and g.full not in (e.full,) + e.full)
    for (right, seen), count in wrong.most_common(3):
        problems.add("name %s should be %s (%d events)" % (repr(seen)[:300], " or ".join(map(repr, right))[:300], count))


def compare_exceptions(expected, got, problems):
    """What the engines that know exceptions (all but `profile`) have to say of each."""
    wrong = Counter((e.exception, g.exception) for at, (e, g) in enumerate(zip(expected, got))
                    if e.exception and g.exception not in e.exception and not may_be_unknown(got, at))
    for (right, seen), count in wrong.most_common(3):
        problems.add("exception %r should be %s (%d events)" % (seen, " or ".join(right), count))


def may_be_unknown(thread, at):
    """Calls that end together with one below, by an exception that the interpreter made in between, may show nothing."""
    while not thread[at].exception and at + 1 < len(thread) and thread[at + 1].kind == "unwind":
        at += 1
        if thread[at].exception == "builtins.RuntimeError" or thread[at].exception.endswith("Group"):
            return True
    return False


def fits_unseen(thread, unseen):
    return [(e.kind, e.name) for e in thread] == [(e.kind, e.where) for e in unseen]


def compare_threads(expected, got, problems, unseen=(), names=True, exceptions=False):
    """Pair equal threads, then those that are alike, to show their differences."""
    got = list(got)
    for thread in unseen:
        match = next((t for t in got if fits_unseen(t, thread)), None)
        if match is None:
            problems.add("no thread with: " + ", ".join("%s %s" % (e.kind, e.where) for e in thread))
        else:
            got.remove(match)
    open_threads = []
    for thread in expected:
        keys = list(map(key_of, thread))
        match = next((t for t in got if list(map(key_of, t)) == keys), None)
        if match is None:
            open_threads.append(thread)
            continue
        got.remove(match)
        if names:
            compare_names(thread, match, problems)
        if exceptions:
            compare_exceptions(thread, match, problems)
    for thread in open_threads:
        best = max(got, key=lambda t: common_prefix(thread, t), default=None)
        if best is not None:
            got.remove(best)
        describe(thread, best or [], problems, "a thread that begins with '%s'" % show(thread[0]))
    for thread in got:
        describe([], thread, problems, "a thread that the oracle does not have")


def compare_output(plain, other, problems, title):
    for field in Run._fields:
        if getattr(plain, field) != getattr(other, field):
            problems.add("%s of the %s run differs:\n    plain: %r\n    %s: %r"
                         % (field, title, str(getattr(plain, field))[-600:], title, str(getattr(other, field))[-600:]))


def allowances(program, engine, version):
    return {row.what for row in ALLOWED if fnmatch.fnmatch(program, row.program) and
            fnmatch.fnmatch(engine, row.engine) and row.since <= version < row.below}


def oracle_modes(version, marks):
    """The ways to record that the interpreter has and the program leaves alone, the best one first."""
    modes = ["monitoring"] if version >= (3, 12) else []
    if "own-hooks" not in marks and "oracle-requires" not in marks:
        modes.append("trace")
    return modes


def prepare(threads, marks):
    return list(map(collapse, threads)) if "compare" in marks else threads


def check_program(tools, python, program, engine):
    """None when the program does not fit the interpreter, else the list of what is wrong."""
    path = os.path.join(PROGRAMS, program + ".py")
    marks, version, problems = directives(path), version_of(python), Problems()
    if version < required(marks, "requires") or (engine == "profile" and "own-hooks" in marks):
        return None
    allowed = allowances(program, engine, version)
    plain = run([python, path], environment())
    traced, got, used = traced_run(tools, python, path, engine, problems, allowed)
    if "output" not in allowed:
        compare_output(plain, traced, problems, "traced")
    modes = oracle_modes(version, marks)
    if "events" not in allowed and modes:
        _, expected = oracle_run(python, path, modes[0])
        if "opcode" in used:  # it is no tool of the interpreter's
            expected = [kept for kept in map(without_closing, expected) if kept]
        unseen = unseen_threads(marks) if version < (3, 12) else ()
        if not expected:
            problems.add("the oracle saw nothing")
        compare_threads(prepare(expected, marks), prepare(got, marks), problems, unseen, "compare" not in marks,
                        "profile" not in used)
    return problems.lines


def check_oracle(python, program):
    """The oracle against itself: twice the same, both modes the same, and the program's output untouched."""
    path = os.path.join(PROGRAMS, program + ".py")
    marks, version, problems = directives(path), version_of(python), Problems()
    modes = oracle_modes(version, marks)
    if version < required(marks, "requires") or not modes:
        return None
    plain = run([python, path], environment())
    result, first = oracle_run(python, path, modes[0])
    if "compare" not in marks:
        compare_output(plain, result, problems, "oracle")
    second_mode = modes[0] if "compare" in marks else modes[-1]  # `trace` loses its hook at the recursion limit, 3.12
    _, second = oracle_run(python, path, second_mode)
    if not first:
        problems.add("the oracle saw nothing")
    unseen = unseen_threads(marks) if second_mode != modes[0] else ()
    if unseen:
        first, second = second, first
    compare_threads(prepare(first, marks), prepare(second, marks), problems, unseen)
    return problems.lines


def all_programs():
    return sorted(name[:-3] for name in os.listdir(PROGRAMS) if name.endswith(".py"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--tools", default=os.path.join(HERE, "../../build/dev/bin"), help="folder of kprobe and libkprobe.so")
    parser.add_argument("--python", default=sys.executable, help="interpreter to trace")
    parser.add_argument("--engine", default="auto", help="KPROBE_ENGINE, or 'oracle': check the oracle by itself")
    parser.add_argument("programs", nargs="*", help="names in tests/programs, without .py (all)")
    options = parser.parse_args()
    failed = 0
    for program in options.programs or all_programs():
        if options.engine == "oracle":
            lines = check_oracle(options.python, program)
        else:
            lines = check_program(os.path.abspath(options.tools), options.python, program, options.engine)
        print("%-6s %s" % ("skip" if lines is None else "FAIL" if lines else "ok", program), flush=True)
        for line in lines or ():
            print("  " + line)
        failed += bool(lines)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

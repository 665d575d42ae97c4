"""Real programs, recorded, converted to Kieker logs and given to the original trace analysis."""
import glob
import json
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict

import kieker_log
import originals
from originals import TOP, run

PROGRAMS = os.path.join(originals.HERE, "programs")
PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
LINE_BYTES = 8192  # the buffer of the original readers
TRACE = "kieker.common.record.flow.trace."
OPERATION = TRACE + "operation."
EXECUTION = "kieker.common.record.controlflow.OperationExecutionRecord"
# The machinery of imports, of regular expressions and of the parser is most of what a short program does.
QUIET = "-_frozen_importlib*,-importlib*,-re,-re.*,-sre_*,-ast.*,-tokenize.*,-traceback.*,-typing*,-enum*,-posixpath*"


class Program:
    """A program of this folder, and the calls that kprobe saw in it."""

    def __init__(self, name, command, expected, packages=None, rules=None, is_async=False, plots=False, forms=()):
        self.name, self.command, self.expected, self.packages = name, command, expected, packages
        self.rules, self.is_async, self.plots, self.forms = rules, is_async, plots, ["text", "binary", "executions", *forms]

    def record(self, build, folder):
        env = {name: value for name, value in os.environ.items() if not name.startswith("KPROBE_")}
        env.update(PYTEST_DISABLE_PLUGIN_AUTOLOAD="1", KPROBE_OUTPUT="file:" + os.path.join(folder, "kprobe.%p.kpt"), PYTHONNOUSERSITE="1", PYTHONDONTWRITEBYTECODE="1")
        if self.packages:
            env["PYTHONPATH"] = originals.packages(self.packages, PYTHON)
        if self.rules:
            env["KPROBE_FILTER"] = self.rules
        env["LD_PRELOAD"] = os.path.join(build, "libkprobe.so")
        printed = run([PYTHON, *self.command], env=env, cwd=PROGRAMS, timeout=100).stdout.decode()
        assert re.search(self.expected, printed), "%s printed %r" % (self.name, printed)
        return sorted(glob.glob(os.path.join(folder, "*.kpt")))


PROGRAM_TABLE = [
    Program("web_server", ["web_server.py"], r"^28 4\n$"),
    Program("flask_shop", ["flask_shop.py"], r"402, 403, 404\]", packages="applications", rules=QUIET),
    Program("pytest", ["-m", "pytest", "-q", "-p", "no:cacheprovider", "suite"], "6 passed, 1 skipped, 1 xfailed", packages="applications",
            rules=QUIET + ",-inspect.*,-_pytest.assertion.rewrite.*"),
    Program("async_server", ["async_server.py"], r"^20 1\n$", rules=QUIET, is_async=True, plots=True),
    Program("documents", ["documents.py"], r"\(2452, 60\)", rules=QUIET, plots=True,
            forms=["text-gz", "text-df", "text-bz2", "binary-xz", "binary-zip", "executions-binary"]),
    Program("process_pool", ["process_pool.py"], r"^165\n$", rules=QUIET),
    Program("command_runner", ["command_runner.py"], r"^3/2 11/6 55835135/15519504\n$", rules=QUIET),
]
PROGRAMS_BY_NAME = {program.name: program for program in PROGRAM_TABLE}

BRACKETED = re.compile("locals|lambda|genexpr|listcomp|dictcomp|setcomp|module")


def kieker_name(name):
    """What docs/kieker.md makes of a Python name."""
    parts = []
    for part in name.split("."):
        if part[:1] == "<" and BRACKETED.fullmatch(part[1:-1]):
            parts.append("_%s_" % part[1:-1])
        else:
            looks_so = part.strip("_") and BRACKETED.fullmatch(part.strip("_")) and part[0] == part[-1] == "_"
            written = re.sub(rb"[^A-Za-z0-9_]", lambda found: b"$%02x$" % found.group()[0], part.encode()).decode()
            parts.append("_%s_" % written if looks_so else written)
    return ".".join(parts)


def seen_by_kprobe(kprobe, traces):
    """By name as Kieker has it, (calls, suspensions); how many calls ended by an exception; calls resumed in all."""
    report = json.loads(run([kprobe, "report", "--json", *traces]).stdout)
    assert report["calls_lost"] == report["events_lost"] == 0, "calls were lost"
    calls = defaultdict(lambda: [0, 0])
    for function in report["functions"]:
        found = calls[kieker_name(function["name"])]
        found[0] += function["calls"]
        found[1] += function["suspensions"]
    assert sum(count for count, _ in calls.values()) == report["calls"] > 0
    return calls, sum(function["endings"]["unwind"] for function in report["functions"])


def resumed(kprobe, traces):
    """How often a generator or coroutine went on, by name as Kieker has it."""
    dump = subprocess.Popen([kprobe, "dump", *traces], stdout=subprocess.PIPE)
    counts = Counter()
    for line in dump.stdout:
        fields = line.decode(errors="replace").split("\t")
        if len(fields) > 5 and fields[3] == "resume":
            counts[kieker_name(fields[5])] += 1
    assert dump.wait() == 0
    return counts


def check_rules(layout, log):
    """The rules of the format that trace analysis would not complain of. Returns how often each class is in the log."""
    check_lines(log)
    return check_records(kieker_log.read_log(layout, log))


def check_lines(log):
    """A log's longest line is one that Kieker reads."""
    for path in glob.glob(os.path.join(log, "*.dat")):
        with open(path, "rb") as file:
            longest = max(map(len, file), default=0)
        assert longest <= LINE_BYTES, "%s: a line of %d bytes" % (path, longest)


def check_records(records, limit=20):
    """The rules for records in the order in which they were written."""
    problems, classes, order, open_calls, known = [], Counter(), Counter(), defaultdict(list), set()
    for record in records:
        classes[record.name] += 1
        if record.logging_ns < 10**18:
            problems.append("a logging time that is none: %s" % (record,))
        for text in (value for value in record.values if isinstance(value, str)):
            if not text.isascii() or re.search(r"[;\r\n\t\\]", text):
                problems.append("a text that is no text of a log: %r" % text)
        if record.name == TRACE + "TraceMetadata":
            if record.values[0] in known:
                problems.append("a trace announced twice: %s" % (record,))
            known.add(record.values[0])
        elif record.name.startswith(OPERATION):
            time, trace, number, operation, owner = record.values[:5]
            if trace not in known:
                problems.append("an event before the metadata of its trace: %s" % (record,))
            if not re.fullmatch(r"(native )?\S+ [\w.$]+\([\w.,$*]*\)", operation) or not re.split(r"[ (]", operation)[-2].startswith(owner + "."):
                problems.append("no signature: %r, class %r" % (operation, owner))
            if time < 10**18 or number != order[trace]:
                problems.append("event %d instead of %d: %s" % (number, order[trace], record))
            check_nesting(record, open_calls[trace], number, problems)
            order[trace] += 1
        elif record.name == TRACE + "concurrency.SplitEvent":
            order[record.values[1]] += 1
        if len(problems) > limit:
            break
    problems += ["trace %d does not end: %s" % item for item in open_calls.items() if item[1]]
    assert not problems, "\n".join(problems[:limit])
    return classes


def check_nesting(record, stack, number, problems):
    signatures = record.values[3:5]
    if record.name.endswith("BeforeOperationEvent"):
        if not stack and number != 0:
            problems.append("a second root: %s" % (record,))
        stack.append(signatures)
    elif not stack or stack.pop() != signatures:
        problems.append("an end without its begin: %s" % (record,))


class Export:
    """The logs of one program's traces."""

    FORMS = {  # options of convert
        "text": ["-t", "kieker"],
        "binary": ["-t", "kieker-binary"],
        "text-gz": ["-t", "kieker", "--compress", "gz", "--file-records", "5000"],
        "text-df": ["-t", "kieker", "--compress", "df"],
        "text-bz2": ["-t", "kieker", "--compress", "bz2"],
        "binary-xz": ["-t", "kieker-binary", "--compress", "xz", "--file-bytes", "100000"],
        "binary-zip": ["-t", "kieker-binary", "--compress", "zip"],
        "executions": ["-t", "kieker", "--records", "executions"],
        "executions-binary": ["-t", "kieker-binary", "--records", "executions"],
    }

    def __init__(self, kprobe, folder, traces):
        self.kprobe, self.folder, self.traces = kprobe, folder, traces

    def log(self, form):
        """The folder of a log in this form."""
        path = os.path.join(self.folder, form)
        if not os.path.isdir(path):
            run([self.kprobe, "convert", *self.FORMS[form], "-o", path, *self.traces])
        return path

    def output(self, form, tool):
        return os.path.join(self.folder, "analysed-%s-%s" % (form, tool))


def check_counts(program, analysis, calls, resumes):
    """Executions of trace analysis against calls of kprobe's report."""
    problems = []
    for name in sorted(calls.keys() | analysis.calls.keys()):
        found, (called, suspended) = analysis.calls[name], calls.get(name, (0, 0))
        exact = called + resumes[name]  # each part of a generator is a call
        if program.is_async and suspended:
            right = called <= found <= exact
        else:
            right = found == exact
        if not right:
            problems.append("%s: %d executions, but %d calls and %d resumptions" % (name, found, called, resumes[name]))
    assert not problems, "\n".join(problems[:20])


def check_drawn(analysis, folder):
    """Every drawing is understood by the program that draws it, the small ones are drawn."""
    dots = [os.path.join(folder, name) for name in analysis.files if name.endswith(".dot")]
    pics = [os.path.join(folder, name) for name in analysis.files if name.endswith(".pic")]
    for prefix, count in (("callTree-", analysis.traces), ("aggregated", 2), ("assemblySequenceDiagram-", analysis.traces),
                          ("deploymentSequenceDiagram-", analysis.traces), ("containerDependencyGraph", 1),
                          ("deploymentComponent", 1), ("assemblyComponent", 1), ("deploymentOperation", 1), ("assemblyOperation", 1)):
        found = sum(name.startswith(prefix) for name in analysis.files)
        assert found == count, "%d files %s..., not %d" % (found, prefix, count)
    assert not run(["nop", "-p", *dots]).stderr  # graphs of ten thousand nodes are read, but take hours to be laid out
    small = [path for path in dots if os.path.getsize(path) < 30000][:40]
    assert small and run(["dot", "-Tsvg", *small]).stdout.count(b"</svg>") == len(small)
    small = [path for path in pics if os.path.getsize(path) < 100000][:40]
    assert small and run(["pic", *small]).stdout


def compare(left, right, what):
    assert left.calls == right.calls and left.executions == right.executions, "%s: other executions (%d, %d)" % (
        what, len(left.executions), len(right.executions))


def check_program(program, options, folder):
    """One program, in every form in which its calls can be told."""
    java, old = originals.Java(options.work), originals.Java(options.work, "kieker-1.13", sources=[])
    kprobe = os.path.join(options.tools, "kprobe")
    traces = program.record(options.tools, folder)
    export = Export(kprobe, folder, traces)
    calls, unwound = seen_by_kprobe(kprobe, traces)
    resumes = resumed(kprobe, traces)
    layout = kieker_log.layouts(kprobe, os.path.join(TOP, "irl", "models"))

    classes = check_rules(layout, export.log("text"))
    assert classes == check_rules(layout, export.log("binary"))
    assert program.is_async or classes[OPERATION + "AfterOperationFailedEvent"] == unwound, (classes, unwound)

    jobs = [(export.log(form), export.output(form, "2"), form == "text" and program.plots) for form in program.forms]
    found = dict(zip(program.forms, originals.analyse_2(java, jobs)))
    for form in ("text", "executions"):
        found[form + " (1.13)"] = originals.analyse_1_13(old, export.log(form), export.output(form, "1.13"),
                                                        form == "text" and program.plots)
    for form, analysis in found.items():
        assert not analysis.invalid, "%s: invalid traces:\n%s" % (form, analysis.invalid[:3000])
        check_counts(program, analysis, calls, resumes)
        compare(analysis, found["text"], form)
    if program.plots:
        check_drawn(found["text"], export.output("text", "2"))
        check_drawn(found["text (1.13)"], export.output("text", "1.13"))
    assert found["text"].messages() == found["binary"].messages() and len(found["text"].messages()) == 2 * len(found["text"].executions)
    print("%s: %d traces, %d executions of %d functions, %d analyses agree, no trace is invalid"
          % (program.name, found["text"].traces, len(found["text"].executions), len(calls), len(found)))

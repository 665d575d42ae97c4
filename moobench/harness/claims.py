"""What was promised of kprobe, in one table: the figure, where it was promised, how it is measured, and why it is missed if it is.

A promise is held when all that was measured is within its limit. What cannot be read from the rows of this run comes from the
other scripts of this folder (harness/others.py). The reason belongs to a figure that is known to be missed on machines like the
one of docs/performance.md; it is shown only where the promise is not held.
"""
import dataclasses
import re
import typing

import limits
import measuring
from harness import model
from harness.outputs.markdown import quantity


@dataclasses.dataclass(frozen=True)
class Limit:
    text: str
    holds: typing.Callable
    unit: str


def digits(figure):
    return "%d" % figure if figure == int(figure) else quantity(figure)


def at_most(value, unit, text=None):
    return Limit(text or "at most %s %s" % (digits(value), unit), lambda seen: seen <= value, unit)


def at_least(value, unit):
    return Limit("at least %s %s" % (digits(value), unit), lambda seen: seen >= value, unit)


def instructions(engine, state):
    """By the table that moobench/check compares with."""
    return at_most(limits.PROMISED[engine][state][0], "instructions")


class Measured:
    """Rows of this run and answers of scripts. What a method finds is {where: figure}; nothing where it was not measured."""

    def __init__(self, rows, answers):
        self.rows, self.answers = rows, answers

    def ours(self, engine, value, state="null", minors=(0, 99)):
        """Of one engine on CPython 3.x of these minor versions, or on C. `state` ends the configuration's name."""
        found = {}
        for row in self.rows:
            if row.suite in ("table", "engines", "c") and row.engine == engine and row.name.endswith("." + state):
                figure, minor = value(row), measuring.numbers(row.version)[1] if row.version else 0
                if figure is not None and minors[0] <= minor <= minors[1]:
                    found.setdefault("CPython " + row.version if row.version else row.label, figure)
        return found

    def counted(self, engine, state, minors=(0, 99)):
        """Net instructions, by instructions.py."""
        return {"CPython " + row["version"]: row[state] for row in self.answers.get("instructions") or []
                if row["engine"] == engine and minors[0] <= measuring.numbers(row["version"])[1] <= minors[1]}

    def asked(self, script, value, part=None, place=lambda row: "", **wanted):
        """Of a script's answer, or of a part of it, the rows whose fields are those."""
        answer = self.answers.get(script) or []
        rows = answer[part] if part and answer else answer
        return {place(row): value(row) for row in (rows if isinstance(rows, list) else [rows])
                if all(row.get(name) == text for name, text in wanted.items())}


@dataclasses.dataclass(frozen=True)
class Promise:
    name: str
    source: str
    limit: Limit
    measure: typing.Callable        # of Measured: {where: figure}
    how: str                        # command, or suite of this benchmark
    reason: str = ""


def net(row):
    return row.net_ns and row.net_ns.value


def floors(row):
    return row.floors and row.floors.value


def of_event(value):
    """Of a figure of a call, which is two events."""
    return lambda row: None if value(row) is None else value(row) / 2


def slowdown_against_viztracer(measured):
    """The least ratio of what VizTracer adds to what kprobe adds, over the programs where it can be told from noise."""
    found = {}
    for bench in measured.answers.get("slowdown") or []:
        ratios = {name: ratio for name, ratio in (bench["better_than_viztracer"] or {}).items() if ratio is not None}
        if ratios:
            worst = min(ratios, key=ratios.get)
            found["%s, CPython %s" % (worst, bench["version"])] = ratios[worst]
    return found


def clock_reads(measured):
    return {"CPython %s, %s" % (row["version"], row["engine"]): row["clock_reads"][limits.TRACED]
            for row in measured.answers.get("instructions") or [] if "clock_reads" in row}


def asked(script, value, **wanted):
    return lambda measured: measured.asked(script, value, **wanted)


def field(name, unit=1.0):
    return lambda row: None if row.get(name) is None else row[name] / unit


def uftrace(measured):
    answer = measured.answers.get("native_calls") or {}
    return {"": answer.get("uftrace")}


CLOCK = "On the design's machine a floor took 27 to 31 ns. Where reading the clock is faster, what is beside the two reads counts for " \
        "more floors, though it is the same instructions."
ELSEWHERE = "Nanoseconds of the design's machine; floors and instructions, which travel better, are in other lines."
PROTOTYPE = "The figure is a prototype's, which looked up no name and asked no filter."
DISPATCH = "Most of it is CPython's own dispatch of a callback, before and after ours; an engine that uses it cannot avoid it."
FRAME_OBJECT = "CPython makes a frame object for every call as soon as a profile function is set."
STARTING = "With that rule each call between libraries at the start of the interpreter is recorded; most of the time goes there."
FEW_CALLS = "Where a program makes few calls both add less than a machine that others use changes its speed by in between."
SHARED = "It needs both processors for itself, with senders and receivers where there are some: see the load at the head of the results."

PROMISES = [
    # DESIGN.md, section 5: the engines.
    Promise("opcode: instructions a call", "DESIGN 5", at_most(114, "instructions"),
            lambda m: m.counted("opcode", limits.TRACED, (12, 12)), "instructions.py", PROTOTYPE),
    Promise("opcode: time", "DESIGN 5", at_most(1.05, "floors"), lambda m: m.ours("opcode", floors), "suite engines", CLOCK),
    Promise("frame: instructions a call", "DESIGN 5", at_most(367, "instructions"),
            lambda m: m.counted("frame", limits.TRACED, (8, 10)), "instructions.py"),
    Promise("frame: time", "DESIGN 5", at_most(1.3, "floors"), lambda m: m.ours("frame", floors, minors=(8, 10)), "suite engines",
            CLOCK),
    Promise("monitoring: instructions a call", "DESIGN 5", at_most(533, "instructions"),
            lambda m: m.counted("monitoring", limits.TRACED, (12, 12)), "instructions.py", PROTOTYPE),
    Promise("monitoring: time", "DESIGN 5", at_most(1.7, "floors"), lambda m: m.ours("monitoring", floors), "suite engines",
            DISPATCH + " " + CLOCK),
    Promise("profile: instructions a call", "DESIGN 5", at_most(1490, "instructions"),
            lambda m: m.counted("profile", limits.TRACED, (12, 12)), "instructions.py", FRAME_OBJECT),
    Promise("profile: time", "DESIGN 5", at_most(3, "floors"), lambda m: m.ours("profile", floors), "suite engines",
            FRAME_OBJECT + " " + CLOCK),
    Promise("clock reads of a recorded call", "DESIGN 5", at_most(2.01, "reads", "2 reads"), clock_reads, "instructions.py"),
    # Section 6: from event to file.
    Promise("size of an event", "DESIGN 6", at_most(2.0, "bytes"),
            lambda m: m.ours("opcode", of_event(lambda row: row.bytes_per_call), "file"), "suite engines"),
    Promise("writer's processor time for an event, at 5 million events/s", "DESIGN 6", at_most(14, "ns"),
            asked("sinks", field("writer_ns"), output="file"), "sink_speed.py", SHARED),
    Promise("writer's processor time for an event, at full speed", "DESIGN 6", at_most(14, "ns"),
            lambda m: m.ours("opcode", of_event(lambda row: row.writer_cpu_ns), "file"), "suite engines",
            "The 14 ns are encoding and compression alone. Here are waking, reading the ring, checksums and writing as well, and a program that "
            "makes 20 million events a second on the other processor, which it shares caches with."),
    # Section 7: functions in C.
    Promise("exported function: time", "DESIGN 7", at_most(33, "ns"), lambda m: m.ours("got", net), "suite c", ELSEWHERE),
    Promise("exported function inside its object: time", "DESIGN 7", at_most(32, "ns"), lambda m: m.ours("inline", net), "suite c",
            ELSEWHERE),
    Promise("builtin called from Python: time", "DESIGN 7", at_most(30, "ns"),
            asked("native_calls", field("net_ns"), part="calls", kind="builtin from Python"), "native_calls.py", ELSEWHERE),
    # Issue 2.
    Promise("frame on 3.8 to 3.10: time", "issue 2", at_most(1.5, "floors"),
            lambda m: m.ours("frame", floors, minors=(8, 10)), "suite engines", CLOCK),
    Promise("monitoring on 3.12: time", "issue 2", at_most(2, "floors"),
            lambda m: m.ours("monitoring", floors, minors=(12, 12)), "suite engines", DISPATCH + " " + CLOCK),
    Promise("monitoring: a function that no rule selects", "issue 2", at_most(1, "ns", "nothing (below 1 ns)"),
            lambda m: m.ours("monitoring", net, "inactive"), "suite engines"),
    Promise("size of a call of a mixed program", "issue 2", at_most(5, "bytes"),
            asked("size", field("bytes_per_call"), program="mixed"), "trace_size.py"),
    Promise("start of python3 -c pass", "issue 2", at_most(10, "ms"),
            asked("start", field("longer_ms"), place=lambda row: row["command"], is_python=True), "start_speed.py", SHARED),
    Promise("report reads", "issue 2", at_least(10, "million events/s"), asked("report", field("rate", 1e6)), "report_speed.py"),
    Promise("report's memory, 20 million events", "issue 2", at_most(200, "MB"), asked("report", field("peak_bytes", 1e6)),
            "report_speed.py"),
    Promise("recursion at full speed, file: calls lost", "issue 2", at_most(0, "calls", "none"),
            lambda m: m.ours("opcode", lambda row: row.calls_lost, "file"), "suite engines"),
    # Issue 3.
    Promise("opcode on 3.12 and 3.13: instructions a call", "issue 3", instructions("opcode", limits.TRACED),
            lambda m: m.counted("opcode", limits.TRACED, (12, 13)), "instructions.py"),
    Promise("opcode on 3.12 and 3.13: time", "issue 3", at_most(1.15, "floors"),
            lambda m: m.ours("opcode", floors, minors=(12, 13)), "suite engines", CLOCK),
    Promise("opcode: instructions of a function that no rule selects", "issue 3", instructions("opcode", limits.FILTERED),
            lambda m: m.counted("opcode", limits.FILTERED), "instructions.py"),
    Promise("opcode: switched off", "issue 3", at_most(1, "instructions", "nothing (below 1 instruction)"),
            lambda m: m.counted("opcode", limits.OFF), "instructions.py"),
    Promise("nowhere slower than VizTracer: the worst program", "issue 3", at_least(1, "times less added"),
            slowdown_against_viztracer, "slowdown.py --quick --rounds 7 --config opcode --config viztracer --python 3.12", FEW_CALLS),
    # Issue 4.
    Promise("exported function: time", "issue 4", at_most(1.45, "floors"), lambda m: m.ours("got", floors), "suite c", CLOCK),
    Promise("builtin called from Python: time", "issue 4", at_most(1.3, "floors"),
            asked("native_calls", field("ratio"), part="calls", kind="builtin from Python"), "native_calls.py", CLOCK),
    Promise("uftrace's library call, to ours", "issue 4", at_least(2, "times as long"), uftrace, "native_calls.py"),
    Promise("start with a narrow rule for C", "issue 4", at_most(2, "ms"),
            asked("native_calls", field("longer_ms"), part="starts", rule="libssl*:SSL_read"), "native_calls.py", SHARED),
    Promise("start with *:*", "issue 4", at_most(10, "ms"),
            asked("native_calls", field("longer_ms"), part="starts", rule="*:*"), "native_calls.py", STARTING),
    # Issue 6.
    Promise("kieker-binary: at 5 million records/s", "issue 6", at_most(0, "records lost", "none lost"),
            asked("sinks", field("lost"), output="kieker-binary"), "sink_speed.py", SHARED),
    Promise("kieker-tcp: at 5 million records/s", "issue 6", at_most(0, "records lost", "none lost"),
            asked("sinks", field("lost"), output="kieker-tcp"), "sink_speed.py", SHARED),
    Promise("serve takes from 8 peers, to traces", "issue 6", at_least(2, "million records/s"),
            asked("serve", field("rate", 1e6), name="trace"), "serve_speed.py", SHARED),
    Promise("serve takes from 8 peers, to text", "issue 6", at_least(2, "million records/s"),
            asked("serve", field("rate", 1e6), name="kieker-text"), "serve_speed.py", SHARED),
    Promise("serve takes from 8 peers, to binary logs", "issue 6", at_least(2, "million records/s"),
            asked("serve", field("rate", 1e6), name="kieker-binary"), "serve_speed.py", SHARED),
    Promise("text logs are read", "issue 6", at_least(3, "million lines/s"), asked("import", field("rate", 1e6)), "import_speed.py",
            SHARED),
    # README.
    Promise("frame: instructions a call", "README", instructions("frame", limits.TRACED),
            lambda m: m.counted("frame", limits.TRACED, (8, 10)), "instructions.py"),
    Promise("monitoring: instructions a call", "README", instructions("monitoring", limits.TRACED),
            lambda m: m.counted("monitoring", limits.TRACED), "instructions.py"),
    Promise("size of a call, recursion alone", "README", at_most(1.6, "bytes"),
            asked("size", field("bytes_per_call"), program="recursion"), "trace_size.py"),
    Promise("kieker-binary: writer's time for a record", "README", at_most(75, "ns"),
            asked("sinks", field("writer_ns"), output="kieker-binary"), "sink_speed.py", SHARED),
    Promise("kieker-tcp: writer's time for a record", "README", at_most(80, "ns"),
            asked("sinks", field("writer_ns"), output="kieker-tcp"), "sink_speed.py", SHARED),
    Promise("reading text logs: memory", "README", at_most(20, "MB"), asked("import", field("peak_bytes", 1e6)), "import_speed.py"),
]


def place_order(item):
    """3.9 before 3.10."""
    return [int(part) for part in re.findall(r"\d+", item[0])], item[0]


def text_of(figures, unit):
    """Few with their place, many as a range."""
    if len(figures) > 3:
        least, most = (digits(choose(figures.values())) for choose in (min, max))
        return "%s %s (%d places)" % (least if least == most else "%s to %s" % (least, most), unit, len(figures))
    return ", ".join("%s %s%s" % (digits(figure), unit, " (%s)" % where if where else "")
                     for where, figure in sorted(figures.items(), key=place_order))


def claim(promise, measured):
    figures = {where: figure for where, figure in promise.measure(measured).items() if figure is not None}
    held = all(promise.limit.holds(figure) for figure in figures.values()) if figures else None
    seen = "%s (%s)" % (text_of(figures, promise.limit.unit), promise.how) if figures else promise.how
    return model.Claim(name=promise.name, source=promise.source, promised=promise.limit.text, measured=seen, held=held,
                       reason=promise.reason if held is False else "")


def judge(rows, answers):
    """model.Claim of every promise."""
    measured = Measured(rows, answers)
    return [claim(promise, measured) for promise in PROMISES]

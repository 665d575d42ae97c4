#!/usr/bin/env python3
"""An independent reader of Kieker logs that accepts only what the original tools take without complaint.

    check_log.py [--any-signature] FOLDER...

Text and binary logs, compressed or not. One line of counts a log; the first thing that is wrong ends it with status 1.
The rules are those of Kieker's analysis: one root a trace, order without gaps, Before and After in pairs with the same
signatures, metadata first, lines and strings within the buffers of the readers, ASCII.
"""
import bz2
import collections
import gzip
import lzma
import os
import re
import struct
import sys
import zipfile
import zlib

TRACE = "kieker.common.record.flow.trace."
OPERATION = TRACE + "operation."
METADATA = "kieker.common.record.misc.KiekerMetadataRecord"
EXECUTION = "kieker.common.record.controlflow.OperationExecutionRecord"
PLACE = "JJITT"
LAYOUTS = {
    METADATA: "TTTIZJTJ",
    TRACE + "TraceMetadata": "JJTTJI",
    TRACE + "ApplicationTraceMetadata": "JJTTJIT",
    TRACE + "concurrency.SplitEvent": "JJI",
    OPERATION + "BeforeOperationEvent": PLACE,
    OPERATION + "AfterOperationEvent": PLACE,
    OPERATION + "AfterOperationFailedEvent": PLACE + "T",
    EXECUTION: "TTJJJTII",
}
SIGNATURE = re.compile(r"(native )?[A-Za-z0-9_.$*&\[\]]+ ([A-Za-z0-9_$.]+)\.[A-Za-z0-9_$]+\(([A-Za-z0-9_.$*&\[\],]*)\)")
LINE_MAX, STRING_MAX = 8192, 4000


class Wrong(Exception):
    pass


def require(condition, *what):
    if not condition:
        raise Wrong(" ".join(map(str, what)))


# --- files ----------------------------------------------------------------------------------------------------------


def first_entry(path):
    with zipfile.ZipFile(path) as archive:
        with archive.open(archive.infolist()[0]) as entry:
            return entry.read()


def read_as(opener):
    def read(path):
        with opener(path) as file:
            return file.read()
    return read


READERS = {
    "": read_as(lambda path: open(path, "rb")),
    ".gz": read_as(gzip.open),
    ".xz": read_as(lzma.open),
    ".bz2": read_as(bz2.open),
    ".zip": first_entry,
    ".df": lambda path: zlib.decompress(READERS[""](path)),
}
DATA = re.compile(r"kieker-\d{8}-\d{9}-UTC-\d{3,}\.(dat|bin)(\.gz|\.xz|\.bz2|\.zip|\.df)?")


def read_map(folder):
    texts = {}
    with open(os.path.join(folder, "kieker.map"), encoding="utf-8", newline="") as file:
        for number, line in enumerate(file.read().split("\n")[:-1]):
            found = re.fullmatch(r"\$(\d+)=((?:[^\\\r]|\\[\\nr])*)", line)
            require(found, "kieker.map: line", number + 1, repr(line))
            require(int(found[1]) == number, "kieker.map: id", found[1], "in line", number + 1)
            text = re.sub(r"\\(.)", lambda part: {"n": "\n", "r": "\r"}.get(part[1], part[1]), found[2])
            require(len(text.encode()) <= STRING_MAX, "a string of", len(text.encode()), "bytes")
            texts[number] = text
    require(len(set(texts.values())) == len(texts), "kieker.map: a text twice")
    return texts


def text_records(data, texts):
    require(not data or data.endswith(b"\n"), "the last line has no end")
    for line in data.split(b"\n")[:-1]:
        require(len(line) < LINE_MAX, "a line of", len(line) + 1, "bytes")
        require(line and all(0x20 <= byte < 0x7f for byte in line), "a line that is not ASCII:", line[:80])
        fields = re.split(r";", line.decode("ascii"))
        require(re.fullmatch(r"\$\d+", fields[0]) and int(fields[0][1:]) in texts, "no class:", line[:80])
        name = texts[int(fields[0][1:])]
        require(not re.search(r"(^|[^\\])(\\\\)*\\;", line.decode()), "an escaped separator:", line)
        layout = LAYOUTS.get(name)
        values = fields[2:]
        if layout:
            require(len(values) == len(layout), "fields of", line)
            require(values[-1] != "", "the last field is empty:", line)
            values = [value if letter == "T" else value == "true" if letter == "Z" else int(value)
                      for letter, value in zip(layout, values)]
        yield name, int(fields[1]), values


FORMATS = {"J": "q", "I": "i", "Z": "?", "T": "i"}


def binary_records(data, texts):
    at = 0
    while at < len(data):
        number, logging = struct.unpack_from(">iq", data, at)
        require(number in texts, "no class", number, "at byte", at)
        name = texts[number]
        require(name in LAYOUTS, "a class that is not known here:", name)
        layout = ">" + "".join(FORMATS[letter] for letter in LAYOUTS[name])
        values = list(struct.unpack_from(layout, data, at + 12))
        for i, letter in enumerate(LAYOUTS[name]):
            if letter == "T":
                require(values[i] in texts, "no string", values[i], "at byte", at)
                values[i] = texts[values[i]]
        at += 12 + struct.calcsize(layout)
        yield name, logging, values


def read_log(folder):
    texts = read_map(folder)
    names = sorted(name for name in os.listdir(folder) if name != "kieker.map")
    kinds = set()
    for name in names:
        found = DATA.fullmatch(name)
        require(found, "a file with the name", name)
        kinds.add(found[1])
        data = READERS[found[2] or ""](os.path.join(folder, name))
        require(data, name, "is empty")
        yield from (text_records if found[1] == "dat" else binary_records)(data, texts)
    require(len(kinds) < 2, "text and binary in one folder")


# --- rules ----------------------------------------------------------------------------------------------------------


class Trace:
    def __init__(self):
        self.order = self.time = 0
        self.open = []
        self.ended = False
        self.splits = set()
        self.executions = []


class Log:
    def __init__(self, any_signature=False):
        self.any_signature = any_signature
        self.traces = {}
        self.parents = []
        self.records = collections.Counter()
        self.calls = collections.Counter()  # operation signature: pairs, or executions
        self.failed = collections.Counter()  # cause

    def check_signature(self, operation, class_name=None):
        if self.any_signature:
            return
        found = SIGNATURE.fullmatch(operation)
        require(found, "signature", repr(operation))
        require(class_name is None or class_name == found[2], "class", repr(class_name), "of", repr(operation))

    def take(self, name, logging, values):
        if not self.records:
            require(name == METADATA, "the first record is a", name)
        self.records[name] += 1
        require(logging >= 0, "logging timestamp", logging)
        if name == METADATA:
            require(self.records[name] == 1, "a second", name)
            require(values[1] == "kprobe" and values[6] == "NANOSECONDS", values)
        elif name.endswith("TraceMetadata"):
            self.take_metadata(values)
        elif name == EXECUTION:
            self.take_execution(values)
        elif name in LAYOUTS:
            self.take_event(name, values)

    def take_metadata(self, values):
        trace, _, session, host, parent, order = values[:6]
        require(trace not in self.traces, "trace", trace, "is announced twice")
        require(trace != -1 and session == "<no-session-id>" and host, values)
        self.traces[trace] = Trace()
        if parent == trace:
            require(order == -1, values)
        else:
            require(parent in self.traces, "the parent of", trace, "is unknown:", parent)
            require(order == -1 or order in self.traces[parent].splits, "the parent of", trace, "has no split", order)

    def take_event(self, name, values):
        time, trace, order = values[:3]
        require(trace in self.traces, "no metadata of trace", trace)
        state = self.traces[trace]
        require(not state.ended, "trace", trace, "has a second root:", values)
        require(order == state.order, "trace", trace, "has order", order, "instead of", state.order)
        require(time >= state.time >= 0, "time goes back in trace", trace, "at", order)
        state.order += 1
        state.time = time
        if name.endswith("SplitEvent"):
            require(order > 0, "trace", trace, "begins with a split")
            state.splits.add(order)
            return
        self.check_signature(values[3], values[4])
        if name.endswith("BeforeOperationEvent"):
            state.open.append(values[3:5])
            self.calls[values[3]] += 1
            return
        require(state.open and state.open.pop() == values[3:5], "trace", trace, "at", order, "ends", values[3])
        state.ended = not state.open
        if name.endswith("FailedEvent"):
            self.failed[values[5]] += 1

    def take_execution(self, values):
        operation, session, trace, begin, end, host, eoi, ess = values
        self.check_signature(operation)
        require(session == "<no-session-id>" and host and 0 <= begin <= end and trace != -1, values)
        self.calls[operation] += 1
        self.traces.setdefault(trace, Trace()).executions.append((eoi, ess, begin, end))

    def finish(self):
        for number, trace in self.traces.items():
            if trace.executions:
                self.check_executions(number, sorted(trace.executions))
            else:
                require(trace.ended, "trace", number, "does not end: open are", trace.open)

    def check_executions(self, number, executions):
        callers = []
        for index, (eoi, ess, begin, end) in enumerate(executions):
            require(eoi == index, "trace", number, "has eoi", eoi, "instead of", index)
            require(ess <= len(callers) and (ess > 0) == (eoi > 0), "trace", number, "has ess", ess, "at eoi", eoi)
            del callers[ess:]
            if callers:
                require(callers[-1][0] <= begin and end <= callers[-1][1], "trace", number, "at eoi", eoi, "times")
            callers.append((begin, end))

    @property
    def pairs(self):
        return sum(self.calls.values())


def check(folder, any_signature=False):
    log = Log(any_signature)
    for record in read_log(folder):
        log.take(*record)
    log.finish()
    return log


def main(arguments):
    any_signature = "--any-signature" in arguments
    folders = [name for name in arguments if not name.startswith("--")]
    if not folders:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    for folder in folders:
        try:
            log = check(folder, any_signature)
        except Wrong as error:
            print(f"{folder}: {error}", file=sys.stderr)
            return 1
        print(f"{folder}: {len(log.traces)} traces, {log.pairs} calls, {sum(log.failed.values())} failed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

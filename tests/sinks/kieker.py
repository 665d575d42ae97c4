"""Kieker's records as strictly as its original readers take them: streams, logs, and what must hold for traces.

A record is (class without its package, fields...), strings as texts, without the logging timestamp.
"""
import collections
import glob
import os
import socket
import struct
import threading
import time

# Fields as letters: I int, L long, S string, Z boolean.
LAYOUTS = {
    "kieker.common.record.misc.KiekerMetadataRecord": "SSSIZLSL",
    "kieker.common.record.flow.trace.TraceMetadata": "LLSSLI",
    "kieker.common.record.flow.trace.operation.BeforeOperationEvent": "LLISS",
    "kieker.common.record.flow.trace.operation.AfterOperationEvent": "LLISS",
    "kieker.common.record.flow.trace.operation.AfterOperationFailedEvent": "LLISSS",
    "kieker.common.record.flow.trace.concurrency.SplitEvent": "LLI",
}
BYTES = {"I": 4, "L": 8, "S": 4, "Z": 1}
FORMATS = {name: struct.Struct(">q" + "".join({"I": "i", "L": "q", "S": "i", "Z": "B"}[c] for c in letters))
           for name, letters in LAYOUTS.items()}
STRING_MAX, LINE_MAX = 4000, 8192


def decode(name, values, strings):
    assert values[0] > 0, "a record without a logging timestamp"
    fields = []
    for letter, value in zip(LAYOUTS[name], values[1:]):
        if letter == "S":
            assert value in strings, "a string that was not registered: %d" % value
            value = strings[value]
        fields.append(value)
    return (name.rpartition(".")[2], *fields)


class Stream:
    """Bytes of one connection to records."""

    def __init__(self):
        self.strings, self.records, self.pending = {}, [], b""

    def feed(self, data):
        data, at = self.pending + data, 0
        while True:
            taken = self.one(data, at)
            if not taken:
                break
            at += taken
        self.pending = data[at:]

    def one(self, data, at):
        if len(data) - at < 4:
            return 0
        number, = struct.unpack_from(">i", data, at)
        if number == -1:
            if len(data) - at < 12:
                return 0
            number, count = struct.unpack_from(">ii", data, at + 4)
            assert 0 <= number and 0 <= count <= STRING_MAX, "registry entry %d of %d bytes" % (number, count)
            if len(data) - at < 12 + count:
                return 0
            text = data[at + 12:at + 12 + count].decode()
            assert self.strings.setdefault(number, text) == text, "string %d changed" % number
            return 12 + count
        assert number in self.strings, "class %d was not registered" % number
        name = self.strings[number]
        layout = FORMATS[name]
        if len(data) - at < 4 + layout.size:
            return 0
        self.records.append(decode(name, layout.unpack_from(data, at + 4), self.strings))
        return 4 + layout.size


class Receiver:
    """A collector of Kieker streams. `stall`: reads nothing; `die_after`: so many bytes of each connection;
    `answer`: bytes that no collector sends; `slow`: seconds after each piece."""

    def __init__(self, port=0, **manners):
        self.manners, self.streams, self.errors, self.stopped = manners, [], [], False
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        self.output = "kieker-tcp://127.0.0.1:%d" % self.port
        self.listener.listen(64)
        self.open = set()
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            self.open.add(peer)
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        stream, taken = Stream(), 0
        self.streams.append(stream)
        try:
            time.sleep(self.manners.get("stall", 0))
            if "answer" in self.manners:
                peer.sendall(self.manners["answer"])
            while True:
                data = peer.recv(min(65536, self.manners.get("die_after", 1 << 30) - taken))
                if not data:
                    break
                taken += len(data)
                stream.feed(data)
                time.sleep(self.manners.get("slow", 0))
        except OSError:
            pass
        except AssertionError as error:
            self.errors.append(str(error))
        stream.ended = True
        self.open.discard(peer)
        peer.close()

    def stop(self, orderly=False):
        if self.stopped:
            return
        self.stopped = True
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()
        for peer in list(self.open):
            try:
                if not orderly:
                    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                peer.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def wait(self, seconds=20):
        """All that came, stream after stream, when every connection has ended."""
        limit = time.monotonic() + seconds
        while time.monotonic() < limit and not all(hasattr(stream, "ended") for stream in self.streams):
            time.sleep(0.01)
        assert not self.errors, self.errors
        return [stream.records for stream in self.streams]


def read_map(folder):
    strings = {}
    with open(os.path.join(folder, "kieker.map"), encoding="utf-8") as file:
        for line in file:
            number, _, text = line.rstrip("\n").partition("=")
            assert number[0] == "$" and len(text) <= STRING_MAX, line
            strings[int(number[1:])] = text
    return strings


def read_text(data, strings, cut=False):
    if cut:
        data = data[:data.rindex(b"\n") + 1]
    assert data.endswith(b"\n"), "the last line is cut"
    for line in data.decode("ascii").splitlines():
        assert len(line) < LINE_MAX and line[0] == "$", line
        number, *fields = line[1:].split(";")
        name = strings[int(number)]
        letters = LAYOUTS[name]
        assert len(fields) == len(letters) + 1 and int(fields[0]) > 0, line
        yield (name.rpartition(".")[2], *(int(field) if letter in "IL" else field
                                          for letter, field in zip(letters, fields[1:])))


def read_binary(data, strings, cut=False):
    at = 0
    while at < len(data):
        name = strings[struct.unpack_from(">i", data, at)[0]] if not cut or len(data) - at >= 4 else None
        if cut and (not name or len(data) - at < 4 + FORMATS[name].size):
            return
        values = FORMATS[name].unpack_from(data, at + 4)
        yield decode(name, values, strings)
        at += 4 + FORMATS[name].size


def read_log(folder, cut=False):
    """Records of a log folder; `cut`: the last one may be in pieces."""
    assert os.stat(folder).st_mode & 0o777 == 0o700, "the folder is not private"
    strings, records = read_map(folder), []
    for path in sorted(glob.glob(os.path.join(folder, "kieker-*"))):
        with open(path, "rb") as file:
            data = file.read()
        records += (read_text if path.endswith(".dat") else read_binary)(data, strings, cut)
    return records


def check_traces(records, ended=True, repeated=False):
    """Orders without gaps, ends that fit their begins; `ended`: every begin has one. Returns calls by operation."""
    assert records[0][0] == "KiekerMetadataRecord", "the first record is a %s" % records[0][0]
    known, stacks, orders, calls, seen = set(), {}, {}, collections.Counter(), set()
    for record in records:
        kind = record[0]
        if kind == "TraceMetadata":
            assert repeated or record[1] not in known, "trace %d twice" % record[1]
            known.add(record[1])
        if not kind.endswith("Event"):
            continue
        trace, order = record[2], record[3]
        if repeated and (trace, order) in seen:
            continue
        seen.add((trace, order))
        assert trace in known, "an event of trace %d before its metadata" % trace
        assert order == orders.get(trace, 0), "order %d of trace %d, %d is due" % (order, trace, orders.get(trace, 0))
        orders[trace] = order + 1
        stack = stacks.setdefault(trace, [])
        if kind == "BeforeOperationEvent":
            assert stack or order == 0, "trace %d has a second root" % trace
            stack.append(record[4:6])
            calls[record[4]] += 1
        elif kind.startswith("After"):
            assert stack and stack.pop() == record[4:6], "an end without its begin: %r" % (record,)
    assert not ended or not any(stacks.values()), "calls without an end: %r" % [s for s in stacks.values() if s][:3]
    return calls

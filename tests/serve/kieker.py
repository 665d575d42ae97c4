"""Streams and logs of Kieker made by hand, after the specification of the formats and not after our code."""
import glob
import os
import struct

PREFIX = "kieker.common.record."
METADATA = PREFIX + "misc.KiekerMetadataRecord"
TRACE = PREFIX + "flow.trace.TraceMetadata"
APPLICATION_TRACE = PREFIX + "flow.trace.ApplicationTraceMetadata"
BEFORE = PREFIX + "flow.trace.operation.BeforeOperationEvent"
AFTER = PREFIX + "flow.trace.operation.AfterOperationEvent"
FAILED = PREFIX + "flow.trace.operation.AfterOperationFailedEvent"
EXECUTION = PREFIX + "controlflow.OperationExecutionRecord"
RECEIVED = PREFIX + "flow.trace.BeforeReceivedRemoteEvent"
JOIN = PREFIX + "flow.trace.concurrency.JoinEvent"
CPU = PREFIX + "system.CPUUtilizationRecord"
ACTIVATION = PREFIX + "remotecontrol.ActivationParameterEvent"
LAYOUTS = {METADATA: "SSSIZLSL", TRACE: "LLSSLI", APPLICATION_TRACE: "LLSSLIS", BEFORE: "LLISS", AFTER: "LLISS",
           FAILED: "LLISSS", EXECUTION: "SSLLLSII", RECEIVED: "LLILI", JOIN: "LLIL", CPU: "LSSDDDDDDD",
           ACTIVATION: "SSA"}
START = 1_700_000_000_000_000_000


class Stream:
    """Bytes of a stream: strings are registered before their first use. first_id: 0 as Java, 1 as Python."""

    def __init__(self, first_id=0):
        self.ids, self.next_id, self.data, self.records = {}, first_id, bytearray(), 0

    def id(self, text):
        if text not in self.ids:
            self.ids[text] = self.next_id
            encoded = text.encode()
            self.data += struct.pack(">iii", -1, self.next_id, len(encoded)) + encoded
            self.next_id += 1
        return self.ids[text]

    def value(self, letter, value):
        if letter == "S":
            return struct.pack(">i", self.id(value))
        if letter == "A":
            return struct.pack(">i", len(value)) + b"".join(self.value("S", one) for one in value)
        return struct.pack({"L": ">q", "I": ">i", "Z": ">?", "D": ">d"}[letter], value)

    def record(self, name, logging, *values):
        head = self.id(name)
        payload = b"".join(self.value(letter, value) for letter, value in zip(LAYOUTS[name], values))
        self.data += struct.pack(">iq", head, logging) + payload
        self.records += 1

    def trace(self, trace_id, calls=2, thread=1, host="host1", start=START, logging=None, scale=1, kind=TRACE, parent=None):
        """`main` calls `work` so often; 2 * calls + 3 records."""
        def logged(time):
            return time // scale if logging is None else logging

        more = ("app",) if kind == APPLICATION_TRACE else ()
        self.record(kind, logged(start), trace_id, thread, "<no-session-id>", host,
                    trace_id if parent is None else parent, -1, *more)
        steps = [(BEFORE, "main")] + [(BEFORE, "work"), (AFTER, "work")] * calls + [(AFTER, "main")]
        for order, (event, name) in enumerate(steps):
            time = start + 1000 * (order + 1)
            self.record(event, logged(time), time // scale, trace_id, order, "public void app.Main.%s()" % name, "app.Main")

    def take(self):
        data, self.data = bytes(self.data), bytearray()
        return data


def unescape(text):
    return text.replace("\\n", "\n").replace("\\r", "\r").replace("\\\\", "\\")


def read_map(folder):
    names = {}
    with open(os.path.join(folder, "kieker.map"), encoding="utf-8") as lines:
        for line in lines:
            key, value = line.rstrip("\n").split("=", 1)
            names[int(key[1:])] = unescape(value)
    return names


def read_text(folder):
    names, records = read_map(folder), []
    for path in sorted(glob.glob(os.path.join(folder, "*.dat"))):
        with open(path, encoding="ascii") as lines:
            for line in lines:
                fields = line.rstrip("\n").split(";")
                records.append((names[int(fields[0][1:])], int(fields[1]), *fields[2:]))
    return records


def read_records(data, names):
    """Records one behind the other; entries of the registry between them (-1) are taken in."""
    records, at = [], 0

    def number(form, size):
        nonlocal at
        at += size
        return struct.unpack_from(form, data, at - size)[0]

    def value(letter):
        if letter == "S":
            return names[number(">i", 4)]
        if letter == "A":
            return tuple(value("S") for _ in range(number(">i", 4)))
        return {"L": lambda: number(">q", 8), "I": lambda: number(">i", 4), "Z": lambda: number(">?", 1),
                "D": lambda: number(">d", 8)}[letter]()

    while at < len(data):
        kind = number(">i", 4)
        if kind == -1:
            key, size = number(">i", 4), number(">i", 4)
            names[key] = data[at:at + size].decode()
            at += size
            continue
        logging = number(">q", 8)
        records.append((names[kind], logging, *[value(letter) for letter in LAYOUTS[names[kind]]]))
    return records


def read_binary(folder):
    names, records = read_map(folder), []
    for path in sorted(glob.glob(os.path.join(folder, "*.bin"))):
        with open(path, "rb") as file:
            records += read_records(file.read(), names)
    return records


def logs(folder):
    return sorted(os.path.dirname(path) for path in glob.glob(os.path.join(folder, "**", "*.map"), recursive=True))


def check_traces(records):
    """Every trace has its metadata, orders from 0 without a gap, and balanced calls. Returns the ids."""
    orders, announced = {}, {}
    for record in records:
        if record[0] in (TRACE, APPLICATION_TRACE):
            assert int(record[2]) not in announced, "announced twice: %s" % (record,)
            announced[int(record[2])] = int(record[6])
        elif record[0] in (BEFORE, AFTER, FAILED):
            orders.setdefault(int(record[3]), []).append((int(record[4]), record[0] == BEFORE))
    for trace, events in orders.items():
        assert trace in announced, "no metadata of %d" % trace
        assert [order for order, _ in sorted(events)] == list(range(len(events))), "orders of %d" % trace
        assert 2 * sum(before for _, before in events) == len(events), "calls of %d" % trace
    return set(orders)

"""Original Kieker's writers and language packs send to `kprobe serve`: its logs have what was sent, its traces the calls."""
import glob
import json
import os
import re
import socket
import sys
from collections import Counter

import exports
import imports
import kieker_log
import live
import originals
import packs
from originals import TOP, run

TCP = imports.WRITERS + "tcp.SingleSocketTcpWriter."
KINDS = ("kieker-text", "kieker-binary", "trace")
TRACE_IDS = {"traceId", "parentTraceId", "callerTraceId", "joinedTraceId"}


class Serve:
    """`kprobe serve` with an output of one kind, and a tee before it."""

    def __init__(self, options, folder, kind, *arguments):
        os.environ["KPROBE"] = os.path.join(options.tools, "kprobe")
        sys.path.insert(0, os.path.join(TOP, "tests", "serve"))
        import server
        self.folder = os.path.join(folder, kind)
        os.makedirs(self.folder)
        output = None if "--forward" in arguments else "%s:%s" % (kind, os.path.join(self.folder, "out"))
        self.server = server.Server(self.folder, *arguments, output=output)
        self.tee = packs.Tee(self.server.address()[1])
        self.port = self.tee.port

    def finish(self):
        """What came, by connection."""
        streams = self.tee.finish()
        said = self.server.stop()
        assert not re.search("error|damaged|dropped|lost", said), said
        return streams

    def logs(self):
        return sorted({os.path.dirname(path) for path in glob.glob(os.path.join(self.folder, "out", "**", "*.map"), recursive=True)})

    def traces(self):
        return sorted(glob.glob(os.path.join(self.folder, "out", "**", "*.kpt"), recursive=True))


def layouts(options):
    return kieker_log.layouts(os.path.join(options.tools, "kprobe"), os.path.join(TOP, "irl", "models"))


def key(record):
    """Comparable: NaN is like NaN, 0.0 not like -0.0."""
    return record.name, record.logging_ns, tuple(repr(value) if isinstance(value, float) else value for value in record.values)


def read_logs(layout, serve):
    return [list(kieker_log.read_log(layout, log)) for log in serve.logs()]


def check_same(expected, found, what):
    """Each a list of records, in order."""
    assert len(expected) == len(found), "%s: %d records instead of %d" % (what, len(found), len(expected))
    for number, pair in enumerate(zip(map(key, expected), map(key, found))):
        assert pair[0] == pair[1], "%s: record %d is %s instead of %s" % (what, number, pair[1], pair[0])


def check_logs(layout, serve, sent):
    """`sent`: the records of each connection; a log for each."""
    found = read_logs(layout, serve)
    assert len(found) == len(sent), "%d logs for %d connections" % (len(found), len(sent))
    for records in sent:
        other = next((log for log in found if log and list(map(key, log)) == list(map(key, records))), None)
        check_same(records, found[0] if other is None and len(found) == 1 else other or [], serve.folder)


def java_properties(port):
    return ["kieker.monitoring.writer=" + TCP[:-1], TCP + "port=%d" % port, TCP + "connectionTimeoutInMs=20000"]


def java_records(options, folder):
    """All classes of records there are, from Kieker's own writer."""
    java, layout = originals.Java(options.work), layouts(options)
    classes = originals.record_classes(java.jars)
    for kind in KINDS[:2]:
        serve = Serve(options, folder, kind)
        printed = java.run("Records", "1", "40", "ascii", *classes, properties=java_properties(serve.port))
        sent = [list(kieker_log.read_stream(layout, stream)) for stream in serve.finish()]
        written = [kieker_log.parse_line(layout, line) for line in printed.splitlines()]
        check_same(written, sent[0][1:], "what Kieker sent")  # the first is Kieker's own
        check_logs(layout, serve, sent)
        print("%s: %d records of %d classes are in the log as they were sent" % (kind, len(sent[0]), len(classes)))


def java_unicode(options, folder):
    """Kieker's writer gives lengths in UTF-16 units: what is no ASCII has to be understood in spite of that."""
    java, layout = originals.Java(options.work), layouts(options)
    classes = originals.record_classes(java.jars)
    for kind in KINDS[:2]:
        serve = Serve(options, folder, kind)
        printed = java.run("Records", "7", "40", "unicode", *classes, properties=java_properties(serve.port))
        serve.finish()
        written = [kieker_log.parse_line(layout, line) for line in printed.split("\n")[:-1]]
        found, = read_logs(layout, serve)
        assert any(not text.isascii() for record in written for text in record.values if isinstance(text, str))
        check_same(list(map(in_a_text_log, written)) if kind == "kieker-text" else written, found[1:], kind)
        print("%s: %d records" % (kind, len(found)))


def in_a_text_log(record):
    """What a text log can hold of it: the original readers know ASCII only."""
    def plain(value):
        if isinstance(value, tuple):
            return tuple(map(plain, value))
        return re.sub(r"[^\x00-\x7f]", "?", value) if isinstance(value, str) else value
    return record._replace(values=plain(record.values))


def named(record):
    """The host of a peer that does not know it is its address."""
    return record._replace(values=tuple("127.0.0.1" if value == "<default-host>" else value for value in record.values))


def report(options, *inputs):
    found = json.loads(run([os.path.join(options.tools, "kprobe"), "report", "--json", *inputs]).stdout)
    assert found["calls_lost"] == found["events_lost"] == 0, found
    return {function["name"]: function["calls"] for function in found["functions"]}, found


def check_analysis(java, folder, logs):
    jobs = [(log, os.path.join(folder, "analysed-%d" % number), False) for number, log in enumerate(logs)]
    analyses = originals.analyse_2(java, jobs)
    for analysis in analyses:
        assert not analysis.invalid, analysis.invalid[:2000]
    return sum((analysis.calls for analysis in analyses), Counter()), sum(analysis.traces for analysis in analyses)


def java_probes(options, folder):
    """A Java program under Kieker's own probes."""
    java, layout = originals.Java(options.work), layouts(options)
    for kind in KINDS:
        serve = Serve(options, folder, kind)
        _, command = originals.with_probes(options, os.path.join(folder, "probes-" + kind), ["Shop", "30", "4"],
                                           java_properties(serve.port))
        printed = dict(line.split() for line in run(command).stdout.decode().splitlines())
        serve.finish()
        if kind == "trace":
            calls, _ = report(options, *serve.traces())
            calls = Counter({name.split("(")[0].rsplit(".", 1)[-1]: count for name, count in calls.items()})
        else:
            calls, traces = check_analysis(java, serve.folder, serve.logs())
            assert traces == 5
            calls = Counter({name.rsplit(".", 1)[-1]: count for name, count in calls.items()})
        assert {name: str(calls[name]) for name in printed} == printed, "%s: %s instead of %s" % (kind, calls, printed)
        print("%s: %d calls of Kieker's probes" % (kind, sum(calls.values())))
    assert layout


def run_python_pack(options, folder, port, way):
    """Counts of calls."""
    configuration = os.path.join(folder, "monitoring-%s-%d.ini" % (way, port))
    with open(configuration, "w", encoding="ascii") as file:
        file.write("[Main]\nmode = tcp\n[General]\nmultiple_Connections = False\n"
                   "[Tcp]\nhost = 127.0.0.1\nport = %d\nconnection_timeout = 10\n" % port)
    env = {**os.environ, "PYTHONPATH": originals.packages("kieker", exports.PYTHON), "PYTHONIOENCODING": "utf-8"}
    printed = run([exports.PYTHON, "-B", os.path.join(originals.HERE, "python_pack.py"), configuration, way], env=env).stdout
    return {name: int(count) for name, count in (line.split() for line in printed.decode().splitlines())}


def python_pack(options, folder):
    """Kieker's Python pack as PyPI has it: woven in before an import, and after it."""
    layout = layouts(options)
    for kind in KINDS:
        for way in ("instrument", "decorate"):
            serve = Serve(options, os.path.join(folder, way), kind)
            counts = run_python_pack(options, folder, serve.port, way)
            sent = [list(kieker_log.read_stream(layout, stream)) for stream in serve.finish()]
            if kind == "trace":
                calls, whole = report(options, *serve.traces())
                check_python_calls(calls, counts)
                # A thread that begins when another has ended may get its number.
                numbers = {record.values[1] for record in sent[0] if record.name.endswith("TraceMetadata")}
                assert whole["threads"] == len(numbers), whole
            else:
                expected = [named(record) for record in sent[0]]
                check_logs(layout, serve, [list(map(in_a_text_log, expected)) if kind == "kieker-text" else expected])
            befores = Counter(record.values[3] for record in sent[0] if record.name == packs.BEFORE)
            assert befores == counts, (befores, counts)
            print("%s, %s: %d records, %d calls" % (kind, way, len(sent[0]), sum(counts.values())))


def check_python_calls(calls, counts):
    """The pack sends bare names and the class beside them."""
    found = Counter()
    for name, count in calls.items():
        found[name.split("(")[0].rsplit(".", 1)[-1]] += count
    assert found == counts, "%s instead of %s" % (calls, counts)


def send(port, stream):
    """In pieces that end anywhere."""
    with socket.create_connection(("127.0.0.1", port)) as peer:
        for start in range(0, len(stream), 777):
            peer.sendall(stream[start:start + 777])
        peer.shutdown(socket.SHUT_WR)
        assert not peer.recv(1)


def in_nanoseconds(layout, record):
    values = tuple(value * 1000 if field == "timestamp" else value for (field, _, _), value in zip(layout[record.name], record.values))
    return record._replace(logging_ns=record.logging_ns * 1000, values=values)


def c_pack(options, folder):
    """The C pack's stream: microseconds, which become nanoseconds when asked for."""
    java, layout = originals.Java(options.work), layouts(options)
    stream, records = packs.c_pack(layout)
    assert list(kieker_log.read_stream(layout, stream)) == records
    right = [in_nanoseconds(layout, record) for record in records]
    for arguments, expected in (((), records), (("--normalize",), right)):
        for kind in KINDS[:2]:
            serve = Serve(options, os.path.join(folder, "".join(arguments) or "as-is"), kind, *arguments)
            send(serve.port, stream)
            serve.finish()
            check_logs(layout, serve, [expected])
            calls, traces = check_analysis(java, serve.folder, serve.logs())
            assert sum(calls.values()) == 20 * 3 and traces == 20, (calls, traces)
    serve = Serve(options, folder, "trace", "--normalize")
    send(serve.port, stream)
    serve.finish()
    calls, whole = report(options, *serve.traces())
    assert Counter(calls.values()) == Counter({20: 1, 40: 1}) and whole["threads"] == 2, (calls, whole["threads"])
    # The probes for AspectC++ number their events wrongly: the records arrive all the same.
    stream, records = packs.c_pack_aspects(layout)
    serve = Serve(options, os.path.join(folder, "aspects"), "kieker-binary")
    send(serve.port, stream)
    serve.finish()
    check_logs(layout, serve, [records])
    serve = Serve(options, os.path.join(folder, "aspects"), "trace")
    send(serve.port, stream)
    serve.finish()
    calls, _ = report(options, *serve.traces())
    assert sum(calls.values()) == 5, calls
    print("%d records of the C pack's probes" % len(records))


def renumbered(layout, records, ids):
    """Trace ids replaced by when they were first seen, so that equal traces are equal whatever their ids are."""
    for record in records:
        values = [ids.setdefault(value, len(ids)) if field in TRACE_IDS and value != -1 else value
                  for (field, _, _), value in zip(layout[record.name], record.values)]
        yield record._replace(values=tuple(values))


def merged(options, folder):
    """Peers of all kinds in one log: their trace ids, of which many are the same, are told apart."""
    java, layout = originals.Java(options.work), layouts(options)
    serve = Serve(options, folder, "kieker-binary", "--merge", "--normalize")
    for _ in range(2):
        run_python_pack(options, folder, serve.port, "instrument")
    send(serve.port, packs.c_pack(layout)[0])
    _, command = originals.with_probes(options, os.path.join(folder, "probes"), ["Shop", "10", "2"], java_properties(serve.port))
    run(command)
    streams = serve.finish()
    sent = [list(kieker_log.read_stream(layout, stream)) for stream in streams[:3]]
    sent[2] = [in_nanoseconds(layout, record) for record in sent[2]]
    found, = read_logs(layout, serve)
    at = 0
    for records in sent:  # one after the other
        part = found[at:at + len(records)]
        check_same(list(renumbered(layout, map(named, records), {})), list(renumbered(layout, part, {})), "merged log")
        at += len(records)
    announced = Counter(record.values[0] for record in found if record.name.endswith("TraceMetadata"))
    assert max(announced.values()) == 1, "two traces have one id"
    calls, traces = check_analysis(java, serve.folder, serve.logs())
    assert traces == 4 + 4 + 20 + 3, traces
    print("%d records of 4 peers in one log: %d traces, %d calls" % (len(found), traces, sum(calls.values())))


def by_kieker(record):
    """As far as Kieker's receiver and writer keep it: without its time, and without what follows a semicolon."""
    values = tuple(value.split(";")[0] if isinstance(value, str) else value for value in record.values)
    return key(record._replace(logging_ns=0, values=values))


def forwarded(options, folder):
    """Kieker's writer to us, and from us to Kieker's receiver."""
    java, layout = originals.Java(options.work), layouts(options)
    receiver = live.Receiver(java, os.path.join(folder, "received"))
    behind = packs.Tee(receiver.port, live.RECEIVER_PATIENCE_S)
    serve = Serve(options, folder, "forward", "--forward", "kieker-tcp://127.0.0.1:%d" % behind.port)
    classes = [name for name in originals.record_classes(java.jars) if not name.endswith("OperationExecutionRecord")]
    java.run("Records", "3", "10", "ascii", *classes, properties=java_properties(serve.port))
    _, command = originals.with_probes(options, os.path.join(folder, "probes"), ["Shop", "10", "2"], java_properties(serve.port))
    run(command)
    streams = serve.finish()
    passed = [record for stream in behind.finish() for record in kieker_log.read_stream(layout, stream)]
    log, received = receiver.finish()
    written = [by_kieker(record) for record in kieker_log.read_log(layout, log, lenient=True)]
    assert list(map(by_kieker, passed)) == written and received == len(written)
    # The second stream has lengths that are wrong, as Kieker's writer sends them.
    sent = list(kieker_log.read_stream(layout, streams[0]))
    assert not Counter(map(key, sent)) - Counter(map(key, passed)), "records of the first peer are missing"
    print("%d records went through, %d are in Kieker's log" % (len(passed), received))

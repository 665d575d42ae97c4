#!/usr/bin/env python3
"""Peers that send a Kieker stream, to each kind of output."""
import os
import re
import socket
import time

import kieker
import native
from kieker import START, Stream
from server import files, kprobe, run, scene, verify, wait_until


def send(server, *parts):
    peer = native.connect(server.address())
    for part in parts:
        peer.sendall(part)
    peer.shutdown(socket.SHUT_WR)
    assert peer.recv(1) == b"", "a collector of Kieker's says nothing"
    peer.close()


def calls_of(*paths):
    return int(re.search(r"([0-9,]+) calls", kprobe("report", *paths)).group(1).replace(",", ""))


def one_log(server):
    folders = kieker.logs(server.output)
    assert len(folders) == 1, folders
    return folders[0]


def test_to_trace():
    with scene() as start:
        server, stream = start(), Stream()
        for trace in range(1, 101):
            stream.trace(trace, calls=10, start=START + trace * 1000000)
        send(server, stream.take())
        wait_until(lambda: server.metric("streams_ended") == 1, "the stream is over")
        assert server.metric("records") == stream.records
        assert server.metric("records_before") == server.metric("records_after") == 1100
        server.stop()
        paths = files(server.output)
        assert len(paths) == 1 and os.stat(paths[0]).st_mode & 0o777 == 0o600
        verify(*paths)
        dump = kprobe("dump", *paths).splitlines()
        assert sum(line.split("\t")[3] == "enter" for line in dump) == 1100, len(dump)


def test_extreme_numbers():
    """The largest order, a time before all others: the peer's trace is odd, and the server goes on."""
    with scene() as start:
        server = start()
        stream = Stream()
        stream.record(kieker.EXECUTION, 1, "void a.B.c()", "<no-session-id>", 7, kieker.START, kieker.START + 1, "host1", 2**31 - 1, 3)
        stream.record(kieker.BEFORE, 1, -2**63, 8, 2**31 - 1, "void a.B.c()", "a.B")
        stream.record(kieker.AFTER, 1, 2**63 - 1, 8, -2**31, "void a.B.c()", "a.B")
        send(server, stream.take())
        server.wait_metric("streams_ended", 1)
        stream = Stream()
        stream.trace(1)
        send(server, stream.take())
        server.wait_metric("streams_ended", 2)
        server.stop()


def test_killed():
    """Calls that were open when a process died are in the trace, without their ends: no record is lost."""
    with scene() as start:
        server, stream = start(), Stream()
        stream.record(kieker.TRACE, START, 1, 1, "<no-session-id>", "host1", 1, -1)
        for number, name in enumerate("ab"):
            stream.record(kieker.BEFORE, START, START + number, 1, number, "void a.B.%s()" % name, "a.B")
        peer = native.connect(server.address())
        peer.sendall(stream.take())
        peer.close()
        wait_until(lambda: server.metric("streams_ended") == 1, "the stream is over")
        assert server.metric("records_lost") == 0 and server.metric("records_written") == 3
        server.stop()
        assert "2 calls have no end" in kprobe("report", *files(server.output), expected=1)


def test_text_and_binary_log():
    for form, read in (("kieker-text:", kieker.read_text), ("kieker-binary:", kieker.read_binary)):
        with scene() as start:
            out = os.path.join(start.folder, "logs")
            server, stream = start(output=form + out), Stream(first_id=1)
            stream.record(kieker.METADATA, START, "2.0.3", "KIEKER", "host1", 1, False, 0, "NANOSECONDS", 0)
            stream.record(kieker.CPU, START, START, "host1", "0", 0.5, 0.25, 0.0, 0.0, 1e-9, 0.75, 0.25)
            stream.record(kieker.ACTIVATION, START, "..*", "name", ["a", "b"])
            for trace in range(1, 101):
                stream.trace(trace, kind=kieker.APPLICATION_TRACE)
            send(server, stream.take())
            server.output = out
            server.stop()
            folder = one_log(server)
            records = read(folder)
            assert len(records) == stream.records
            assert kieker.check_traces(records) == set(range(1, 101))
            assert [r for r in records if r[0] == kieker.BEFORE][0][5] == "public void app.Main.main()"
            for path in os.listdir(folder):
                assert os.stat(os.path.join(folder, path)).st_mode & 0o777 == 0o600
            assert calls_of(folder) == 300


def test_byte_by_byte():
    with scene() as start:
        out = os.path.join(start.folder, "logs")
        server, stream = start(output="kieker-text:" + out), Stream()
        stream.trace(7)
        peer = native.connect(server.address())
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in stream.take():
            peer.sendall(bytes([byte]))
        peer.close()
        wait_until(lambda: server.metric("streams_ended") == 1, "the stream is over")
        server.stop()
        server.output = out
        assert len(kieker.read_text(one_log(server))) == stream.records


def test_mended():
    """Logging times that were not set, hosts that were not named, microseconds when that was asked for."""
    with scene() as start:
        out = os.path.join(start.folder, "logs")
        server = start("--normalize", output="kieker-text:" + out)
        for trace, more in ((1, {"logging": -1}), (2, {"host": "<default-host>"}), (3, {"scale": 1000})):
            stream = Stream()
            stream.trace(trace, **more)
            send(server, stream.take())
        server.stop()
        records = [record for folder in kieker.logs(out) for record in kieker.read_text(folder)]
        assert len(records) == 21
        for record in records:
            assert record[1] >= START, record
            if record[0] == kieker.TRACE:
                assert record[5] == ("127.0.0.1" if record[2] == "2" else "host1"), record
            else:
                assert START <= int(record[2]) < START + 100000, record


def test_merged_ids():
    """Three Pythons that all count from 1, and a Java whose ids are its own."""
    with scene() as start:
        out = os.path.join(start.folder, "logs")
        server, java = start("--merge", output="kieker-text:" + out), 0x1234567800000001
        peers = []
        for i in range(4):
            stream = Stream(first_id=i)
            for trace in range(50):
                own = (java if i == 3 else 1) + trace
                stream.trace(own, parent=own - 1 if trace else None)
            stream.record(kieker.JOIN, START, START, (java if i == 3 else 1) + 60, 0, (java if i == 3 else 1) + 1)
            data = stream.take()
            peer = native.connect(server.address())
            peer.sendall(data[:5000])
            peers.append((peer, data[5000:]))
        for peer, rest in peers:
            peer.sendall(rest)
            peer.close()
        wait_until(lambda: server.metric("streams_ended") == 4, "all streams are over")
        assert server.metric("trace_ids_changed") == 2
        server.stop()
        server.output = out
        records = kieker.read_text(one_log(server))
        ids = kieker.check_traces(records)
        assert len(ids) == 200
        assert set(range(1, 51)) <= ids and set(range(java, java + 50)) <= ids
        for record in records:
            if record[0] == kieker.TRACE:
                own, parent = int(record[2]), int(record[6])
                assert own - parent in (0, 1), record
            if record[0] == kieker.JOIN:
                assert int(record[3]) - int(record[5]) == 59, record


def test_merged_connections():
    """A process with two connections, as after a fork: its traces go on. What is sent a second time is another process."""
    with scene() as start:
        out = os.path.join(start.folder, "logs")
        server, java = start("--merge", output="kieker-text:" + out), 0x1234567800000001
        first, second, again = Stream(), Stream(), Stream()
        first.trace(java)
        first.record(kieker.TRACE, START, java + 1, 1, "<no-session-id>", "host1", java + 1, -1)
        first.record(kieker.BEFORE, START, START, java + 1, 0, "void a.B.c()", "a.B")
        second.trace(java + 2)
        second.record(kieker.AFTER, START, START + 1, java + 1, 1, "void a.B.c()", "a.B")
        again.trace(java)
        for number, stream in enumerate([first, second, again], 1):
            peer = native.connect(server.address())
            peer.sendall(stream.take())
            peer.close()
            wait_until(lambda: server.metric("streams_ended") == number, "the stream is over")
        assert server.metric("trace_ids_changed") == 1
        server.stop()
        server.output = out
        ids = kieker.check_traces(kieker.read_text(one_log(server)))
        assert len(ids) == 4 and set(range(java, java + 3)) < ids


def test_native_to_kieker():
    for form, read in (("kieker-text:", kieker.read_text), ("kieker-binary:", kieker.read_binary)):
        with scene() as start:
            out = os.path.join(start.folder, "logs")
            server = start("--merge", output=form + out)
            sections = [native.Section(1000 + i, pid=i + 1) for i in range(3)]
            for section in sections:
                native.deliver(server.address(), section)
            server.stop()
            server.output = out
            records = read(one_log(server))
            kieker.check_traces(records)
            assert sum(record[0] == kieker.BEFORE for record in records) == 3003
            assert records[0][0] == kieker.METADATA
            assert calls_of(one_log(server)) == 3003


def test_native_to_executions():
    with scene() as start:
        out = os.path.join(start.folder, "logs")
        server = start("--records", "executions", output="kieker-text:" + out)
        native.deliver(server.address(), native.Section(500))
        server.stop()
        server.output = out
        records = kieker.read_text(one_log(server))
        assert sum(record[0] == kieker.EXECUTION for record in records) == 500


def test_native_resumed_to_kieker():
    """A section goes on in the log after broken connections, and after the server was killed."""
    with scene() as start:
        out = os.path.join(start.folder, "logs")
        section = native.Section(1000, pairs_a_chunk=10)
        server = start(output="kieker-text:" + out)
        for cut in (5, 20, 40):
            sender = native.Sender(server.address(), section)
            assert sender.status == native.GOOD and sender.following < cut
            sender.send(cut)
            sender.peer.sendall(section.chunks[cut][:50])
            sender.wait(cut)
            sender.close()
        server.kill()
        server = start(output="kieker-text:" + out)
        sender = native.Sender(server.address(), section)
        assert sender.following == 40, sender.following
        sender.send()
        assert sender.wait() == native.GOOD
        sender.close()
        server.kill()
        server = start(output="kieker-text:" + out)
        sender = native.Sender(server.address(), section)
        assert sender.following == len(section.chunks)
        server.stop()
        befores = [r[2] for folder in kieker.logs(out) for r in kieker.read_text(folder) if r[0] == kieker.BEFORE]
        assert len(befores) == len(set(befores)) == 1000, (len(befores), len(set(befores)))


def test_rotated_log():
    with scene() as start:
        out = os.path.join(start.folder, "logs")
        server, stream = start("--merge", "--rotate-size", "20K", output="kieker-text:" + out), Stream()
        for trace in range(1, 401):
            stream.trace(trace)
        send(server, stream.take())
        server.stop()
        server.output = out
        data = files(one_log(server), ".dat")
        assert len(data) > 5 and all(os.path.getsize(path) <= 20480 for path in data), data
        assert len(kieker.read_text(one_log(server))) == stream.records


def test_rotated_traces():
    """A trace is over when it is old (or large) and no call is open; nothing is cut, nothing lost."""
    with scene() as start:
        server, stream = start("--rotate-every", "500ms"), Stream()
        peer = native.connect(server.address())
        for trace in range(1, 3001):
            stream.trace(trace, start=START + trace * 1000000)
            if trace % 100 == 0:
                peer.sendall(stream.take())
                time.sleep(0.06)
        peer.close()
        wait_until(lambda: server.metric("streams_ended") == 1, "the stream is over")
        assert server.metric("rotations") >= 1
        server.stop()
        assert len(files(server.output)) >= 2
        verify(*files(server.output))
        assert calls_of(*files(server.output)) == 9000


def test_merged_traces():
    with scene() as start:
        server = start("--merge")
        for i in range(5):
            stream = Stream()
            stream.trace(1, calls=10)
            send(server, stream.take())
        native.deliver(server.address(), native.Section(100))
        wait_until(lambda: not files(server.output, ".part"), "all parts are merged")
        server.stop()
        paths = files(server.output)
        assert len(paths) == 1
        verify(*paths)
        assert calls_of(*paths) == 155


run([value for name, value in list(globals().items()) if name.startswith("test_")])

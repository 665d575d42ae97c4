#!/usr/bin/env python3
"""A collector that hands over to another one: acknowledged end to end, whatever breaks in between."""
import os
import socket
import threading
import time

import kieker
import native
from kieker import START, Stream
from native import GOOD, Section, Sender, deliver
from server import files, kprobe, run, scene, verify, wait_until


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def two(start, *options, scheme="tcp", output=None, next_options=(), port=None):
    """The next collector, and the one before it."""
    folder = start.folder
    inner = os.path.join(folder, "next")
    os.makedirs(inner, exist_ok=True)
    port = port or free_port()
    start.folder = inner
    following = start(*next_options, listen=("tcp://127.0.0.1:%d" % port,), output=output)
    start.folder = folder
    return start("--forward", "%s://127.0.0.1:%d" % (scheme, port), *options), following, port


def only(server):
    paths = files(server.output)
    assert len(paths) == 1, paths
    return paths[0]


def test_native():
    with scene() as start:
        server, following, _ = two(start)
        section = Section(50000)
        deliver(server.address(), section)
        with open(only(following), "rb") as file:
            assert file.read() == section.file()
        server.stop()
        following.stop()


def test_native_next_dies():
    """SIGKILL for the next collector in the middle: nothing acknowledged is lost, nothing is there twice."""
    with scene() as start:
        server, following, port = two(start)
        section = Section(5000, pairs_a_chunk=10)
        sender = Sender(server.address(), section)
        for cut in (100, 200, 300):
            sender.send(cut)
            sender.wait(cut)
            following.kill()
            sender.send(cut + 50)
            time.sleep(0.2)
            folder, start.folder = start.folder, following.folder
            following = start(listen=("tcp://127.0.0.1:%d" % port,))
            start.folder = folder
            sender.wait(cut + 50)
        sender.send()
        assert sender.wait() == GOOD
        with open(only(following), "rb") as file:
            assert file.read() == section.file()
        assert server.metric("forward_failures") >= 3
        server.stop()
        following.stop()


def test_native_next_absent():
    """Without the next collector a peer is told to come again, and keeps what it has."""
    with scene() as start:
        port = free_port()
        server, section = start("--forward", "tcp://127.0.0.1:%d" % port), Section(100)
        assert Sender(server.address(), section).status == native.FULL
        server.stop()


def test_middle_dies():
    with scene() as start:
        server, following, port = two(start)
        section = Section(1000, pairs_a_chunk=10)
        sender = Sender(server.address(), section)
        sender.send(30)
        sender.wait(20)
        server.kill()
        server = start("--forward", "tcp://127.0.0.1:%d" % port)
        deliver(server.address(), section)
        with open(only(following), "rb") as file:
            assert file.read() == section.file()
        server.stop()
        following.stop()


def stream_of(traces, calls=10):
    stream = Stream()
    for trace in range(1, traces + 1):
        stream.trace(trace, calls=calls, start=START + trace * 1000000)
    return stream


def test_kieker_stream():
    """It becomes a section on the way."""
    with scene() as start:
        server, following, _ = two(start)
        peer = native.connect(server.address())
        peer.sendall(stream_of(200).take())
        peer.close()
        wait_until(lambda: server.metric("streams_ended") == 1, "the stream is over")
        server.stop()
        following.stop()
        verify(only(following))
        dump = kprobe("dump", only(following)).splitlines()
        assert sum(line.split("\t")[3] == "enter" for line in dump) == 2200


def test_streams_that_are_alike():
    """Over a Unix socket two streams with the same bytes, or without any event, cannot be told apart: both arrive."""
    with scene() as start:
        inner, outer = os.path.join(start.folder, "next.sock"), os.path.join(start.folder, "first.sock")
        start.folder = os.path.join(start.folder, "next")
        os.mkdir(start.folder)
        following = start(listen=("unix:" + inner,))
        start.folder = os.path.dirname(start.folder)
        server = start("--forward", "unix:" + inner, listen=("unix:" + outer,))
        same, empty = stream_of(3).take(), Stream()
        empty.id("nothing")
        for data in (same, empty.take()) * 2:
            peer = native.connect(outer)
            peer.sendall(data)
            peer.close()
        server.wait_metric("streams_ended", 4)
        server.stop()
        following.stop()
        assert len(files(following.output)) == 4
        dumps = [kprobe("dump", path).count("\tenter\t") for path in files(following.output)]
        assert sorted(dumps) == [0, 0, 33, 33], dumps


def test_as_kieker_stream():
    """Streams and sections become one stream, with trace ids that do not meet."""
    with scene() as start:
        server, following, _ = two(start, scheme="kieker-tcp", output="kieker-binary:" + os.path.join(start.folder, "logs"))
        for _ in range(3):
            peer = native.connect(server.address())
            peer.sendall(stream_of(50).take())
            peer.close()
        deliver(server.address(), Section(100))
        wait_until(lambda: server.metric("streams_ended") == 3, "all streams are over")
        server.stop()
        wait_until(lambda: following.metric("streams_ended") == 1, "all is over")
        following.stop()
        folders = kieker.logs(os.path.join(start.folder, "logs"))
        assert len(folders) == 1
        records = kieker.read_binary(folders[0])
        assert len(kieker.check_traces(records)) == 250
        assert sum(record[0] == kieker.BEFORE for record in records) == 3 * 50 * 11 + 100


class Reader:
    """A collector of Kieker's that takes some bytes of each connection and then closes it; the last one is read to its end."""

    def __init__(self, breaks):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port, self.parts = self.listener.getsockname()[1], []
        self.thread = threading.Thread(target=self.work, args=(breaks,))
        self.thread.start()

    def work(self, breaks):
        for count in [*breaks, None]:
            peer = self.listener.accept()[0]
            data = bytearray()
            while count is None or len(data) < count:
                more = peer.recv(65536 if count is None else min(65536, count - len(data)))
                if not more:
                    break
                data += more
            if count is not None:
                time.sleep(0.3)  # so that all it will ever get is acknowledged, or is not
            self.parts.append(bytes(data))
            peer.close()


def test_stream_broken():
    """The reader goes away between records: each connection begins with all strings, and all records arrive once."""
    with scene() as start:
        reader = Reader([0, 0])
        server = start("--forward", "kieker-tcp://127.0.0.1:%d" % reader.port)
        stream = stream_of(300)
        peer = native.connect(server.address())
        peer.sendall(stream.take())
        peer.close()
        wait_until(lambda: server.metric("forward_connections") >= 3, "it has come again")
        server.stop()
        reader.thread.join(20)
        records = [record for part in reader.parts for record in kieker.read_records(part, {})]
        assert len(kieker.check_traces(records)) == 300
        assert len(records) == stream.records


def test_backlog():
    """A reader that takes nothing: what waits is bounded, the peers wait, and all of it arrives in the end."""
    with scene() as start:
        listener = socket.create_server(("127.0.0.1", 0))
        server = start("--forward", "kieker-tcp://127.0.0.1:%d" % listener.getsockname()[1], "--backlog", "1M",
                       "--stop-wait", "20s")
        away, got = listener.accept()[0], bytearray()
        stream, count = Stream(), 5000
        stream.record(kieker.ACTIVATION, START, "p", "n", ["a"] * 1000)
        strings = len(stream.data) - 4024
        data = stream.take()
        data += data[-4024:] * (count - 1)
        peer = native.connect(server.address(), timeout=60)
        sender = threading.Thread(target=lambda: (peer.sendall(data), peer.close()))
        sender.start()
        wait_until(lambda: server.metric("output_full") == 1, "the peer waits")
        assert server.metric("output_waiting_bytes") < 4 << 20
        while sender.is_alive():
            got += away.recv(1 << 20)
        stopper = threading.Thread(target=server.stop)
        stopper.start()
        while True:
            more = away.recv(1 << 20)
            if not more:
                break
            got += more
        stopper.join()
        assert len(got) == strings + 4024 * count
        assert len(kieker.read_records(bytes(got[:strings + 4024]), {})) == 1
        listener.close()


run([value for name, value in list(globals().items()) if name.startswith("test_")])

#!/usr/bin/env python3
"""Many peers, and bad ones: slow, silent, lying, flooding. A good one beside them notices nothing."""
import os
import random
import resource
import shutil
import socket
import struct
import threading
import time

import kieker
import native
from kieker import Stream
from native import GOOD, Section, Sender, deliver
from server import files, run, scene, verify, wait_until

PEERS = 500


def memory_kib(server, field="VmRSS"):
    with open("/proc/%d/status" % server.process.pid) as status:
        return int(next(line for line in status if line.startswith(field)).split()[1])


def stream_bytes(trace_id, calls):
    stream = Stream(first_id=1)
    stream.trace(trace_id, calls=calls)
    return stream.take(), stream.records


def test_500_peers():
    """At once, half of each kind, in pieces: every record and every call arrives."""
    with scene() as start:
        server = start("--merge", output="kieker-binary:" + os.path.join(start.folder, "logs"))
        data, records = stream_bytes(1, 20)
        sections = [Section(20, pid=i + 1) for i in range(PEERS // 2)]
        streams = [native.connect(server.address()) for _ in range(PEERS // 2)]
        for peer in streams:
            peer.sendall(data[:700])
        senders = [Sender(server.address(), section) for section in sections]
        server.wait_metric("peers", PEERS)
        status = server.status()["metrics"]
        assert status["peers_native"] == status["peers_kieker"] == PEERS // 2, status
        for part in (2, 3, None):
            for sender in senders:
                sender.send(part)
        for peer in streams:
            peer.sendall(data[700:])
            peer.close()
        for sender in senders:
            assert sender.wait() == GOOD
            sender.close()
        server.wait_metric("streams_ended", PEERS // 2)
        assert server.metric("records") == records * (PEERS // 2)
        server.stop()
        folder = kieker.logs(os.path.join(start.folder, "logs"))[0]
        got = kieker.read_binary(folder)
        kieker.check_traces(got)
        assert sum(record[0] == kieker.BEFORE for record in got) == PEERS // 2 * (21 + 20)


def test_500_traces():
    with scene() as start:
        server = start()
        sections = [Section(20, pid=i + 1) for i in range(PEERS)]
        senders = [Sender(server.address(), section) for section in sections]
        for sender in senders:
            sender.send()
        for sender in senders:
            assert sender.wait() == GOOD
            sender.close()
        server.stop()
        got = sorted(open(path, "rb").read() for path in files(server.output))
        assert got == sorted(section.file() for section in sections)


class Good:
    """A peer that sends chunk after chunk all the time; how long the slowest acknowledgement took."""

    def __init__(self, server):
        self.section, self.slowest, self.stopped = Section(20000, pairs_a_chunk=20), 0, False
        self.sender = Sender(server.address(), self.section)
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def work(self):
        for cut in range(1, len(self.section.chunks) + 1):
            begin = time.monotonic()
            self.sender.send(cut)
            assert self.sender.wait(cut) == GOOD
            self.slowest = max(self.slowest, time.monotonic() - begin)
            if not self.stopped:
                time.sleep(0.002)

    def finish(self, server):
        self.stopped = True
        self.thread.join()
        self.path, = [path for path in files(server.output) if self.section.uuid.hex in path]
        with open(self.path, "rb") as file:
            assert file.read() == self.section.file()
        assert self.slowest < 5, "an acknowledgement took %.1f s" % self.slowest


def bad_bytes():
    """What peers send that mean harm, or know no better."""
    entry = struct.Struct(">iii")
    name = kieker.TRACE.encode()
    trace = entry.pack(-1, 0, len(name)) + name
    valid, _ = stream_bytes(1, 3)
    yield b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    yield b"\0" * 1000
    yield os.urandom(5000)
    yield entry.pack(-1, 0, -5)
    yield entry.pack(-1, 0, 0x7fffffff) + b"x" * 100000
    yield entry.pack(-1, -7, 5) + b"hello" + struct.pack(">iq", -7, 0)
    yield trace + struct.pack(">iq", 1, 0) + bytes(100)  # no such class id
    yield entry.pack(-1, 0, 5) + b"no.Cl" + struct.pack(">iq", 0, 0) + bytes(100)  # no such class
    yield trace + struct.pack(">iqqqii", 0, 0, 1, 1, 77, 78) + bytes(12)  # no such strings
    yield valid[:-3]  # half a record
    yield struct.pack(">i", -2) + bytes(100)
    name = kieker.ACTIVATION.encode()
    yield entry.pack(-1, 0, len(name)) + name + entry.pack(-1, 1, 1) + b"a" + struct.pack(">iqiii", 0, 0, 1, 1, 0x7fffffff) + bytes(
        100000)
    yield entry.pack(-1, 0, len(name)) + name + entry.pack(-1, 1, 1) + b"a" + struct.pack(">iqiii", 0, 0, 1, 1, -4) + bytes(100)


def test_bad_peers():
    with scene() as start:
        server = start("--silence", "1s")
        good = Good(server)
        silent = [native.connect(server.address()) for _ in range(20)]
        slow = native.connect(server.address())
        slow.sendall(native.hello(Section(1))[:10])
        generator = random.Random(6)
        for data in list(bad_bytes()) * 3:
            peer = native.connect(server.address())
            try:
                cut = generator.randrange(1, len(data) + 1)
                peer.sendall(data[:cut])
                peer.sendall(data[cut:])
                peer.shutdown(socket.SHUT_WR)
                while peer.recv(4096):
                    pass
            except OSError:
                pass
            peer.close()
        for peer in [*silent, slow]:
            assert peer.recv(1) == b"", "a silent peer is dropped"
        good.finish(server)
        assert server.metric("peers_dropped") >= 30 + len(silent)
        said = server.stop()
        assert "--silence" in said and len(said.splitlines()) < 120
        verify(good.path)


def test_memory_of_a_peer():
    """Strings without end, and a chunk that never ends: the limit is kept."""
    with scene() as start:
        server = start("--peer-memory", "1M")
        good, before = Good(server), memory_kib(server)
        flood = native.connect(server.address())
        number, sent = 0, 0
        try:
            while sent < 100 << 20:
                text = b"%08d" % number + b"x" * 3000
                flood.sendall(struct.pack(">iii", -1, number, len(text)) + text)
                number, sent = number + 1, sent + len(text)
        except OSError:
            pass
        assert sent < 20 << 20, "nobody stopped it"
        section = Section(1)
        huge = native.connect(server.address())
        huge.sendall(native.hello(section))
        assert native.reply(huge)[0] == GOOD
        head = struct.pack("<IHHII8xQ", 0x4b43504b, 1, 0, 60 << 20, 0, 0)
        head = head[:16] + struct.pack("<Q", native.xxh64(head)) + head[24:]
        try:
            for _ in range(1000):
                huge.sendall(head + bytes(65536 - len(head)))
                head = b""
            raise AssertionError("nobody stopped it")
        except OSError:
            pass
        ignorant = Sender(server.address(), Section(1000, pairs_a_chunk=1))
        ignorant.send()  # and never reads an acknowledgement
        good.finish(server)
        assert memory_kib(server, "VmHWM") - before < 16 << 10, "%d KiB" % memory_kib(server, "VmHWM")
        assert server.metric("peers_dropped") >= 2
        server.stop()


def test_flood_of_connections():
    with scene() as start:
        server = start("--max-peers", "20")
        good, held, answered = Good(server), [], 0
        for _ in range(200):
            peer = native.connect(server.address())
            peer.settimeout(0.2 if len(held) < 19 else 5)
            if len(held) < 19:
                held.append(peer)
                continue
            try:
                answered += native.reply(peer)[0] == native.REFUSED
            except (OSError, EOFError):
                pass
            peer.close()
        assert answered > 100, answered
        good.finish(server)
        assert server.metric("connections_refused") >= 181
        server.stop()


def test_open_files():
    """Where the system has few open files, peers beyond them are refused, in words."""
    with scene() as start:
        server = start(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128)))
        assert "ulimit -n" in server.said()
        peers = [native.connect(server.address()) for _ in range(100)]
        server.wait_metric("connections_refused", 68)
        for peer in peers:
            peer.close()
        wait_until(lambda: server.metric("peers") == 0, "they are gone")
        deliver(server.address(), Section(10))
        server.stop()


def test_fair():
    """One peer that blasts does not keep another one waiting."""
    with scene() as start:
        server = start(output="kieker-binary:/dev/shm/kprobe-serve-fair-%d" % os.getpid())
        try:
            data, _ = stream_bytes(1, 2000)
            block = data[-40 * 4000:]
            blaster, stop = native.connect(server.address()), threading.Event()

            def blast():
                blaster.sendall(data)
                while not stop.is_set():
                    blaster.sendall(block)
                blaster.close()

            thread = threading.Thread(target=blast)
            thread.start()
            slowest = 0
            for _ in range(20):
                begin = time.monotonic()
                deliver(server.address(), Section(10))
                slowest = max(slowest, time.monotonic() - begin)
            stop.set()
            thread.join()
            assert slowest < 3, slowest
            server.stop()
        finally:
            shutil.rmtree("/dev/shm/kprobe-serve-fair-%d" % os.getpid(), ignore_errors=True)


soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard) if hard > 0 else 4096, hard))
run([value for name, value in list(globals().items()) if name.startswith("test_")])

#!/usr/bin/env python3
"""Peers that speak kprobe's own protocol: nothing is lost, nothing is there twice, whatever breaks in between."""
import os
import socket
import struct

import native
from native import GOOD, Section, Sender, connect, deliver, hello, reply
from server import files, run, scene, verify, wait_until


def only_file(folder):
    names = files(folder)
    assert len(names) == 1, names
    return names[0]


def same(path, section):
    with open(path, "rb") as file:
        assert file.read() == section.file(), "what came is not what was sent"


def test_one():
    with scene() as start:
        server, section = start(), Section(20000)
        deliver(server.address(), section)
        path = only_file(server.output)
        same(path, section)
        assert os.stat(path).st_mode & 0o777 == 0o600
        verify(path)
        assert server.metric("chunks") == len(section.chunks)
        assert server.metric("sections_ended") == 1
        server.stop()
        assert not os.path.exists(server.control)


def test_byte_by_byte():
    with scene() as start:
        server, section = start(), Section(20)
        peer = connect(server.address())
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in hello(section):
            peer.sendall(bytes([byte]))
        assert reply(peer) == (GOOD, 0)
        for byte in b"".join(section.chunks):
            peer.sendall(bytes([byte]))
        while native.ack(peer)[1] < len(section.chunks):
            pass
        same(only_file(server.output), section)
        server.stop()


def test_unix():
    with scene() as start:
        path = os.path.join(start.folder, "peers.sock")
        server, section = start(listen=("unix:" + path,)), Section(100)
        assert os.stat(path).st_mode & 0o777 == 0o600
        deliver(path, section)
        same(only_file(server.output), section)
        server.stop()
        assert not os.path.exists(path)


def test_resumed():
    """The connection breaks in the middle of a chunk, again and again."""
    with scene() as start:
        server, section = start(), Section(1000, pairs_a_chunk=10)
        for cut in range(3, len(section.chunks), 7):
            sender = Sender(server.address(), section)
            assert sender.status == GOOD
            sender.send(cut)
            sender.peer.sendall(section.chunks[cut][:40])
            sender.wait(cut)
            sender.close()
        deliver(server.address(), section)
        same(only_file(server.output), section)
        assert server.metric("sections") == 1
        assert server.metric("sections_resumed") > 10
        deliver(server.address(), section)  # the last ack was lost on the way: it has nothing to send
        same(only_file(server.output), section)
        server.stop()


def test_second_connection_wins():
    with scene() as start:
        server, section = start(), Section(1000, pairs_a_chunk=10)
        first = Sender(server.address(), section)
        first.send(20)
        first.wait(20)
        deliver(server.address(), section)
        same(only_file(server.output), section)
        assert first.peer.recv(1) == b""
        server.stop()


def test_same_section_without_chunks():
    """Several connections announce one section before any has sent a chunk of it: the last one has it."""
    for form in ("trace:", "kieker-binary:"):
        with scene() as start:
            out = os.path.join(start.folder, "logs")
            server, section = start(output=form + out), Section(100)
            senders = [Sender(server.address(), section) for _ in range(4)]
            senders[-1].send()
            assert senders[-1].wait() == GOOD
            if form == "trace:":
                same(only_file(out), section)
            server.stop()


def test_behind_the_end():
    """A section that is complete takes nothing more, and nobody else notices."""
    for form in ("trace:", "kieker-text:", "kieker-binary:"):
        with scene() as start:
            server, section = start(output=form + os.path.join(start.folder, "logs")), Section(10)
            deliver(server.address(), section)
            section.finish()
            sender = Sender(server.address(), section)
            assert (sender.status, sender.following) == (GOOD, len(section.chunks) - 2)
            sender.send()
            assert sender.wait() == native.DAMAGED
            assert server.metric("output_full") == 0
            deliver(server.address(), Section(10))
            server.stop()


def test_repeated_chunks():
    """Chunks that are safe already, sent again from an earlier one on."""
    with scene() as start:
        server, section = start(), Section(1000, pairs_a_chunk=10)
        sender = Sender(server.address(), section)
        sender.send(30)
        sender.wait(30)
        sender.close()
        sender = Sender(server.address(), section)
        assert sender.following == 30
        sender.following = 12
        sender.send()
        assert sender.wait() == GOOD
        same(only_file(server.output), section)
        assert server.metric("chunks_repeated") == 18
        server.stop()


def refused(server, data, status, section=None):
    peer = connect(server.address())
    if section:
        peer.sendall(hello(section))
        assert reply(peer) == (GOOD, 0)
        peer.sendall(data)
        got, safe = native.ack(peer)
        while got == GOOD:
            got, safe = native.ack(peer)
    else:
        peer.sendall(data)
        got, safe = reply(peer)
    assert got == status, (got, status)
    peer.close()
    return safe


def test_garbage():
    """What is wrong costs the peer its connection, and the good chunks before it stay."""
    with scene() as start:
        server = start()
        chunks = Section(1000, pairs_a_chunk=10).chunks
        other = Section(10)
        bad = bytearray(chunks[5])
        bad[-1] ^= 1
        wrong_length = bytearray(chunks[5])
        struct.pack_into("<I", wrong_length, 8, 0xffffffff)
        cases = [
            (lambda s: s.chunks[1], 0),
            (lambda s: b"".join(s.chunks[:5]) + s.chunks[6], 5),
            (lambda s: b"".join(s.chunks[:5]) + s.chunks[5][:-1] + b"\xff", 5),
            (lambda s: b"".join(s.chunks[:5]) + bytes(wrong_length), 5),
            (lambda s: b"".join(s.chunks[:5]) + os.urandom(4000), 5),
            (lambda s: other.chunks[0], 0),
            (lambda s: native.chunk(3, 0, b"no process"), 0),
            (lambda s: b"".join(s.chunks[:5]) + s.chunks[4] + s.chunks[5], 5),
        ]
        for make, safe in cases:
            section = Section(1000, pairs_a_chunk=10)
            assert refused(server, make(section), native.DAMAGED, section) == safe
        section = Section(10)
        refused(server, b"\x89KPW\r\n\x1a\r" + bytes(56), native.DAMAGED)
        refused(server, hello(section, version=2), native.VERSION_BAD)
        refused(server, hello(section, major=2), native.VERSION_BAD)
        refused(server, hello(section, token=b"x" * 5000), native.DAMAGED)
        deliver(server.address(), section)
        server.stop()


def test_forgotten():
    """Another collector has the first chunks: what names things comes again, then all from the first one kept on."""
    with scene() as start:
        server, section = start(), Section(1000, pairs_a_chunk=10)
        peer = connect(server.address())
        peer.sendall(hello(section, first=40))
        assert reply(peer) == (GOOD, 0)
        kept = [section.chunks[i] for i in (0, 1, 2, *range(40, len(section.chunks)))]
        peer.sendall(b"".join(kept))
        while native.ack(peer)[1] < len(section.chunks):
            pass
        with open(only_file(server.output), "rb") as file:
            assert file.read()[16:] == b"".join(kept)
        for chunks in ([40], [0, 1, 41], [0, 40, 42]):
            section = Section(1000, pairs_a_chunk=10)
            peer = connect(server.address())
            peer.sendall(hello(section, first=40))
            assert reply(peer) == (GOOD, 0)
            peer.sendall(b"".join(section.chunks[i] for i in chunks))
            status = GOOD
            while status == GOOD:
                status, _ = native.ack(peer)
            assert status == native.DAMAGED
        server.kill()
        server = start()
        assert Sender(server.address(), section).following == 41, "where it goes on is read from a file with a hole"
        server.stop()


def test_wrong_collector():
    """It knows more of a section than the sender made: not the one it resumes."""
    with scene() as start:
        server, section = start(), Section(100)
        deliver(server.address(), section)
        peer = connect(server.address())
        peer.sendall(hello(section, made=2))
        assert peer.recv(100) == b""
        server.stop()


def test_killed_and_resumed():
    """SIGKILL for the server at any moment: the file says where to go on."""
    with scene() as start:
        section, server = Section(2000, pairs_a_chunk=5), start()
        for cut in (0, 1, 2, 50, 51, 200, 390):
            sender = Sender(server.address(), section)
            assert sender.status == GOOD and sender.following <= cut
            sender.send(cut)
            sender.peer.sendall(section.chunks[cut][:100])
            sender.wait(cut)
            server.kill()
            server = start()
        deliver(server.address(), section)
        server.kill()
        server = start()
        sender = Sender(server.address(), section)
        assert sender.following == len(section.chunks), "it forgot that it had everything"
        same(only_file(server.output), section)
        verify(only_file(server.output))
        server.stop()


def test_half_written_chunk():
    """What a crash of the machine left behind the last whole chunk is cut off."""
    with scene() as start:
        server, section = start(), Section(100, pairs_a_chunk=10)
        sender = Sender(server.address(), section)
        sender.send(6)
        sender.wait(6)
        server.kill()
        with open(only_file(server.output), "ab") as file:
            file.write(section.chunks[6][:50])
        server = start()
        deliver(server.address(), section)
        same(only_file(server.output), section)
        server.stop()


def test_merged():
    with scene() as start:
        server = start("--merge")
        sections = [Section(100 + i, pid=i + 1) for i in range(10)]
        senders = [Sender(server.address(), section) for section in sections]
        for cut in (2, 3, None):
            for sender in senders:
                sender.send(cut)
        for sender in senders:
            assert sender.wait() == GOOD
            sender.close()
        wait_until(lambda: not files(server.output, ".part"), "all parts are merged")
        path = only_file(server.output)
        verify(path)
        with open(path, "rb") as file:
            data = file.read()
        assert sorted(len(s.file()) for s in sections) and len(data) == sum(len(s.file()) for s in sections)
        assert all(s.file() in data for s in sections)
        server.stop()


def test_merge_interrupted():
    """Killed while one section was being appended: its part is appended again, and nothing is there twice."""
    with scene() as start:
        server = start("--merge")
        first, second = Section(100), Section(200)
        deliver(server.address(), first)
        wait_until(lambda: not files(server.output, ".part"), "the part is merged")
        server.kill()
        with open(only_file(server.output), "ab") as file:
            file.write(second.file()[:300])
        with open(os.path.join(server.output, second.uuid.hex + ".part"), "wb") as file:
            file.write(second.file())
        with open(os.path.join(server.output, first.uuid.hex + ".part"), "wb") as file:
            file.write(first.file())
        server = start("--merge")
        assert not files(server.output, ".part")
        data = b"".join(open(path, "rb").read() for path in files(server.output))
        assert data == first.file() + second.file()
        assert Sender(server.address(), second).following == len(second.chunks)
        server.stop()


def test_foreign_files():
    """What is no trace of ours, or a damaged one, stays as it is; a pipe keeps nobody waiting."""
    with scene() as start:
        output = os.path.join(start.folder, "out")
        os.mkdir(output)
        broken = bytearray(Section(100, pairs_a_chunk=10).file() + Section(100).file())
        broken[300] ^= 1
        foreign = {"kprobe.merged.1.kpt": b"not ours", "kprobe.merged.2.kpt": bytes(broken), "a.kpt": b"neither"}
        for name, data in foreign.items():
            with open(os.path.join(output, name), "wb") as file:
                file.write(data)
        target = os.path.join(start.folder, "target")
        with open(target, "wb") as file:
            file.write(b"elsewhere")
        os.symlink(target, os.path.join(output, "kprobe.merged.3.kpt"))
        os.mkfifo(os.path.join(output, "pipe.kpt"))
        server = start("--merge", "--keep-age", "1d")
        deliver(server.address(), Section(10))
        server.stop()
        for name, data in foreign.items():
            with open(os.path.join(output, name), "rb") as file:
                assert file.read() == data, name
        with open(target, "rb") as file:
            assert file.read() == b"elsewhere"


def test_named():
    with scene() as start:
        server = start("--name", "%e-%h-%p")
        deliver(server.address(), Section(10, pid=77, host="../odd host"))
        deliver(server.address(), Section(10, pid=77, host="../odd host"))
        assert [os.path.basename(path) for path in files(server.output)] == \
            ["python3-.._odd_host-77.2.kpt", "python3-.._odd_host-77.kpt"], files(server.output)
        server.stop()


run([value for name, value in list(globals().items()) if name.startswith("test_")])

"""Sections of traces made by hand, and a sender that keeps to trace/wire.h to the letter."""
import ctypes
import ctypes.util
import os
import socket
import struct
import sys
import uuid as uuids

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "format"))
import read_trace  # noqa: E402

PROCESS, DEFS, EVENTS, CLOCK, END = 1, 2, 3, 4, 6
MAGIC = b"\x89KPW\r\n\x1a\n"
GOOD, REFUSED, VERSION_BAD, FULL, DAMAGED, STOPPING = range(6)
HELLO, REPLY, ACK = struct.Struct("<8s4H16sQQ16x"), struct.Struct("<8sHH4xQ8x"), struct.Struct("<IIQ")
ACK_MAGIC = 0x4b41504b
EVENTS_A_CHUNK = 16000


def fast_hash():
    """libxxhash when it is there; the slow one of the format's own reader else."""
    try:
        library = ctypes.CDLL("libxxhash.so.0")
    except OSError:
        return read_trace.xxh64
    library.XXH64.restype = ctypes.c_uint64
    library.XXH64.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint64]
    return lambda data: library.XXH64(bytes(data), len(data), 0)


xxh64 = fast_hash()


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def text(value):
    value = value.encode()
    return varint(len(value)) + value


def blob(data):
    return b"\0" + varint(len(data)) * 2 + data


def chunk(kind, number, payload):
    head = struct.pack("<IHHII8xQ", 0x4b43504b, kind, 0, len(payload), number, xxh64(payload))
    return head[:16] + struct.pack("<Q", xxh64(head)) + head[24:] + payload


def definition(kind, fields):
    return struct.pack("<IB", 5 + len(fields), kind) + fields


class Section:
    """One process with one thread that makes `pairs` calls, as a list of chunks."""

    def __init__(self, pairs=1000, pid=4711, host="tester", end=True, pairs_a_chunk=EVENTS_A_CHUNK // 2):
        self.uuid, self.pairs, self.chunks = uuids.uuid4(), pairs, []
        start = 1_700_000_000_000_000_000
        self.add(PROCESS, ("version=0.1.0\npid=%d\nppid=1\nuuid=%s\nhost=%s\nexe=/usr/bin/python3\ncommand=app\n"
                           "clock=monotonic\nticks_per_ns=1\nstart_ns=%d\n" % (pid, self.uuid.hex, host, start)).encode())
        self.add(CLOCK, struct.pack("<3Q", 1000, 1000, start))
        self.add(DEFS, blob(definition(1, varint(1) + varint(1) + varint(10) + text("app.work") + text("/app.py")) +
                            definition(2, varint(0) + varint(pid) + varint(0) + varint(1000) + text("main"))))
        for at in range(0, pairs, pairs_a_chunk):
            self.add(EVENTS, self.events(at, min(pairs_a_chunk, pairs - at)))
        if end:
            self.finish()

    def add(self, kind, payload):
        self.chunks.append(chunk(kind, len(self.chunks), payload))

    @staticmethod
    def events(first, count):
        head = b"".join(varint(value) for value in (0, 2 * first, 2 * count, 2 * count)) + b"\0" + \
            varint(2000 + 200 * first) + varint(0)
        return head + blob(b"\1\2" * count) + blob(b"\1" * count) + blob(varint(0) + varint(90) + (b"\x6e" + varint(90)) * (
            count - 1)) + blob(b"")

    def finish(self):
        self.add(DEFS, blob(definition(3, varint(0) + varint(10**9) + varint(self.pairs) + varint(0) + varint(0) + text("main"))))
        self.add(END, struct.pack("<2Q", 0, 10**9))

    def file(self):
        return b"\x89KPT\r\n\x1a\n" + struct.pack("<HH4x", 1, 1) + b"".join(self.chunks)


def connect(address, timeout=20):
    if isinstance(address, str):
        peer = socket.socket(socket.AF_UNIX)
    else:
        peer = socket.socket(socket.AF_INET)
    peer.settimeout(timeout)
    peer.connect(address)
    return peer


def take(peer, count):
    data = b""
    while len(data) < count:
        more = peer.recv(count - len(data))
        if not more:
            raise EOFError("the collector closed after %d of %d bytes" % (len(data), count))
        data += more
    return data


def hello(section, token=b"", made=None, version=1, major=1, first=0):
    made = len(section.chunks) if made is None else made
    return HELLO.pack(MAGIC, version, major, 1, len(token), section.uuid.bytes, made, first) + token


def reply(peer):
    magic, version, status, following = REPLY.unpack(take(peer, REPLY.size))
    assert magic == MAGIC and version == 1, (magic, version)
    return status, following


def ack(peer):
    magic, status, following = ACK.unpack(take(peer, ACK.size))
    assert magic == ACK_MAGIC, magic
    return status, following


class Sender:
    """One connection for a section: hello, then the chunks that the collector has not got."""

    def __init__(self, address, section, token=b"", wrap=lambda peer: peer):
        self.section, self.peer = section, wrap(connect(address))
        self.peer.sendall(hello(section, token))
        self.status, self.following = reply(self.peer)
        self.safe = self.following

    def send(self, until=None):
        until = len(self.section.chunks) if until is None else until
        data = b"".join(self.section.chunks[self.following:until])
        self.following = max(self.following, until)
        self.peer.sendall(data)

    def wait(self, until=None):
        """Until all chunks before `until` are acknowledged."""
        until = len(self.section.chunks) if until is None else until
        while self.safe < until:
            status, safe = ack(self.peer)
            assert safe >= self.safe, "acknowledged less than before"
            self.safe = safe
            if status != GOOD:
                return status
        return GOOD

    def close(self):
        self.peer.close()


def deliver(address, section, token=b"", wrap=lambda peer: peer):
    """All of it, over one connection."""
    sender = Sender(address, section, token, wrap)
    assert sender.status == GOOD, sender.status
    sender.send()
    assert sender.wait() == GOOD
    sender.close()

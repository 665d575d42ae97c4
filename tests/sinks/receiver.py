"""A collector as strict as trace/wire.h is read: it stops at the first byte that is not as it should be.

As a module: Receiver, one listening socket with the files of all sections that came. What it does wrong on purpose is
said by `manners`, a dictionary:
    token        what a hello must bring, else it is refused
    stall        accepts and reads nothing for so many seconds
    garbage      answers every hello with bytes that mean nothing
    die_after    closes each connection after so many bytes of chunks, at whatever byte that is
    ack_every    acknowledges after so many chunks only (and at END); 1 by default
    ack_late     so many seconds after the chunks
"""
import os
import socket
import struct
import threading
import time

MAGIC = b"\x89KPW\r\n\x1a\n"
PREAMBLE = b"\x89KPT\r\n\x1a\n"
HELLO = struct.Struct("<8sHHHH16sQQ16x")
REPLY = struct.Struct("<8sHH4xQ8x")
ACK = struct.Struct("<IIQ")
CHUNK = struct.Struct("<IHHIIQQ")
CHUNK_MAGIC, ACK_MAGIC = 0x4b43504b, 0x4b41504b
GOOD, REFUSED = 0, 1
PROCESS, END = 1, 6


class Broken(Exception):
    """The peer is gone, or we are."""


class Section:
    """What came of one process; chunks in the order of their numbers, none twice."""

    def __init__(self, path, hello):
        self.path, self.next, self.chunks, self.ended, self.jumps = path, 0, 0, False, 0
        self.connections, self.owner = 0, None
        with open(path, "wb") as file:
            file.write(PREAMBLE + struct.pack("<HHI", hello[2], hello[3], 0))

    def take(self, header, data, first):
        magic, kind, flags, _, number, _, _ = header
        assert magic == CHUNK_MAGIC and flags == 0, "that is no chunk: %r" % (header,)
        assert not self.ended, "a chunk after END"
        assert number >= self.next, "chunk %d came twice" % number
        assert number == self.next or number <= first, "chunks from %d to %d are missing" % (self.next, number)
        assert number != 0 or kind == PROCESS, "the first chunk is no PROCESS"
        self.jumps += number != self.next
        with open(self.path, "ab") as file:
            file.write(data)
        self.next, self.ended = number + 1, kind == END
        self.chunks += 1


class Receiver:
    def __init__(self, folder, address=None, manners=None):
        """`address`: a path, a port, or None for a port of its own."""
        self.folder, self.manners = folder, manners or {}
        self.sections, self.errors, self.connections, self.refused = {}, [], 0, 0
        self.lock, self.stopped, self.open = threading.Lock(), False, set()
        self.address = address
        if isinstance(address, str):
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(address)
        else:
            self.listener = socket.socket(socket.AF_INET)
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.listener.bind(("127.0.0.1", address or 0))
            self.address = self.listener.getsockname()[1]
        self.listener.listen(64)
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    @property
    def output(self):
        return ("unix:%s" if isinstance(self.address, str) else "tcp://127.0.0.1:%d") % self.address

    def accept(self):
        while not self.stopped:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.open.add(peer)
                self.connections += 1
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        try:
            self.talk(peer)
        except (Broken, OSError):
            pass
        except AssertionError as error:
            self.errors.append(str(error))
        finally:
            with self.lock:
                self.open.discard(peer)
            peer.close()

    @staticmethod
    def read(peer, count):
        data = b""
        while len(data) < count:
            piece = peer.recv(count - len(data))
            if not piece:
                raise Broken
            data += piece
        return data

    def greet(self, peer):
        """The section and its hello; None when the peer was sent away."""
        hello = HELLO.unpack(self.read(peer, HELLO.size))
        token = self.read(peer, hello[4]).decode()
        assert hello[0] == MAGIC and hello[1] == 1, "that is no hello: %r" % (hello,)
        if "garbage" in self.manners:
            peer.sendall(os.urandom(200))
            return None
        if token != self.manners.get("token", token):
            self.refused += 1
            peer.sendall(REPLY.pack(MAGIC, 1, REFUSED, 0))
            return None
        with self.lock:
            section = self.sections.get(hello[5])
            if not section:
                path = os.path.join(self.folder, hello[5].hex() + ".kpt")
                section = self.sections[hello[5]] = Section(path, hello)
            section.connections += 1
            section.owner = peer  # what an older connection still brings comes again on this one
            assert section.next <= hello[6], "it has made %d chunks, we have %d" % (hello[6], section.next)
        peer.sendall(REPLY.pack(MAGIC, 1, GOOD, section.next))
        return section, hello

    def talk(self, peer):
        time.sleep(self.manners.get("stall", 0))
        greeted = self.greet(peer)
        if not greeted:
            return
        section, hello = greeted
        taken, limit = 0, self.manners.get("die_after")
        while not section.ended:
            head = self.read(peer, CHUNK.size)
            header = CHUNK.unpack(head)
            taken += CHUNK.size + header[3]
            if limit is not None and taken > limit:
                raise Broken  # in the middle of a chunk that is not kept
            data = head + self.read(peer, header[3])
            with self.lock:
                if self.stopped or section.owner is not peer:
                    raise Broken
                section.take(header, data, hello[7])
            if section.ended or section.chunks % self.manners.get("ack_every", 1) == 0:
                time.sleep(self.manners.get("ack_late", 0))
                peer.sendall(ACK.pack(ACK_MAGIC, GOOD, section.next))

    def stop(self, orderly=False):
        """As if killed, unless it is to be in order: then acknowledgements on their way arrive."""
        if self.stopped:
            return
        with self.lock:
            self.stopped = True
            peers = list(self.open)
        self.listener.shutdown(socket.SHUT_RDWR)  # wakes accept, which would go on listening
        self.listener.close()
        self.thread.join()
        for peer in peers:
            try:
                if not orderly:
                    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                peer.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        if isinstance(self.address, str):
            os.unlink(self.address)

    def restart(self, manners=None, forget=False, folder=None):
        """Another one at the same address, with what this one knows."""
        other = Receiver(folder or self.folder, self.address, manners)
        if not forget:
            other.sections = self.sections
            for section in self.sections.values():
                section.connections = 0
        return other

    def wait(self, count=1, seconds=20):
        """Until so many sections have ended."""
        limit = time.monotonic() + seconds
        while time.monotonic() < limit and not self.errors:
            if sum(section.ended for section in self.sections.values()) >= count:
                break
            time.sleep(0.01)
        assert not self.errors, self.errors
        ended = [section for section in self.sections.values() if section.ended]
        assert len(ended) >= count, "%d of %d sections ended" % (len(ended), count)
        return ended

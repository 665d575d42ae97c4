"""What Kieker's language packs send, and a tee that writes it down on its way.

The Python pack itself runs from PyPI (python_pack.py). The C pack is not published as a package: `c_pack` makes its stream as the
specification of formats (4.4, 10.2) describes it.
"""
import contextlib
import socket
import threading
import time

from kieker_log import Record, StreamWriter

TRACE = "kieker.common.record.flow.trace."
BEFORE, AFTER = TRACE + "operation.BeforeOperationEvent", TRACE + "operation.AfterOperationEvent"
EPOCH_US = 1700000000000000


class Tee:
    """Listens, passes on what comes, and keeps it: `streams` has the bytes of each connection."""

    def __init__(self, port, patience_s=0.0):
        self.patience_s = patience_s
        self.target, self.streams, self.threads = port, [], []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self.listener.accept()
                self.streams.append(bytearray())
                self.threads.append(threading.Thread(target=self.pass_on, args=(peer, self.streams[-1]), daemon=True))
                self.threads[-1].start()

    def pass_on(self, peer, stream):
        with peer, socket.create_connection(("127.0.0.1", self.target)) as target:
            # Kieker's receiver dies when bytes come before it has noted down whose they are (ReaderThread.readFromSocket).
            time.sleep(self.patience_s)
            while True:
                data = peer.recv(1 << 16)
                if not data:
                    break
                stream += data
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
            with contextlib.suppress(OSError):
                while target.recv(1 << 16):
                    pass

    def finish(self, timeout_s=30):
        """When all connections have ended, their bytes."""
        time.sleep(0.5)  # of those that ended already, the last one may not have been accepted
        for thread in self.threads:
            thread.join(timeout_s)
            assert not thread.is_alive(), "a connection does not end"
        self.listener.close()
        return [bytes(stream) for stream in self.streams]


def c_pack(layout, calls=20, threads=2):
    """(stream, records) of a program under libkieker: fixed ids for three classes, microseconds, a trace per outermost call."""
    writer = StreamWriter(layout)
    stream = bytearray()
    for name in (TRACE + "TraceMetadata", BEFORE, AFTER):
        writer.text(stream, name)
    records, trace_id, now = [], 12345 << 8, EPOCH_US
    for call in range(calls):
        thread = -(1 << 28) + call % threads  # pthread_self cut to an int
        trace_id += 1
        records.append(Record(TRACE + "TraceMetadata", now, (trace_id, thread, "<no-session>", "host1", -1, 0)))
        order, stack = 0, []
        for address in (0x1139, 0x1152, None, 0x1152, None, None):
            now += 3
            stack.append(address) if address else None
            place = (now, trace_id, order, hex(address or stack.pop()), "<package structure>")
            records.append(Record(BEFORE if address else AFTER, now + 1, place))
            order += 1
    for record in records:
        stream += writer.record(record)
    return bytes(stream), records


def c_pack_aspects(layout, calls=5):
    """The same of the AspectC++ probes: the end repeats the number of what was before it, and the trace never ends."""
    writer = StreamWriter(layout)
    records = [Record(TRACE + "TraceMetadata", EPOCH_US, (777 << 8, 1, "<no-session>", "host1", -1, 0))]
    for call in range(calls):
        now = EPOCH_US + 10 * call
        for name, later in ((BEFORE, 1), (AFTER, 5)):
            records.append(Record(name, now + later, (now + later, 777 << 8, call, "int ns::f(int)", "ns")))
    return b"".join(map(writer.record, records)), records

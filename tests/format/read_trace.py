#!/usr/bin/env python3
"""An independent reader of kprobe traces, written from docs/format.md alone: prints what `kprobe dump` prints.

    read_trace.py FILE...

Exit status 0 fine, 1 damage was seen or the input is no trace, 2 usage. Needs the module zstandard for compressed traces.
It takes nothing from shared memory: only what is in the files.
"""

import struct
import sys

PREAMBLE = b"\x89KPT\r\n\x1a\n"
CHUNK = b"KPCK"
PROCESS, DEFS, EVENTS, CLOCK, INDEX, END, NEXT = range(1, 8)
KINDS = {1: "enter", 2: "exit", 3: "unwind", 4: "yield", 5: "resume", 6: "lost", 7: "stop", 8: "values"}
TWO_SLOTS = {4, 5, 6, 8}
CLOSES = {2, 3, 4}
OPENS = {1, 5}
MASK = (1 << 64) - 1
PAYLOAD_MAX = 64 << 20


class Damaged(Exception):
    pass


# --- XXH64 ---

P1, P2, P3, P4, P5 = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63,
                      0x27D4EB2F165667C5)


def rotate(value, bits):
    return (value << bits | value >> (64 - bits)) & MASK


def xxh_round(lane, word):
    return rotate((lane + word * P2) & MASK, 31) * P1 & MASK


def xxh64(data):
    at, count = 0, len(data)
    if count >= 32:
        lanes = [(P1 + P2) & MASK, P2, 0, -P1 & MASK]
        while at + 32 <= count:
            for i, word in enumerate(struct.unpack_from("<4Q", data, at)):
                lanes[i] = xxh_round(lanes[i], word)
            at += 32
        result = sum(rotate(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18))) & MASK
        for lane in lanes:
            result = ((result ^ xxh_round(0, lane)) * P1 + P4) & MASK
    else:
        result = P5
    result = (result + count) & MASK
    while at + 8 <= count:
        result = (rotate(result ^ xxh_round(0, struct.unpack_from("<Q", data, at)[0]), 27) * P1 + P4) & MASK
        at += 8
    if at + 4 <= count:
        result = (rotate(result ^ struct.unpack_from("<I", data, at)[0] * P1 & MASK, 23) * P2 + P3) & MASK
        at += 4
    for byte in data[at:]:
        result = rotate(result ^ byte * P5 & MASK, 11) * P1 & MASK
    result = (result ^ result >> 33) * P2 & MASK
    result = (result ^ result >> 29) * P3 & MASK
    return result ^ result >> 32


# --- bytes ---


class Bytes:
    """A cursor over bytes that raises Damaged at the end."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def byte(self):
        if self.at >= len(self.data):
            raise Damaged("cut off")
        self.at += 1
        return self.data[self.at - 1]

    def varint(self):
        value = 0
        for shift in range(0, 70, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if value > MASK:
                    break
                return value
        raise Damaged("a varint of more than 64 bits")

    def take(self, count):
        if count > len(self.data) - self.at:
            raise Damaged("cut off")
        self.at += count
        return self.data[self.at - count:self.at]

    def string(self):
        return self.take(self.varint())

    def blob(self):
        codec, raw, stored = self.byte(), self.varint(), self.varint()
        data = self.take(stored)
        if codec == 0 and raw == stored:
            return data
        if codec != 1 or raw > PAYLOAD_MAX:
            raise Damaged("unknown codec")
        import zstandard
        try:
            data = zstandard.ZstdDecompressor().decompress(data, max_output_size=raw)
        except zstandard.ZstdError as error:
            raise Damaged(str(error)) from error
        if len(data) != raw:
            raise Damaged("wrong size")
        return data


# --- sections ---


class Section:
    def __init__(self):
        self.chunks = []  # (type, payload or None when its checksum is wrong)
        self.numbers = 0
        self.process, self.syncs = {}, []
        self.functions, self.threads = {}, {}
        self.facts = {}  # function id: (flags, parameters), where they are known
        self.next_slot, self.last_ns = {}, {}
        self.records = {}  # thread: (start of the line, class, bytes in all, payload) of what is under way
        self.ended = False

    def clock(self):
        """The function from ticks to nanoseconds."""
        t0, m0, r0 = self.syncs[0] if self.syncs else (0, 0, 0)
        t1, m1, _ = self.syncs[-1] if self.syncs else (0, 0, 0)
        rate = float(self.process.get("ticks_per_ns", "0"))
        if t1 > t0 and m1 > m0 and (m1 - m0 >= 10000000 or not rate > 0):
            factor = ((m1 - m0) << 48) // (t1 - t0)
        else:
            factor = int(2.0**48 / rate) if rate > 0 else 0
        half = 1 << 47

        def nanoseconds(ticks):
            if ticks >= t0:
                return min(r0 + ((ticks - t0) * factor + half >> 48), MASK)
            return max(r0 - ((t0 - ticks) * factor + half >> 48), 0)

        return nanoseconds


def decode_process(payload):
    result = {}
    for line in payload.split(b"\n"):
        key, sign, value = line.partition(b"=")
        if sign:
            parts = value.split(b"%")
            text = parts[0] + b"".join(bytes([int(p[:2], 16)]) + p[2:] for p in parts[1:])
            result.setdefault(key.decode("latin-1"), text.decode("latin-1"))
    return result


class Reader:
    def __init__(self, name, data):
        self.name, self.data = name, data
        self.damage = 0
        self.sections = []

    def report(self, at, text):
        self.damage += 1
        print(f"{self.name}: at byte {at}: {text}", file=sys.stderr)

    def header(self, at):
        """Type, number and payload bytes of a valid header, or None."""
        head = self.data[at:at + 32]
        if len(head) < 32 or head[:4] != CHUNK:
            return None
        _, kind, _, count, number, check, payload_check = struct.unpack("<IHHIIQQ", head)
        if count > PAYLOAD_MAX or check != xxh64(head[:16] + bytes(8) + head[24:]):
            return None
        return kind, number, count, payload_check

    def find(self, at):
        while at < len(self.data):
            places = [p for p in (self.data.find(PREAMBLE, at), self.data.find(CHUNK, at)) if p >= 0]
            if not places:
                break
            at = min(places)
            if self.data.startswith(PREAMBLE, at) or self.header(at):
                return at
            at += 1
        return len(self.data)

    def scan(self):
        at, before = 0, None  # `before`: where the chunk before starts, when its payload is wrong
        while at < len(self.data):
            if self.data.startswith(PREAMBLE, at) and len(self.data) - at >= 16:
                before = None
                major, minor = struct.unpack_from("<HH", self.data, at + 8)
                if major > 1:
                    self.report(at, f"format {major}.{minor} is newer than 1.2")
                    at = self.data.find(PREAMBLE, at + 8)
                    at = len(self.data) if at < 0 else at
                    continue
                self.sections.append(Section())
                at += 16
                continue
            header = self.header(at)
            if header and header[2] <= len(self.data) - at - 32:
                good = self.add_chunk(at, *header)
                before = None if good else at
                at += 32 + header[2]
                continue
            bad = at if before is None else before
            if before is not None:
                self.sections[-1].chunks.pop()
            at = self.find(bad + (32 if header or before is not None else 1))
            before = None
            self.report(bad, f"{at - bad} bytes make no sense")

    def add_chunk(self, at, kind, number, count, check):
        section = self.sections[-1] if self.sections else None
        if section is None or section.ended or (kind == PROCESS and section.numbers):
            section = Section()
            self.sections.append(section)
        payload = self.data[at + 32:at + 32 + count]
        good = check == xxh64(payload)
        section.numbers = number + 1
        section.chunks.append((at, kind, payload if good else None))
        if good and kind == PROCESS:
            section.process = decode_process(payload)
        if good and kind == CLOCK and count >= 24:
            section.syncs.append(struct.unpack_from("<3Q", payload))
        section.ended |= good and kind in (END, NEXT)
        return good

    def read(self, out):
        self.scan()
        for section in self.sections:
            nanoseconds = section.clock()
            for at, kind, payload in section.chunks:
                if payload is None:
                    self.report(at, "the checksum of a chunk does not match")
                    continue
                try:
                    if kind == DEFS:
                        define(section, Bytes(payload).blob())
                    elif kind == EVENTS:
                        for line in self.events(section, Bytes(payload), nanoseconds, at):
                            out.write(line)
                except Damaged as error:
                    self.report(at, f"a chunk makes no sense: {error}")
            for thread in list(section.records):
                for line in end_record(section, thread):
                    out.write(line)

    def events(self, section, payload, nanoseconds, at):
        thread, first, slots, count = (payload.varint() for _ in range(4))
        shift, base, depth = payload.byte(), payload.varint(), payload.varint()
        tags, ids, times, extras = (Bytes(payload.blob()) for _ in range(4))
        is_later = int(section.process.get("part", "0")) > 0
        done = section.next_slot.get(thread, first if is_later else 0)
        if first > done:
            self.report(at, f"thread {thread}: slots {done} to {first - 1} are missing")
        section.next_slot[thread] = max(done, first + slots)
        pid, tid = section.process.get("pid", "0"), section.threads.get(thread, 0)
        slot = first
        for kind, ticks, depth, function, value, value2 in decode(tags, ids, times, extras, count, base, depth):
            slot += 2 if kind in TWO_SLOTS else 1
            if slot <= done or kind not in KINDS:
                continue
            ns = max(nanoseconds(ticks << shift), section.last_ns.get(thread, 0))
            section.last_ns[thread] = ns
            start = f"{ns}\t{pid}\t{tid}\t{KINDS[kind]}\t{depth}\t".encode()
            if kind == 8 and function in (RECORD, RECORD_BYTES):
                yield from take_record(section, thread, function, start, value, value2)
                continue
            yield from end_record(section, thread)
            yield start + describe(section, kind, function, value, value2) + b"\n"


def decode(tags, ids, times, extras, count, time, base_depth):
    next_depth = low = high = base_depth
    open_ids, token = {}, 0
    for _ in range(count):
        tag = tags.byte()
        kind = tag & 15
        delta = times.varint()
        time = (time - delta if tag & 0x40 else time + delta) & MASK
        depth = max(next_depth - 1, 0) if kind in CLOSES else next_depth
        if tag & 0x20:
            depth = extras.varint()
        if kind in CLOSES and not tag & 0x10:
            function = open_ids[depth] if low <= depth < high else 0
        else:
            function = ids.varint()
        if kind in CLOSES:
            next_depth, high = depth, min(high, depth)
            low = min(low, high)
        elif kind in OPENS:
            next_depth = depth + 1
            if depth < 65536:
                if depth < low or depth > high:
                    low = depth
                open_ids[depth] = function
                high = depth + 1
        value = value2 = 0
        if kind in TWO_SLOTS:
            value, value2 = extras.varint(), extras.varint()
            if kind in (4, 5):
                value = token = (token + (value >> 1 ^ -(value & 1))) & MASK
        yield kind, time, depth, function, value, value2


def define(section, data):
    at = 0
    while at < len(data):
        if len(data) - at < 5:
            raise Damaged("a definition is cut off")
        count, kind = struct.unpack_from("<IB", data, at)
        if count < 5 or count > len(data) - at:
            raise Damaged("a definition is cut off")
        fields = Bytes(data[at + 5:at + count])
        at += count
        if kind == 1:
            number, function_kind, line = fields.varint(), fields.varint(), fields.varint()
            section.functions.setdefault(number, (fields.string(), fields.string(), line, function_kind == 3))
            if fields.at < len(fields.data):
                section.facts.setdefault(number, (fields.varint(), fields.varint()))
        elif kind == 2:
            number = fields.varint()
            section.threads.setdefault(number, fields.varint())


def escape(text):
    """Printable UTF-8 stays, any other byte and the backslash become \\xNN."""
    out = []
    for char in text.decode("utf-8", "surrogateescape"):
        code = ord(char)
        if code < 0x20 or 0x7F <= code < 0xA0 or char == "\\" or 0xDC80 <= code <= 0xDCFF:
            out += [f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogateescape")]
        else:
            out.append(char)
    return "".join(out).encode()


RECORD, RECORD_BYTES = 12, 13
RECORD_MAX = 1 << 20
FIELDS = {"Z": ">?", "B": ">b", "C": ">H", "S": ">h", "I": ">i", "E": ">i", "J": ">q", "F": ">f", "D": ">d", "T": ">I"}


def decode_field(section, letter, data):
    layout = FIELDS.get(letter) or ">"
    try:
        value, = struct.unpack(layout, data.take(struct.calcsize(layout)))
    except ValueError:
        raise Damaged("no such letter") from None
    if letter == "T":
        text = section.functions[value][0] if value in section.functions else b"<undefined>"
        return escape(text).replace(b";", b"\\x3b").replace(b",", b"\\x2c")
    if letter in "FD":
        return (b"%.9g" if letter == "F" else b"%.17g") % value
    return b"%d" % value if letter != "Z" else b"true" if value else b"false"


def decode_fields(section, layout, data):
    at = 0
    while at < len(layout):
        count, is_array = 1, layout[at] == "["
        while layout[at] == "[":
            digits = at + 1
            while layout[digits].isdigit():
                digits += 1
            length = layout[at + 1:digits]
            count *= int(length) if length else struct.unpack(">I", data.take(4))[0]
            at = digits
        if count > RECORD_MAX:
            raise Damaged("too many elements")
        values = b",".join(decode_field(section, layout[at], data) for _ in range(count))
        yield b"[" + values + b"]" if is_array else values
        at += 1
    if data.at < len(data.data):
        raise Damaged("bytes behind the last field")


def describe_fields(section, number, payload):
    layout = section.functions[number][1] if number in section.functions else b""
    try:
        return b";".join(decode_fields(section, layout.decode("latin-1"), Bytes(payload)))
    except (Damaged, IndexError):
        return b"<malformed>"


def record_line(section, start, number, text):
    name = section.functions.get(number, (b"<undefined class>",))[0]
    return start.replace(b"\tvalues\t", b"\trecord\t") + escape(name) + b"\t" + text + b"\n"


def end_record(section, thread):
    """What is no part of the record that is under way ends it."""
    if thread in section.records:
        start, number = section.records.pop(thread)[:2]
        yield record_line(section, start, number, b"<incomplete>")


def take_record(section, thread, part, start, value, value2):
    if part == RECORD:
        yield from end_record(section, thread)
        if value2 > RECORD_MAX:
            return
        section.records[thread] = (start, value & 0xFFFFFFFF, value2, b"")
    elif thread in section.records:
        before, number, count, payload = section.records[thread]
        payload += struct.pack("<QQ", value, value2)[:count - len(payload)]
        section.records[thread] = (before, number, count, payload)
    if thread in section.records:
        before, number, count, payload = section.records[thread]
        if len(payload) == count:
            del section.records[thread]
            yield record_line(section, before, number, describe_fields(section, number, payload))


REGISTERS = {0: "rdi rsi", 1: "rdx rcx", 2: "r8 r9", 3: "xmm0 xmm1", 4: "xmm2 xmm3", 5: "xmm4 xmm5", 6: "xmm6 xmm7",
             8: "rax rdx", 9: "xmm0 xmm1", 10: "st0 st0_high"}


def describe_values(number, words):
    if number in REGISTERS:
        return " ".join(f"{name}=0x{word:x}" for name, word in zip(REGISTERS[number].split(), words)) + "\t"
    start = f"id{number}" if number < 16 else f"text{number - 16}"
    return f"{start}={struct.pack('<QQ', *words).hex()}\t"


def describe_definition(section, number):
    if number not in section.functions:
        return b"<undefined function>\t"
    name, file, line, of_object = section.functions[number]
    place = b"+0x%x" % line if of_object and file else b":%d" % line if line else b""
    return escape(name) + b"\t" + escape(file) + place


def describe(section, kind, function, value, value2):
    if kind == 6:
        return f"calls={value} events={value2}\t".encode()
    if kind == 7:
        return b"\t"
    if kind == 8 and function == 11:
        return b"exception=" + describe_definition(section, value & 0xFFFFFFFF)
    if kind == 8:
        return describe_values(function, (value, value2)).encode()
    return describe_definition(section, function) + (b"\ttoken=%x" % value if kind in (4, 5) else b"")


def main(names):
    if not names:
        print(__doc__, file=sys.stderr)
        return 2
    damage = 0
    for name in names:
        with open(name, "rb") as file:
            reader = Reader(name, file.read())
        if not reader.data.startswith(PREAMBLE):
            reader.report(0, "not a kprobe trace")
        else:
            reader.read(sys.stdout.buffer)
        damage += reader.damage
    return 1 if damage else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

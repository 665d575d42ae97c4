"""Kieker's logs and streams, read and written from the specification alone: what the tests compare records with.

Shares nothing with kprobe but the layout of the records, which `kprobe irl --list` tells and tests/irl proves.
"""
import bz2
import glob
import gzip
import io
import lzma
import os
import struct
import subprocess
import zipfile
import zlib
from collections import namedtuple

Record = namedtuple("Record", "name logging_ns values")  # values: a tuple in the order of the fields

NUMBERS = {"Z": "?", "B": "b", "H": "h", "I": "i", "J": "q", "F": "f", "D": "d"}
DECODERS = {".gz": gzip.decompress, ".df": zlib.decompress, ".xz": lzma.decompress, ".bz2": bz2.decompress,
            ".zip": lambda data: zipfile.ZipFile(io.BytesIO(data)).read(zipfile.ZipFile(io.BytesIO(data)).namelist()[0])}


def layouts(kprobe, models):
    """By class, the fields as (name, letter of the type, is it an array?)."""
    listed = subprocess.run([kprobe, "irl", "--list", models], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    found = {}
    for line in listed.stdout.decode().splitlines():
        name, _, _, *fields = line.split()
        pairs = [field.rsplit(":", 1) for field in fields]
        found[name] = [(field, kind[0], kind.endswith("[]")) for field, kind in pairs]
    return found


def unescape(text):
    """Of a map: only these are escaped."""
    out, characters = [], iter(text)
    for character in characters:
        if character == "\\":
            following = next(characters)
            character = {"n": "\n", "r": "\r", "\\": "\\"}.get(following, "\\" + following)
        out.append(character)
    return "".join(out)


def strings_of(folder):
    found = {}
    for path in glob.glob(os.path.join(folder, "*.map")):
        with open(path, encoding="utf-8", newline="") as file:
            for line in filter(None, file.read().split("\n")):
                number, text = line.lstrip("$").split("=", 1)
                assert int(number) not in found, "%s: %s twice" % (path, number)
                found[int(number)] = unescape(text)
    return found


def data_files(folder):
    """(name without the suffix of a compression, bytes), in the order of the names."""
    for name in sorted(os.listdir(folder)):
        stem, suffix = os.path.splitext(name)
        with open(os.path.join(folder, name), "rb") as file:
            data = file.read()
        if suffix in DECODERS:
            yield stem, DECODERS[suffix](data)
        elif suffix != ".map":
            yield name, data


def parse_value(letter, text):
    if letter == "Z":
        return text == "true"
    if letter in "FD":
        return float(text.replace("Infinity", "inf"))
    return text if letter in "ST" else int(text)


def parse_line(layout, line, lenient=False):
    """`line`: class;logging time;fields, as in a text log, but with the name of the class. Kieker's writer does not escape a
    semicolon: its logs may have fields too many, which its reader ignores."""
    name, logging, *texts = line.split(";")
    values = []
    for _, letter, is_array in layout[name]:
        count = int(texts.pop(0)) if is_array else 1
        parsed = [parse_value(letter, texts.pop(0)) for _ in range(count)]
        values.append(tuple(parsed) if is_array else parsed[0])
    assert not texts or texts == [""] or lenient, "%s: fields too many: %r" % (line, texts)
    return Record(name, int(logging), tuple(values))


class Cursor:
    """Big-endian values from bytes."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        value, = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(">" + form)
        return value

    def record(self, layout, strings, name):
        logging = self.take("q")
        values = []
        for _, letter, is_array in layout[name]:
            count = self.take("i") if is_array else 1
            found = [strings[self.take("i")] if letter in "ST" else self.take(NUMBERS[letter]) for _ in range(count)]
            values.append(tuple(found) if is_array else found[0])
        return Record(name, logging, tuple(values))


def read_log(layout, folder, lenient=False):
    """All records of a log, text or binary, in their order."""
    strings = strings_of(folder)
    for name, data in data_files(folder):
        if name.endswith(".bin"):
            cursor = Cursor(data)
            while cursor.at < len(data):
                yield cursor.record(layout, strings, strings[cursor.take("i")])
        else:
            assert data.endswith(b"\n"), "%s: the last line has no end" % name
            for line in data.decode("utf-8").split("\n")[:-1]:
                number, rest = line[1:].split(";", 1)
                yield parse_line(layout, "%s;%s" % (strings[int(number)], rest), lenient)


def read_stream(layout, data):
    """All records of what was sent over a connection."""
    cursor, strings = Cursor(data), {}
    while cursor.at < len(data):
        number = cursor.take("i")
        if number >= 0:
            yield cursor.record(layout, strings, strings[number])
        else:
            number, length = cursor.take("i"), cursor.take("i")
            strings[number] = data[cursor.at:cursor.at + length].decode("utf-8")
            cursor.at += length


class StreamWriter:
    """A stream as a probe sends it: strings are told before the record that uses them."""

    def __init__(self, layout, first_id=0):
        self.layout, self.ids, self.next_id = layout, {}, first_id

    def text(self, out, text):
        if text not in self.ids:
            self.ids[text] = self.next_id
            self.next_id += 1
            data = text.encode()
            out += struct.pack(">iii", -1, self.ids[text], len(data)) + data
        return self.ids[text]

    def record(self, record):
        registrations = bytearray()
        payload = struct.pack(">iq", self.text(registrations, record.name), record.logging_ns)
        for (_, letter, is_array), value in zip(self.layout[record.name], record.values):
            values = value if is_array else (value,)
            payload += struct.pack(">i", len(values)) if is_array else b""
            for one in values:
                payload += struct.pack(">i", self.text(registrations, one)) if letter in "ST" else struct.pack(">" + NUMBERS[letter], one)
        return bytes(registrations) + payload

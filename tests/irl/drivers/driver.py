#!/usr/bin/env python3
"""Generated Python records travel: one party of roundtrip.py. Generated code is found through PYTHONPATH.

    driver.py write VALUES BINARY TEXT MAP    reads VALUES, writes all three
    driver.py read-binary BINARY              prints VALUES
    driver.py read-text TEXT MAP              prints VALUES

VALUES: a record a line: class, logging timestamp, then the values that travel: integers and chars decimal, booleans 0 or 1,
floats and doubles the bits in hexadecimal, strings `s` and their UTF-8 in hexadecimal, enums their ordinal; before the
elements of an array `[n,m]`, its lengths.
"""
import re
import struct
import sys
import typing

import kieker_record


class FromTokens:
    """A value of each type from its token."""
    boolean = staticmethod(lambda token: token == "1")
    byte = short = int = long = staticmethod(int)
    char = staticmethod(lambda token: chr(int(token)))
    float = staticmethod(lambda token: struct.unpack(">f", bytes.fromhex(token))[0])
    double = staticmethod(lambda token: struct.unpack(">d", bytes.fromhex(token))[0])
    string = staticmethod(lambda token: bytes.fromhex(token[1:]).decode())


class ToTokens:
    boolean = staticmethod(lambda value: "1" if value is True else "0" if value is False else repr(value))
    byte = short = int = long = staticmethod(str)
    char = staticmethod(lambda value: str(ord(value)))
    float = staticmethod(lambda value: "7fc00000" if value != value else struct.pack(">f", value).hex())
    double = staticmethod(lambda value: "7ff8000000000000" if value != value else struct.pack(">d", value).hex())
    string = staticmethod(lambda value: "s" + value.encode().hex())


class Field:
    def __init__(self, record_type, hints, index):
        spelling = record_type.TYPES[index]
        self.attribute = record_type.ATTRIBUTES[index]
        self.dimensions = spelling.count("[")
        base = re.sub(r"\[.*", "", spelling)
        if base.startswith("enum "):
            hint = hints[self.attribute]
            for _ in range(self.dimensions):
                hint = typing.get_args(hint)[0]
            self.read, self.write = lambda token: hint.from_ordinal(int(token)), lambda value: str(value.ordinal)
        else:
            self.read, self.write = getattr(FromTokens, base), getattr(ToTokens, base)

    def value(self, tokens):
        if not self.dimensions:
            return self.read(next(tokens))
        lengths = [int(length) for length in next(tokens).strip("[]").split(",")]
        return self.rows(lengths, tokens)

    def rows(self, lengths, tokens):
        if len(lengths) == 1:
            return [self.read(next(tokens)) for _ in range(lengths[0])]
        return [self.rows(lengths[1:], tokens) for _ in range(lengths[0])]

    def tokens(self, value, fixed):
        if not self.dimensions:
            return [self.write(value)]
        lengths, row = [], value
        for length in fixed:
            lengths.append(len(row) if row is not None else length)
            row = row[0] if row else None
        elements = value
        for _ in range(self.dimensions - 1):
            elements = [item for row in elements for item in row]
        return ["[%s]" % ",".join(map(str, lengths))] + [self.write(item) for item in elements]


class Type:
    known = {}

    def __init__(self, java_class):
        self.record_type = kieker_record.load(java_class)
        hints = typing.get_type_hints(self.record_type)
        self.fields = [Field(self.record_type, hints, index) for index in range(len(self.record_type.TYPES))]
        self.fixed = [[int(length or 0) for length in re.findall(r"\[(\d*)\]", spelling)]
                      for spelling in self.record_type.TYPES]

    @classmethod
    def of(cls, java_class):
        if java_class not in cls.known:
            cls.known[java_class] = cls(java_class)
        return cls.known[java_class]

    def record(self, timestamp, tokens):
        record = self.record_type()
        record.logging_timestamp = timestamp
        for field in self.fields:
            setattr(record, field.attribute, field.value(tokens))
        return record

    def line(self, record):
        tokens = [record.JAVA_CLASS, str(record.logging_timestamp)]
        for field, fixed in zip(self.fields, self.fixed):
            tokens += field.tokens(getattr(record, field.attribute), fixed)
        return " ".join(tokens)


class AllTypes(dict):
    """Imports what a stream names: here, all of that is ours."""

    def __missing__(self, java_class):
        return Type.of(java_class).record_type


def open_text(name, mode):
    return open(name, mode, encoding="utf-8", newline="\n")


def write(values, binary, text, map_file):
    with open_text(values, "r") as lines, open(binary, "wb") as stream, open_text(text, "w") as data, \
            open_text(map_file, "w") as names:
        writers = [kieker_record.BinaryWriter(stream.write), kieker_record.TextWriter(data.write, names.write)]
        for line in lines:
            java_class, timestamp, *tokens = line.rstrip("\n").split(" ")
            rest = iter(tokens)
            record = Type.of(java_class).record(int(timestamp), rest)
            if list(rest):
                sys.exit("too many tokens: " + line)
            for writer in writers:
                writer.put(record)


def show(records):
    for record in records:
        print(Type.of(record.JAVA_CLASS).line(record))


def main(command, *names):
    if command == "write":
        write(*names)
    elif command == "read-binary":
        with open(names[0], "rb") as stream:
            show(kieker_record.read_binary(stream.read(), AllTypes()))
    else:
        with open_text(names[0], "r") as lines, open_text(names[1], "r") as map_lines:
            show(kieker_record.read_text(lines, map_lines, AllTypes()))


main(*sys.argv[1:])

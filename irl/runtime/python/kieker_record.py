"""What records of Kieker's record language share in Python, and the forms in which their values travel.

Generated classes derive from `Record`. Streams as on a TCP connection:

    writer = BinaryWriter(socket.sendall)
    writer.put(BeforeOperationEvent(timestamp=1, trace_id=2))
    for record in read_binary(data): ...

and logs of text:

    writer = TextWriter(data_file.write, map_file.write)
    for record in read_text(data_file, map_file): ...

Readers know the classes that were imported; `load` imports one by the name that it has in Java. Whatever is no
record is a RecordError, of bytes as of values. Python 3.8 or later, nothing but the standard library.
"""
# What struct gives has no type that a checker knows.
# mypy: disable-error-code=no-any-return
from __future__ import annotations

import fractions
import importlib
import itertools
import keyword
import operator
import re
import struct
import typing

KIEKER_VERSION = "2.0.3"

_Value = typing.Any


class RecordError(ValueError):
    """Values that no record can have, or bytes and text that are none."""


class Serializer(typing.Protocol):
    """What `Record.serialize` calls. Serializers of Kieker's own Python pack do as well."""

    def put_boolean(self, value: bool) -> None: ...
    def put_byte(self, value: int) -> None: ...
    def put_char(self, value: str) -> None: ...
    def put_short(self, value: int) -> None: ...
    def put_int(self, value: int) -> None: ...
    def put_long(self, value: int) -> None: ...
    def put_float(self, value: float) -> None: ...
    def put_double(self, value: float) -> None: ...
    def put_string(self, value: str) -> None: ...


class Deserializer(typing.Protocol):
    """What `Record.deserialize` calls."""

    def get_boolean(self) -> bool: ...
    def get_byte(self) -> int: ...
    def get_char(self) -> str: ...
    def get_short(self) -> int: ...
    def get_int(self) -> int: ...
    def get_long(self) -> int: ...
    def get_float(self) -> float: ...
    def get_double(self) -> float: ...
    def get_string(self) -> str: ...

    def get_array(self, shape: typing.Tuple[int, ...], get: typing.Callable[[], _Value],
                  element_bytes: int) -> typing.List[_Value]:
        """`shape`: the dimensions, outer to inner, 0 for those whose length travels."""


# --- records ---------------------------------------------------------------------------------------------------------

_types: typing.Dict[str, typing.Type["Record"]] = {}


class Record:
    """The base of generated classes.

    VALUE_NAMES and TYPES have an entry for each value that travels, in that order: as the model calls it, and its type
    there; ATTRIBUTES says what the attribute is called. SIZE: the fewest bytes of the values in binary form.
    """

    __slots__ = ("logging_timestamp",)

    JAVA_CLASS: typing.ClassVar[str] = ""
    VALUE_NAMES: typing.ClassVar[typing.Tuple[str, ...]] = ()
    TYPES: typing.ClassVar[typing.Tuple[str, ...]] = ()
    ATTRIBUTES: typing.ClassVar[typing.Tuple[str, ...]] = ()
    SIZE: typing.ClassVar[int] = 0
    logging_timestamp: int

    def __init__(self) -> None:
        self.logging_timestamp = -1

    def __init_subclass__(cls, **arguments: _Value) -> None:
        super().__init_subclass__(**arguments)
        if "TYPES" in cls.__dict__:
            _types[cls.JAVA_CLASS] = cls

    def serialize(self, serializer: Serializer) -> None:
        raise NotImplementedError(type(self).__name__ + " is abstract")

    @classmethod
    def deserialize(cls, deserializer: Deserializer) -> "Record":
        raise NotImplementedError(cls.__name__ + " is abstract")

    def _compared(self) -> typing.Tuple[_Value, ...]:
        return tuple([self.logging_timestamp] + [getattr(self, name) for name in self.ATTRIBUTES])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Record) or type(other) is not type(self):
            return NotImplemented
        return self._compared() == other._compared()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        values = ", ".join("%s=%r" % (name, getattr(self, name)) for name in self.ATTRIBUTES)
        return "%s(%s)" % (type(self).__name__, values)


def known_types() -> typing.Mapping[str, typing.Type[Record]]:
    """The classes imported so far, by their names in Java."""
    return _types


def load(java_class: str) -> typing.Type[Record]:
    """Imports the module of a class that is called so in Java. For names one trusts: importing runs code."""
    if java_class not in _types:
        if not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", java_class, re.ASCII):
            raise RecordError("no name of a class: %r" % java_class)
        try:
            importlib.import_module(".".join(name + "_" if keyword.iskeyword(name) else name
                                             for name in java_class.split(".")))
        except ImportError as problem:
            raise RecordError("no module for %s: %s" % (java_class, problem)) from problem
    try:
        return _types[java_class]
    except KeyError:
        raise RecordError("%s is no record" % java_class) from None


# --- what generated code calls ---------------------------------------------------------------------------------------

def filled(shape: typing.Sequence[int], value: _Value) -> typing.List[_Value]:
    """An array with `value` everywhere; a dimension of 0 is empty."""
    if len(shape) == 1:
        return [value] * shape[0]
    return [filled(shape[1:], value) for _ in range(shape[0])]


def _count(row: typing.Sequence[_Value]) -> int:
    try:
        return len(row)
    except TypeError as problem:
        raise RecordError("no array where one has to be: %r" % (row,)) from problem


def put_array(serializer: Serializer, value: typing.Sequence[_Value], shape: typing.Tuple[int, ...],
              put: typing.Callable[[_Value], None]) -> None:
    """Lengths of the dimensions that `shape` has as 0, then the elements row by row."""
    lengths: typing.List[int] = []
    row: _Value = value
    for depth, length in enumerate(shape):
        lengths.append(length if depth and row is None else _count(row))
        row = row[0] if row else None
    for length, fixed in zip(lengths, shape):
        if fixed and length != fixed:
            raise RecordError("an array has %d elements instead of %d" % (length, fixed))
        if not fixed:
            serializer.put_int(length)
    _put_rows(value, lengths, put)


def _put_rows(value: typing.Sequence[_Value], lengths: typing.Sequence[int],
              put: typing.Callable[[_Value], None]) -> None:
    if _count(value) != lengths[0]:
        raise RecordError("rows of an array differ in length: %d and %d" % (len(value), lengths[0]))
    for item in value:
        if len(lengths) > 1:
            _put_rows(item, lengths[1:], put)
        else:
            put(item)


def ordinal(enumeration: typing.Type[_Value], literal: _Value) -> int:
    if isinstance(literal, enumeration):
        return literal.ordinal
    raise RecordError("no literal of %s: %r" % (enumeration.__name__, literal))


def member(value: _Value, path: typing.Sequence[str], neutral: _Value) -> _Value:
    """What the attributes of `path` lead to; `neutral` where there is nothing."""
    for name in path:
        value = getattr(value, name, None)
    return neutral if value is None else value


def object_id(value: _Value, path: typing.Sequence[str]) -> int:
    """A positive number for the identity of the object that the path leads to; 0 for none."""
    found = member(value, path, None)
    return 0 if found is None else (id(found) >> 4) % 0x7fffffff + 1


def _read_array(get: typing.Callable[[], _Value], lengths: typing.Sequence[int]) -> typing.List[_Value]:
    if len(lengths) == 1:
        return [get() for _ in range(lengths[0])]
    return [_read_array(get, lengths[1:]) for _ in range(lengths[0])]


def _get_array(deserializer: _Value, shape: typing.Sequence[int], get: typing.Callable[[], _Value],
               element_bytes: int, left: typing.Callable[[], int]) -> typing.List[_Value]:
    """Nothing is made before it is clear that there is enough left for it."""
    lengths = [fixed or deserializer.get_int() for fixed in shape]
    elements = 1
    for length in lengths:
        if length < 0:
            raise RecordError("an array has a negative length: %d" % length)
        elements *= length
    rows = max(itertools.accumulate(lengths[:-1], lambda a, b: a * b), default=0)
    if elements * element_bytes > left() or (not elements and rows > _EMPTY_ROWS):
        raise RecordError("an array is longer than its record: %s" % " x ".join(map(str, lengths)))
    return _read_array(get, lengths)


# Rows without elements cost no bytes; so many are believed.
_EMPTY_ROWS = 65536


# --- binary ----------------------------------------------------------------------------------------------------------

class Registry:
    """Strings and their ids, both ways. New ones get the next id, from 0, and are told to `on_new`."""

    def __init__(self, on_new: typing.Optional[typing.Callable[[int, str], _Value]] = None) -> None:
        self._ids: typing.Dict[str, int] = {}
        self._texts: typing.Dict[int, str] = {}
        self._next = 0
        self._on_new = on_new

    def get_id(self, text: str) -> int:
        found = self._ids.get(text)
        if found is None:
            found = self._next
            self.put(found, text)
            if self._on_new:
                self._on_new(found, text)
        return found

    def get_text(self, text_id: int) -> str:
        try:
            return self._texts[text_id]
        except KeyError:
            raise RecordError("no string has the id %d" % text_id) from None

    def put(self, text_id: int, text: str) -> None:
        """An entry as it came in; a new text takes the place of an old one."""
        if text_id < 0:
            raise RecordError("a string has a negative id: %d" % text_id)
        self._ids[text] = text_id
        self._texts[text_id] = text
        self._next = max(self._next, text_id + 1)


_BYTE, _SHORT, _CHAR = struct.Struct(">b"), struct.Struct(">h"), struct.Struct(">H")
_INT, _LONG = struct.Struct(">i"), struct.Struct(">q")
_FLOAT, _DOUBLE = struct.Struct(">f"), struct.Struct(">d")
_HEAD, _ENTRY = struct.Struct(">iq"), struct.Struct(">iii")
_FLOAT_NAN, _DOUBLE_NAN = b"\x7f\xc0\0\0", b"\x7f\xf8\0\0\0\0\0\0"


def _unit(value: str) -> int:
    """The UTF-16 unit of a character."""
    if isinstance(value, str) and len(value) == 1 and ord(value) <= 0xffff:
        return ord(value)
    raise RecordError("no char: %r" % (value,))


def _string(value: typing.Optional[str]) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise RecordError("no string: %r" % (value,))
    return value


class BinarySerializer:
    """The values of records as bytes, in `data`; strings as their ids in `registry`."""

    def __init__(self, registry: typing.Optional[Registry] = None) -> None:
        self.registry = registry if registry is not None else Registry()
        self.data = bytearray()

    def _put(self, form: struct.Struct, value: _Value) -> None:
        try:
            self.data += form.pack(value)
        except (struct.error, OverflowError, TypeError) as problem:
            raise RecordError("%r does not fit: %s" % (value, problem)) from problem

    def put_boolean(self, value: bool) -> None:
        self.data.append(1 if value else 0)

    def put_byte(self, value: int) -> None:
        self._put(_BYTE, value)

    def put_char(self, value: str) -> None:
        self._put(_CHAR, _unit(value))

    def put_short(self, value: int) -> None:
        self._put(_SHORT, value)

    def put_int(self, value: int) -> None:
        self._put(_INT, value)

    def put_long(self, value: int) -> None:
        self._put(_LONG, value)

    def put_float(self, value: float) -> None:
        if value != value:
            self.data += _FLOAT_NAN
        else:
            self._put(_FLOAT, value)

    def put_double(self, value: float) -> None:
        if value != value:
            self.data += _DOUBLE_NAN
        else:
            self._put(_DOUBLE, value)

    def put_string(self, value: typing.Optional[str]) -> None:
        self._put(_INT, self.registry.get_id(_string(value)))


class BinaryDeserializer:
    """Values of bytes, from `position` on."""

    def __init__(self, data: typing.Union[bytes, bytearray, memoryview], registry: typing.Optional[Registry] = None,
                 position: int = 0) -> None:
        self.data = memoryview(data).cast("B")
        self.registry = registry if registry is not None else Registry()
        self.position = position

    def left(self) -> int:
        return len(self.data) - self.position

    def take(self, count: int) -> memoryview:
        if count < 0 or count > self.left():
            raise RecordError("the bytes end within a record")
        self.position += count
        return self.data[self.position - count:self.position]

    def _get(self, form: struct.Struct) -> _Value:
        return form.unpack(self.take(form.size))[0]

    def get_boolean(self) -> bool:
        return self.take(1)[0] == 1

    def get_byte(self) -> int:
        return self._get(_BYTE)

    def get_char(self) -> str:
        return chr(self._get(_CHAR))

    def get_short(self) -> int:
        return self._get(_SHORT)

    def get_int(self) -> int:
        return self._get(_INT)

    def get_long(self) -> int:
        return self._get(_LONG)

    def get_float(self) -> float:
        return self._get(_FLOAT)

    def get_double(self) -> float:
        return self._get(_DOUBLE)

    def get_string(self) -> str:
        return self.registry.get_text(self._get(_INT))

    def get_array(self, shape: typing.Tuple[int, ...], get: typing.Callable[[], _Value],
                  element_bytes: int) -> typing.List[_Value]:
        return _get_array(self, shape, get, element_bytes, self.left)


class BinaryWriter:
    """Records and the strings that they use, as they go over a connection; `write` gets the bytes."""

    def __init__(self, write: typing.Callable[[bytes], _Value]) -> None:
        self._write = write
        self.registry = Registry(self._put_entry)

    def _put_entry(self, text_id: int, text: str) -> None:
        # Halves of surrogate pairs have no UTF-8: Java writes a question mark for them, too.
        data = text.encode("utf-8", "replace")
        self._write(_ENTRY.pack(-1, text_id, len(data)) + data)

    def put(self, record: Record) -> None:
        serializer = BinarySerializer(self.registry)
        class_id = self.registry.get_id(record.JAVA_CLASS)
        record.serialize(serializer)
        self._write(_HEAD.pack(class_id, record.logging_timestamp) + serializer.data)


def _find(types: typing.Mapping[str, typing.Type[Record]], java_class: str) -> typing.Type[Record]:
    try:
        return types[java_class]
    except KeyError:
        raise RecordError("unknown record: %s" % java_class) from None


def read_binary(data: typing.Union[bytes, bytearray, memoryview],
                types: typing.Optional[typing.Mapping[str, typing.Type[Record]]] = None,
                registry: typing.Optional[Registry] = None) -> typing.Iterator[Record]:
    """The records of a stream. `types`: by names in Java; without, those that were imported. `registry`: entries that
    are known before the stream begins, as a map file has them."""
    deserializer = BinaryDeserializer(data, registry)
    types = _types if types is None else types
    while deserializer.left():
        kind = deserializer.get_int()
        if kind == -1:
            text_id, count = deserializer.get_int(), deserializer.get_int()
            try:
                text = bytes(deserializer.take(count)).decode("utf-8")
            except UnicodeDecodeError as problem:
                raise RecordError("a string is no UTF-8: %s" % problem) from problem
            deserializer.registry.put(text_id, text)
            continue
        record_type = _find(types, deserializer.registry.get_text(kind))
        logging_timestamp = deserializer.get_long()
        record = record_type.deserialize(deserializer)
        record.logging_timestamp = logging_timestamp
        yield record


# --- text ------------------------------------------------------------------------------------------------------------

def _java_number(scientific: str) -> str:
    """Digits as "%e" gives them in the form of Java's Double.toString."""
    mantissa, exponent_text = scientific.split("e")
    sign = "-" if mantissa[0] == "-" else ""
    digits, exponent = mantissa.lstrip("-").replace(".", "").rstrip("0") or "0", int(exponent_text)
    if digits == "0":
        return sign + "0.0"
    if not -3 <= exponent < 7:
        return "%s%s.%sE%d" % (sign, digits[0], digits[1:] or "0", exponent)
    if exponent < 0:
        return sign + "0." + "0" * (-exponent - 1) + digits
    digits = digits.ljust(exponent + 2, "0")
    return sign + digits[:exponent + 1] + "." + digits[exponent + 1:]


def _special(value: float) -> typing.Optional[str]:
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    return None


def _stored(form: struct.Struct, value: float) -> float:
    """What is left of a number in that form."""
    try:
        return form.unpack(form.pack(value))[0]
    except (struct.error, OverflowError) as problem:
        raise RecordError("%r does not fit: %s" % (value, problem)) from problem


def java_double(value: float) -> str:
    """As Double.toString writes it: the fewest digits, but at least two, that read back as the same number."""
    value = _stored(_DOUBLE, value)
    special = _special(value)
    if special:
        return special
    digits = repr(value).lstrip("-").split("e")[0].replace(".", "").strip("0")
    return _java_number("%.*e" % (max(len(digits) - 1, 1), value))


def java_float(value: float) -> str:
    """As Float.toString writes it."""
    value = _stored(_FLOAT, value)
    special = _special(value)
    if special:
        return special
    texts = ("%.*e" % (digits, value) for digits in range(1, 9))
    return _java_number(next(text for text in texts if _nearest_float(text) == value))


def _nearest_float(text: str) -> float:
    """The float that is nearest to a decimal number. Rounding twice, to double and then to float, goes wrong where the
    double lies in the middle between two floats and the number does not."""
    value = float(text)
    bits = _LONG.unpack(_DOUBLE.pack(value))[0]
    if bits & 0x0fffffff == 0 and value and abs(value) != float("inf"):
        exact = fractions.Fraction(text)
        if exact != value:
            bits += 1 if abs(exact) > abs(value) else -1
            value = _DOUBLE.unpack(_LONG.pack(bits))[0]
    try:
        return _FLOAT.unpack(_FLOAT.pack(value))[0]
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


_UNWRITABLE = str.maketrans({";": ",", "\r": " ", "\n": " ", "\t": " "})


def text_of(value: str) -> str:
    """A string as it can stand in a line: separators and line ends replaced, and halves of surrogate pairs, as they have
    no UTF-8; an odd number of backslashes gets one more, because the last would take the separator behind it along."""
    value = value.encode("utf-8", "replace").decode("utf-8")
    return re.sub(r"(?<!\\)(?:\\\\)*\\(?!\\)", lambda match: match.group() + "\\", value.translate(_UNWRITABLE))


class TextSerializer:
    """The values of records as text, in `fields`."""

    def __init__(self) -> None:
        self.fields: typing.List[str] = []

    def _put(self, value: int, bits: int) -> None:
        try:
            value = operator.index(value)
        except TypeError as problem:
            raise RecordError("no integer: %r" % (value,)) from problem
        if not -1 << (bits - 1) <= value < 1 << (bits - 1):
            raise RecordError("%r does not fit" % value)
        self.fields.append("%d" % value)

    def put_boolean(self, value: bool) -> None:
        self.fields.append("true" if value else "false")

    def put_byte(self, value: int) -> None:
        self._put(value, 8)

    def put_char(self, value: str) -> None:
        _unit(value)
        self.fields.append("/" if value == "\\" else text_of(value))

    def put_short(self, value: int) -> None:
        self._put(value, 16)

    def put_int(self, value: int) -> None:
        self._put(value, 32)

    def put_long(self, value: int) -> None:
        self._put(value, 64)

    def put_float(self, value: float) -> None:
        self.fields.append(java_float(value))

    def put_double(self, value: float) -> None:
        self.fields.append(java_double(value))

    def put_string(self, value: typing.Optional[str]) -> None:
        self.fields.append(text_of(_string(value)))


_INTEGER = re.compile(r"[+-]?[0-9]{1,400}")
_NUMBER = re.compile(r"[\0- ]*([+-]?)(?:(NaN|Infinity)|((?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)[fFdD]?)[\0- ]*")


class TextDeserializer:
    """Values of the fields of a line, from `position` on."""

    def __init__(self, fields: typing.Sequence[str]) -> None:
        self.fields = fields
        self.position = 0

    def left(self) -> int:
        return len(self.fields) - self.position

    def _get(self) -> str:
        if not self.left():
            raise RecordError("the line ends within a record")
        self.position += 1
        return self.fields[self.position - 1]

    def _integer(self, bits: int) -> int:
        text = self._get()
        value = int(text) if _INTEGER.fullmatch(text) else None
        if value is None or not -1 << (bits - 1) <= value < 1 << (bits - 1):
            raise RecordError("no integer of %d bits: %.40r" % (bits, text))
        return value

    def _number(self, read: typing.Callable[[str], float]) -> float:
        text = self._get()
        found = _NUMBER.fullmatch(text)
        if not found:
            raise RecordError("no number: %.40r" % text)
        sign, special, digits = found.groups()
        if special:
            return float(sign + special)
        return read(sign + digits)

    def get_boolean(self) -> bool:
        return self._get().lower() == "true"

    def get_byte(self) -> int:
        return self._integer(8)

    def get_char(self) -> str:
        text = self._get()
        _unit(text)
        return text

    def get_short(self) -> int:
        return self._integer(16)

    def get_int(self) -> int:
        return self._integer(32)

    def get_long(self) -> int:
        return self._integer(64)

    def get_float(self) -> float:
        return self._number(_nearest_float)

    def get_double(self) -> float:
        return self._number(float)

    def get_string(self) -> str:
        # Fields that are missing at the end are empty strings to Kieker's reader.
        return self._get() if self.left() else ""

    def get_array(self, shape: typing.Tuple[int, ...], get: typing.Callable[[], _Value],
                  element_bytes: int) -> typing.List[_Value]:
        return _get_array(self, shape, get, 1, self.left)


class TextWriter:
    """Lines of a log; `write` gets those of records, `write_map` those that say what the ids stand for."""

    def __init__(self, write: typing.Callable[[str], _Value], write_map: typing.Callable[[str], _Value]) -> None:
        self._write = write
        self._registry = Registry(lambda class_id, name: write_map("$%d=%s\n" % (class_id, name)))

    def put(self, record: Record) -> None:
        serializer = TextSerializer()
        record.serialize(serializer)
        head = "$%d;%d" % (self._registry.get_id(record.JAVA_CLASS), record.logging_timestamp)
        self._write(";".join([head] + serializer.fields) + "\n")


def split_line(line: str) -> typing.List[str]:
    """The fields of a line. A backslash keeps the separator behind it, and both characters stay."""
    return re.findall(r"(?:^|(?<=;))((?:[^;\\]|\\.|\\$)*)(?:;|$)", line, re.DOTALL) if "\\" in line else line.split(";")


_ESCAPED = {"\\n": "\n", "\\r": "\r", "\\\\": "\\"}


def read_map(lines: typing.Iterable[str]) -> Registry:
    """The lines of a map file."""
    registry = Registry()
    for line in lines:
        line = line.rstrip("\r\n")
        if not line:
            continue
        found = re.fullmatch(r"\$?([0-9]{1,10})=(.*)", line, re.DOTALL)
        if not found:
            raise RecordError("no line of a map: %.80r" % line)
        registry.put(int(found.group(1)), re.sub(r"\\[nr\\]", lambda escape: _ESCAPED[escape.group()], found.group(2)))
    return registry


def read_text(lines: typing.Iterable[str], map_lines: typing.Iterable[str],
              types: typing.Optional[typing.Mapping[str, typing.Type[Record]]] = None) -> typing.Iterator[Record]:
    """The records of a log of text. `types`: by names in Java; without, those that were imported."""
    registry = read_map(map_lines)
    types = _types if types is None else types
    for line in lines:
        line = line.rstrip("\r\n")
        if not line:
            continue
        if not line.startswith("$"):
            raise RecordError("no line of a record: %.80r" % line)
        deserializer = TextDeserializer(split_line(line[1:]))
        record_type = _find(types, registry.get_text(deserializer.get_int()))
        logging_timestamp = deserializer.get_long()
        record = record_type.deserialize(deserializer)
        record.logging_timestamp = logging_timestamp
        yield record

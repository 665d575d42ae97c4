"""Python that was generated from the models of this folder, and from Kieker's: what its classes do. Run by script.py with
PYTHONPATH at the generated code, by each interpreter, with warnings as errors."""
import importlib
import math
import os
import struct
import typing
import unittest

import kieker_record
from demo.every.Arrays import Arrays
from demo.every.Bought import Bought
from demo.every.Both import Both
from demo.every.Child import Child
from demo.every.Empty import Empty
from demo.every.GrandChild import GrandChild
from demo.every.if_ import if_
from demo.every.Named import Named
from demo.every.Order import Order
from demo.every.Parent import Parent
from demo.every.Placed import Placed
from demo.every.Scalars import Scalars
from demo.every.Secret import Secret
from demo.every.Secret_Child import Secret_Child
from demo.every.Words import Words
from demo.lambda_.for_ import for_
from demo.lambda_.Side import Side
from demo.model.Colour import Colour
from y.q.m import m


def binary(record, **options):
    data = bytearray()
    kieker_record.BinaryWriter(data.extend).put(record)
    return bytes(data)


def through_binary(record):
    found, = kieker_record.read_binary(binary(record))
    return found


def text(record):
    lines, names = [], []
    kieker_record.TextWriter(lines.append, names.append).put(record)
    return lines, names


def through_text(record):
    found, = kieker_record.read_text(*text(record))
    return found


def payload(record):
    serializer = kieker_record.BinarySerializer()
    record.serialize(serializer)
    return bytes(serializer.data)


class Classes(unittest.TestCase):
    def test_all_modules(self):
        """Every module is imported; hints of all classes and methods name things that there are."""
        root = os.path.dirname(kieker_record.__file__)
        count = 0
        for folder, _, names in os.walk(root):
            for name in names:
                module_name = os.path.relpath(os.path.join(folder, name), root)[:-3].replace(os.sep, ".")
                if not name.endswith(".py") or name in ("kieker_record.py", "__init__.py"):
                    continue
                module = importlib.import_module(module_name)
                found, = [each for each in vars(module).values() if isinstance(each, type) and each.__module__ == module_name]
                typing.get_type_hints(found)
                for member in vars(found).values():
                    member = getattr(member, "__func__", getattr(member, "fget", member))
                    if callable(member) and hasattr(member, "__annotations__"):
                        typing.get_type_hints(member)
                count += 1
        self.assertGreater(count, 100)

    def test_every_record(self):
        """Each with its defaults: there and back in both forms; SIZE is the least that a record has."""
        self.assertGreater(len(kieker_record.known_types()), 70)
        for record_type in list(kieker_record.known_types().values()):
            with self.subTest(record_type.JAVA_CLASS):
                record = record_type()
                record.logging_timestamp = -2 ** 63
                self.assertEqual(through_binary(record), record)
                for name in record_type.ATTRIBUTES:
                    if isinstance(getattr(record, name), str):
                        setattr(record, name, kieker_record.text_of(getattr(record, name)))
                self.assertEqual(through_text(record), record)
                self.assertGreaterEqual(len(payload(record)), record_type.SIZE)
                self.assertEqual(len(record_type.TYPES), len(record_type.VALUE_NAMES))
                self.assertEqual(len(record_type.TYPES), len(record_type.ATTRIBUTES))

    def test_inheritance(self):
        self.assertEqual(GrandChild.__mro__[1:7], (Child, Parent, kieker_record.Record, Both, Placed, Order))
        self.assertTrue(issubclass(Secret_Child, Child) and issubclass(Secret_Child, Secret) and issubclass(Child, Named))
        with self.assertRaises(NotImplementedError):
            Parent().serialize(kieker_record.BinarySerializer())
        self.assertNotIn("demo.every.Parent", kieker_record.known_types())

    def test_slots(self):
        for record in (Scalars(), GrandChild(), Empty(), m()):
            with self.assertRaises(AttributeError):
                record.no_such_attribute = 1

    def test_layout(self):
        self.assertEqual(Child.VALUE_NAMES, ("name", "x", "traceId", "signature", "side", "ticks", "state", "otherTrace"))
        self.assertEqual(Child.TYPES, ("string", "int", "long", "string", "enum Side", "long", "string", "long"))
        self.assertEqual(Child.SIZE, 4 + 4 + 8 + 4 + 4 + 8 + 4 + 8)
        self.assertEqual(Arrays.TYPES[4:10], ("int[2][3]", "int[2][]", "int[][2]", "long[][]", "float[]", "double[][2][]"))
        self.assertEqual(Empty.SIZE, 0)


class Values(unittest.TestCase):
    def test_defaults(self):
        record = Scalars()
        self.assertEqual((record.flag, record.small, record.letter, record.middle, record.number), (True, -128, "z", 49, 3))
        self.assertEqual((record.large, record.single, record.wide), (-2 ** 63, 1.0, 1.7976931348623157e308))
        self.assertEqual((record.text, record.plain), ("q\"u'o\\t\u00e9\n$x@y\u20ac", ""))
        self.assertEqual(record.version, kieker_record.KIEKER_VERSION)
        self.assertIsInstance(record.whole, float)
        self.assertIs(record.side, Side.RIGHT)
        self.assertIs(record.colour, Colour.BLUE)
        self.assertIs(if_().other, for_.NAME)
        self.assertEqual(record.logging_timestamp, -1)

    def test_constants(self):
        self.assertEqual((Scalars.FAR, Scalars.ON, Scalars.FIRST), (2 ** 63 - 1, True, "k"))
        self.assertEqual(Scalars.SQUARE, [[1, 2], [3, 4]])
        self.assertEqual(Child.NONE, -1)
        self.assertEqual((Words.BEGIN, Words.x__hidden), (4, 6))

    def test_default_arrays_are_not_shared(self):
        Arrays().floats.append(1.0)
        Arrays().bytes.append(1)
        self.assertEqual((Arrays().floats, Arrays().bytes), ([1.5, 2.0], []))
        self.assertEqual(Arrays().fixed, [[1, 2, 3], [4, 5, 6]])
        self.assertEqual((Arrays().shorts, Arrays().ragged, Arrays().two), ([0, 0, 0], [[], []], ["", ""]))

    def test_arguments(self):
        by_place = Child("n", 1, 2, "s", Side.LEFT, 3, "state", 4)
        by_name = Child(other_trace=4, state="state", scratch=3, side=Side.LEFT, signature="s", trace_id=2, x=1, name="n")
        self.assertEqual(by_place, by_name)
        self.assertEqual(Child(name=None, signature=None).signature, "unknown")
        with self.assertRaises(TypeError):
            Child(ticks=1)

    def test_equality(self):
        self.assertEqual(Child(x=1), Child(x=1))
        self.assertNotEqual(Child(x=1), Child(x=2))
        self.assertNotEqual(Child(), GrandChild())
        self.assertNotEqual(Child(), 1)
        self.assertEqual(Child(scratch=1), Child(scratch=2), "a transient value")
        later = Child()
        later.logging_timestamp = 5
        self.assertNotEqual(Child(), later)
        with self.assertRaises(TypeError):
            hash(Child())

    def test_repr(self):
        self.assertEqual(repr(m(where=Side.LEFT))[:24], "m(flag=True, small=-128,")
        self.assertEqual(repr(Empty()), "Empty()")

    def test_increments(self):
        record = Child()
        self.assertEqual([record.get_next_order(), record.get_next_order(), record.get_ticks(), record.ticks], [3, 4, 10, 11])

    def test_transient(self):
        found = through_binary(Child(scratch=99))
        self.assertEqual((found.scratch, found.next_order), (0, 0))

    def test_aliases(self):
        record = Child(name="n", trace_id=5)
        self.assertEqual((record.label, record.trace, record.trace2), ("n", 5, 5))
        with self.assertRaises(AttributeError):
            record.trace = 6

    def test_words(self):
        record = Words(with_=1, none=2, self_=3, serialize_=4, x__private=5, _=6, logging_timestamp_=7, cpu_id=8)
        self.assertEqual(through_binary(record), record)
        self.assertEqual((record.cpu_id, record.logging_timestamp_, record.logging_timestamp), (8, 7, -1))

    def test_enums(self):
        self.assertEqual([(each.name, each.value, each.ordinal) for each in Colour],
                         [("BLUE", 49, 0), ("WHITE", 7, 1), ("RED", 10, 2), ("GREEN", 3, 3)])
        self.assertEqual([each.name for each in Side],
                         ["LEFT", "RIGHT", "None_", "real_", "mro_", "x_x_", "x__y", "q", "print", "STDIN"])
        self.assertIs(Colour.from_ordinal(2), Colour.RED)
        for ordinal in (-1, 4):
            with self.assertRaises(kieker_record.RecordError):
                Colour.from_ordinal(ordinal)

    def test_payload(self):
        class Nobody:
            pass

        customer, address = Nobody(), Nobody()
        customer.name, customer.age, customer.codes, customer.tags, customer.home_address = "n", 3, [1, 2], ["t"], address
        address.street, address.side = "s", Side.RIGHT
        name, codes, tags, street, side = Bought.read_customer(customer)
        self.assertEqual((name, codes, street, side), ("n", [1, 2], "s", Side.RIGHT))
        self.assertTrue(0 < tags < 2 ** 31)
        self.assertEqual(Bought.read_customer(None), ("", [0, 0], 0, "", Side.LEFT))
        self.assertEqual(Bought.read_seller(customer)[:3], ("n", 3, [1, 2]))
        self.assertEqual(Bought.read_seller(customer)[4], Bought.read_seller(customer)[4])
        record = Bought(1, *(Bought.read_customer(customer) + Bought.read_seller(customer)))
        self.assertEqual(through_text(record), record)


class Forms(unittest.TestCase):
    arrays = dict(flags=[False, True], bytes=[-128, 127], letters=["a", "\u20ac", "\0"], shorts=[1, -2, 3],
                  fixed=[[1, 2, 3], [4, 5, 6]], ragged=[[1, 2], [3, 4]], pairs=[[5, 6]], grid=[[1, 2, 3], [4, 5, 6]],
                  floats=[0.5], cube=[[[1.0], [2.0]]], texts=["x", ""], two=["a", "b"], colours=[Colour.RED, Colour.BLUE],
                  sides=[[Side.LEFT], [Side.RIGHT]])

    def test_bytes(self):
        record = Child("n", 1, 2, "s", Side.RIGHT, 0, "n", -1)
        self.assertEqual(payload(record), struct.pack(">iiqiiqiq", 0, 1, 2, 1, 1, 10, 0, -1))
        stream = binary(Empty())
        self.assertEqual(stream, struct.pack(">iii", -1, 0, 16) + b"demo.every.Empty" + struct.pack(">iq", 0, -1))

    def test_array_bytes(self):
        found = payload(Arrays(**self.arrays))
        self.assertEqual(found[:2 + 4 + 2 + 4 + 6], b"\0\1" + b"\0\0\0\2\x80\x7f" + b"\0\0\0\3\0a\x20\xac\0\0")
        expected = struct.pack(">3h6i", 1, -2, 3, 1, 2, 3, 4, 5, 6)          # shorts, fixed
        expected += struct.pack(">i4i", 2, 1, 2, 3, 4)                       # ragged: the inner length
        expected += struct.pack(">i2i", 1, 5, 6)                             # pairs: the outer length
        expected += struct.pack(">ii6q", 2, 3, 1, 2, 3, 4, 5, 6)             # grid: both
        expected += struct.pack(">if", 1, 0.5)
        expected += struct.pack(">ii2d", 1, 1, 1.0, 2.0)                     # cube: the outer and the innermost
        expected += struct.pack(">iii2i", 2, 0, 1, 2, 3) + struct.pack(">i2i", 2, 2, 0) + struct.pack(">i2i", 1, 0, 1)
        self.assertEqual(found[18:], expected)

    def test_arrays_travel(self):
        for record in (Arrays(**self.arrays), Arrays(grid=[], cube=[], pairs=[], ragged=[[], []])):
            self.assertEqual(through_binary(record), record)
        # NUL stays as it is in text.
        record = Arrays(**self.arrays)
        self.assertEqual(through_text(record), record)

    def test_empty_outer_dimension(self):
        self.assertEqual(payload(Arrays(grid=[]))[-92:][:0], b"")
        serializer = kieker_record.BinarySerializer()
        kieker_record.put_array(serializer, [], (0, 2, 0), serializer.put_double)
        self.assertEqual(bytes(serializer.data), bytes(8))

    def test_wrong_shapes(self):
        for wrong in (dict(flags=[True]), dict(fixed=[[1, 2], [3, 4]]), dict(grid=[[1], [2, 3]]), dict(pairs=[[1]]),
                      dict(ragged=[[1]]), dict(two=[])):
            for serializer in (kieker_record.BinarySerializer(), kieker_record.TextSerializer()):
                with self.subTest(wrong=wrong), self.assertRaises(kieker_record.RecordError):
                    Arrays(**wrong).serialize(serializer)

    def test_ranges(self):
        for wrong in (dict(small=128), dict(middle=-32769), dict(number=2 ** 31), dict(large=2 ** 63), dict(single=1e39),
                      dict(letter="\U0001f600"), dict(letter=""), dict(letter="ab")):
            for serializer in (kieker_record.BinarySerializer(), kieker_record.TextSerializer()):
                with self.subTest(wrong=wrong), self.assertRaises(kieker_record.RecordError):
                    Scalars(**wrong).serialize(serializer)

    def test_wrong_types(self):
        """Whatever the form, what is no value of the type is a RecordError."""
        for kind, wrong in ((Scalars, dict(number=1.5)), (Scalars, dict(number="1")), (Scalars, dict(wide="1")), (Scalars, dict(wide=10 ** 400)),
                            (Scalars, dict(single="1")), (Scalars, dict(text=1)), (Scalars, dict(text=b"1")), (Child, dict(side=1)),
                            (Child, dict(side=Colour.BLUE)), (Arrays, dict(floats=1)), (Arrays, dict(grid=[None])), (Arrays, dict(colours=[1]))):
            for serializer in (kieker_record.BinarySerializer(), kieker_record.TextSerializer()):
                record = kind()
                for name, value in wrong.items():
                    self.assertTrue(hasattr(record, name))
                    setattr(record, name, value)
                with self.subTest(wrong=wrong), self.assertRaises(kieker_record.RecordError):
                    record.serialize(serializer)

    def test_special_numbers(self):
        for value in (math.inf, -math.inf, -0.0, 5e-324, 0.1):
            record = Scalars(wide=value, single=value if value != 0.1 else 0.5)
            for found in (through_binary(record), through_text(record)):
                self.assertEqual((found.wide, math.copysign(1, found.wide)), (value, math.copysign(1, value)))
        for found in (through_binary(Scalars(wide=math.nan, single=math.nan)), through_text(Scalars(wide=math.nan, single=math.nan))):
            self.assertTrue(math.isnan(found.wide) and math.isnan(found.single))
        self.assertIn(b"\x7f\xc0\0\0\x7f\xf8\0\0\0\0\0\0", payload(Scalars(wide=-math.nan, single=-math.nan)))

    def test_java_numbers(self):
        for value, expected in ((0.0, "0.0"), (-0.0, "-0.0"), (1.0, "1.0"), (100.0, "100.0"), (1e7, "1.0E7"), (9999999.0, "9999999.0"),
                                (0.001, "0.001"), (9.999e-4, "9.999E-4"), (1e23, "1.0E23"), (5e-324, "4.9E-324"),
                                (1.7976931348623157e308, "1.7976931348623157E308"), (123456.789, "123456.789"), (4.35, "4.35"),
                                (math.nan, "NaN"), (math.inf, "Infinity"), (-math.inf, "-Infinity")):
            self.assertEqual(kieker_record.java_double(value), expected)
        for value, expected in ((0.1, "0.1"), (3.4028234663852886e38, "3.4028235E38"), (1.4e-45, "1.4E-45"), (16777216.0, "1.6777216E7")):
            self.assertEqual(kieker_record.java_float(value), expected)

    def test_nearest_float(self):
        """A number just beyond the middle of two floats, by less than a double can tell."""
        middle = 1 + 2 ** -24
        below, above = 1.0, 1 + 2 ** -23
        digits = "%.60f" % middle
        self.assertEqual(kieker_record._nearest_float(digits), below, "the middle goes to the even one")
        self.assertEqual(kieker_record._nearest_float(digits + "1"), above)
        self.assertEqual(kieker_record._nearest_float("-" + digits + "1"), -above)

    def test_text(self):
        lines, names = text(Child("a;b", 1, 2, "c\\", Side.RIGHT, 0, "\r\nx\ty", -1))
        self.assertEqual(lines, ["$0;-1;a,b;1;2;c\\\\;1;10;  x y;-1\n"])
        self.assertEqual(names, ["$0=demo.every.Child\n"])
        lines, _ = text(Scalars(text="a\ud83db", letter="\ude00"))
        self.assertEqual(lines[0].count("?"), 2, "halves of surrogate pairs have no UTF-8")
        self.assertEqual(kieker_record.split_line("a\\;b;c\\\\;;"), ["a\\;b", "c\\\\", "", ""])

    def test_text_numbers_in(self):
        for digits, expected in (("1e-3", 0.001), (" .5 ", 0.5), ("1.", 1.0), ("+7d", 7.0), ("-Infinity", -math.inf), ("1e999", math.inf)):
            self.assertEqual(kieker_record.TextDeserializer([digits]).get_double(), expected)
        for digits in ("nan", "inf", "", "1_0", "0x1p3", "1e", "--1", "\u0661"):
            with self.subTest(digits), self.assertRaises(kieker_record.RecordError):
                kieker_record.TextDeserializer([digits]).get_double()
        for digits in ("", "1.0", " 1", "1_0", "2147483648", "-2147483649", "\u0661", "9" * 5000):
            with self.subTest(digits[:20]), self.assertRaises(kieker_record.RecordError):
                kieker_record.TextDeserializer([digits]).get_int()

    def test_missing_strings_at_the_end(self):
        found, = kieker_record.read_text(["$0;-1;n;1;2;s;1;10\n"], ["$0=demo.every.Secret_Parent"],
                                         {"demo.every.Secret_Parent": Reader})
        self.assertEqual((found.first, found.rest), ("n", ["1", "2", "s", "1", "10", "", ""]))

    def test_map_escapes(self):
        registry = kieker_record.read_map(["$1=a\\\\n\\nb\n", "2=c=d\r\n", "\n"])
        self.assertEqual((registry.get_text(1), registry.get_text(2)), ("a\\n\nb", "c=d"))


class Reader:
    """A class that reads strings only."""
    @classmethod
    def deserialize(cls, deserializer):
        found = cls()
        found.first, found.rest = deserializer.get_string(), [deserializer.get_string() for _ in range(7)]
        return found


class BadInput(unittest.TestCase):
    def refused(self, data):
        with self.assertRaises(kieker_record.RecordError):
            list(kieker_record.read_binary(data))

    def test_cut_streams(self):
        whole = binary(Arrays(**Forms.arrays))
        ends = {0}
        for cut in range(1, len(whole)):
            try:
                if not list(kieker_record.read_binary(whole[:cut])):
                    ends.add(cut)  # behind an entry of the registry
            except kieker_record.RecordError:
                continue
        self.assertEqual(len(ends), 1 + 5, "five strings")

    def test_flipped_bits(self):
        """Whatever comes out is a record or an error of its kind."""
        whole = binary(Arrays(**Forms.arrays))
        for place in range(len(whole)):
            for bit in (0, 3, 7):
                data = bytearray(whole)
                data[place] ^= 1 << bit
                try:
                    list(kieker_record.read_binary(data))
                except kieker_record.RecordError:
                    pass

    def test_lengths(self):
        head = struct.pack(">iii", -1, 0, 17) + b"demo.every.Arrays" + struct.pack(">iq", 0, -1) + b"\0\0"
        for length in (-1, 1, 2 ** 31 - 1):
            self.refused(head + struct.pack(">i", length))
        deserializer = kieker_record.BinaryDeserializer(struct.pack(">ii", 2 ** 31 - 1, 0))
        with self.assertRaises(kieker_record.RecordError):
            deserializer.get_array((0, 0), deserializer.get_int, 4)
        fields = kieker_record.TextDeserializer(["1000000", "1"])
        with self.assertRaises(kieker_record.RecordError):
            fields.get_array((0,), fields.get_int, 4)

    def test_entries(self):
        self.refused(struct.pack(">iii", -1, 0, -1))
        self.refused(struct.pack(">iii", -1, -1, 1) + b"x")
        self.refused(struct.pack(">iii", -1, 0, 100) + b"x")
        self.refused(struct.pack(">iii", -1, 0, 1) + b"\xff")
        self.refused(struct.pack(">iq", 0, 0))
        self.refused(struct.pack(">iii", -1, 0, 5) + b"a.b.C" + struct.pack(">iq", 0, -1))

    def test_unknown_string(self):
        with self.assertRaises(kieker_record.RecordError):
            Child.deserialize(kieker_record.BinaryDeserializer(bytes(100)))

    def test_load(self):
        self.assertIs(kieker_record.load("demo.every.if"), if_)
        for name in ("os", "no.such.Module", "demo.lambda.Side", "../x", "", "a..b", "demo.every.Parent"):
            with self.subTest(name), self.assertRaises(kieker_record.RecordError):
                kieker_record.load(name)

    def test_lines(self):
        for line in ("x", "$", "$x;1", "$0", "$0;1", "$9;1", "$0;1;a;b;c;d"):
            with self.subTest(line), self.assertRaises(kieker_record.RecordError):
                list(kieker_record.read_text([line], ["$0=demo.every.Child"]))


if __name__ == "__main__":
    unittest.main()

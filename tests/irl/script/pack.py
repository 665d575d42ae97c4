"""Generated records and Kieker's own Python pack: its serializers take them, and where it has the same records, both make the
same calls. Run by script.py with PYTHONPATH at both."""
import struct
import unittest

import kieker_record
from demo.every.Arrays import Arrays
from demo.every.Scalars import Scalars
from kieker.common.record.flow.trace.operation.AfterOperationEvent import AfterOperationEvent
from kieker.common.record.flow.trace.operation.AfterOperationFailedEvent import AfterOperationFailedEvent
from kieker.common.record.flow.trace.operation.BeforeOperationEvent import BeforeOperationEvent
from kieker.common.record.flow.trace.operation.CallOperationEvent import CallOperationEvent
from kieker.common.record.flow.trace.TraceMetadata import TraceMetadata
from monitoring.fileregistry import WriterRegistry
from monitoring.record.trace.operation import operationevent
from monitoring.record.trace.tracemetadata import TraceMetadata as OwnTraceMetadata
from monitoring.serialization import BinarySerializer, Serializer

# The generated record, the pack's, and arguments for both.
SAME = [
    (BeforeOperationEvent, operationevent.BeforeOperationEvent, (1, -2, 3, "f()", "C")),
    (AfterOperationEvent, operationevent.AfterOperationEvent, (2 ** 63 - 1, 2, 3, "f()", "C")),
    (AfterOperationFailedEvent, operationevent.AfterOperationFailedEvent, (1, 2, 3, "f()", "C", "ValueError('x')")),
    (TraceMetadata, OwnTraceMetadata, (1, 2, "session", "host", -1, -1)),
    (TraceMetadata, OwnTraceMetadata, (1, 2, None, None, 5, 6)),
]


class Calls:
    """A serializer that notes what is called."""

    def __init__(self):
        self.made = []

    def __getattr__(self, name):
        return lambda value: self.made.append((name, value))


def calls(record):
    serializer = Calls()
    record.serialize(serializer)
    return serializer.made


class Listener:
    def __init__(self):
        self.entries = []

    def on_new_registry_entry(self, text, text_id):
        self.entries.append((text_id, text))


def by_the_pack(record):
    """The bytes of a record and the strings, as the pack's TCP writer has them before it sends."""
    listener = Listener()
    serializer = BinarySerializer([], WriterRegistry(listener))
    record.serialize(serializer)
    return serializer.pack(), listener.entries


def over_the_pack(record):
    """The record that our reader makes of what the pack wrote."""
    data, entries = by_the_pack(record)
    registry = kieker_record.Registry()
    for text_id, text in entries:
        registry.put(text_id, text)
    return type(record).deserialize(kieker_record.BinaryDeserializer(data, registry))


class Pack(unittest.TestCase):
    def test_same_calls(self):
        for generated, own, arguments in SAME:
            with self.subTest(own.__name__):
                self.assertEqual(calls(generated(*arguments)), calls(own(*arguments)))
                self.assertEqual(by_the_pack(generated(*arguments)), by_the_pack(own(*arguments)))

    def test_same_arguments(self):
        """Code that names the arguments of the pack's records works on."""
        for generated, own, arguments in SAME:
            names = own.__init__.__code__.co_varnames[1:len(arguments) + 1]
            values = {name: value for name, value in zip(names, arguments) if name != "exception"}
            record, other = generated(**values), own(*arguments)
            for name in values:
                self.assertEqual(getattr(record, name), getattr(other, name))
        self.assertEqual(OwnTraceMetadata(1, 2, "", "", 3, 4).get_next_order_id(), TraceMetadata().get_next_order_id())

    def test_call_event(self):
        """The pack's has the callee twice in the place of the caller: the calls are the same, the values are not."""
        own = operationevent.CallOperationEvent(1, 2, 3, "a", "A", "b", "B", 0, 0)
        generated = CallOperationEvent(1, 2, 3, "a", "A", "b", "B")
        self.assertEqual([name for name, _ in calls(own)], [name for name, _ in calls(generated)])
        self.assertEqual([value for _, value in calls(generated)], [1, 2, 3, "a", "A", "b", "B"])

    def test_binary(self):
        for generated, _, arguments in SAME:
            record = generated(*arguments)
            self.assertEqual(over_the_pack(record), record)

    def test_arrays(self):
        """Bytes and chars apart: the pack writes four bytes for the one, and one for the other."""
        record = Arrays(bytes=[], letters=[], pairs=[[1, 2]], grid=[[1], [2]], floats=[0.5], cube=[], texts=["a", "b"])
        self.assertEqual(over_the_pack(record), record)

    def test_known_defects(self):
        """When this fails the pack has been mended: then bytes belong to the test above."""
        data, _ = by_the_pack(Arrays(bytes=[1], letters=[]))
        self.assertEqual(data[2:10], struct.pack(">ii", 1, 1))
        with self.assertRaises(struct.error):
            by_the_pack(Scalars())

    def test_text(self):
        """The pack's text form is not Kieker's, but it takes the records."""
        fields = []
        BeforeOperationEvent(1, 2, 3, "f()", "C").serialize(Serializer(fields))
        self.assertEqual("".join(fields), "1; 2; 3; f(); C; ")


if __name__ == "__main__":
    unittest.main()

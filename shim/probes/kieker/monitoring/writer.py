"""The pack's writers. All of them hand records to kprobe; none opens a file or a connection."""

import threading

from monitoring._probes import kprobe
from monitoring.fileregistry import WriterRegistry
from monitoring.record.trace.operation.operationevent import (
    AfterOperationEvent,
    AfterOperationFailedEvent,
    BeforeOperationEvent,
)
from monitoring.record.trace.tracemetadata import TraceMetadata
from monitoring.serialization import BinarySerializer, Serializer
from monitoring.util import TimeStamp, get_prefix

lock = threading.Lock()
time = TimeStamp()


class _Open(threading.local):
    """The regions that Before events began in this thread."""

    def __init__(self):
        self.names = []


_open = _Open()


def operation_name(operation, class_signature):
    """The name of a region: a signature as it is, a bare name (which the pack's own probes give) with its class."""
    operation, class_signature = str(operation), str(class_signature or "")
    if "(" in operation or not class_signature or operation.startswith(class_signature + "."):
        return operation
    return "%s.%s" % (class_signature, operation)


def _cause(text):
    """Of repr(exception) the name only: what it says may be private, and is another each time."""
    text = str(text)
    return text.split("(", 1)[0].strip() or None


def _java_class(record):
    name = getattr(type(record), "JAVA_CLASS", None)
    prefix = get_prefix(type(record).__name__)
    if name is None and prefix is not None and type(record).__module__.split(".")[0] == "monitoring":
        name = prefix + type(record).__name__
    return name


def put_record(record):
    """Before and After events are regions where they belong together in their thread; all else is a record."""
    if not kprobe.present:
        return
    kind = type(record)
    if kind is BeforeOperationEvent:
        name = operation_name(record.operation_signature, record.class_signature)
        _open.names.append(name)
        kprobe.begin(name)
        return
    if kind is AfterOperationEvent or kind is AfterOperationFailedEvent:
        name = operation_name(record.operation_signature, record.class_signature)
        if _open.names and _open.names[-1] == name:
            _open.names.pop()
            if kind is AfterOperationEvent:
                kprobe.end(name)
            else:
                kprobe.fail(name, _cause(record.exception))
            return
    # kprobe knows threads and traces itself.
    if kind is not TraceMetadata:
        kprobe.record(record, _java_class(record))


class _Writer:

    def on_new_registry_entry(self, value, idee):
        pass

    def writeMonitoringRecord(self, record):
        put_record(record)

    def onStarting(self):
        pass

    def on_terminating(self):
        pass

    def to_string(self):
        pass


class DummyWriter(_Writer):

    def __init__(self):
        pass

    def writeMonitoringRecord(self, record):
        pass

    def _serialize(self, record, idee):
        pass


class MappingFileWriter:

    def __init__(self):
        self.file_path = "./record-map.log"

    def add(self, Id, class_name):
        pass


class FileWriter(_Writer):

    def __init__(self, file_path, string_buffer):
        self.file_path = file_path
        self.string_buffer = string_buffer
        self.serializer = Serializer(self.string_buffer)
        self.writer_registry = WriterRegistry(self)
        self.map_file_writer = MappingFileWriter()

    def on_new_registry_entry(self, value, idee):
        self.map_file_writer.add(value, idee)


class TCPWriter(_Writer):

    def __init__(self, config):
        self.config = config
        self.writer_registry = WriterRegistry(self)
        self.serializer = BinarySerializer([], self.writer_registry)

"""What the pack's documentation imports from here; its own package shadows the module that had it."""

from monitoring.record.trace.operation.operationevent import (
    AfterOperationEvent,
    AfterOperationFailedEvent,
    BeforeOperationEvent,
)
from monitoring.record.trace.tracemetadata import TraceMetadata

__all__ = [
    "AfterOperationEvent",
    "AfterOperationFailedEvent",
    "BeforeOperationEvent",
    "OperationExecutionRecord",
    "TraceMetadata",
]


class OperationExecutionRecord:
    __NO_HOSTNAME__ = "<default-host>"
    __NO_SESSION_ID__ = "<no-session-id>"
    __NO_OPERATION_SIGNATURE__ = "noOperation"
    __NO_TRACE_ID__ = -1
    __NO_TIMESTAMP__ = -1
    __NO_EOI_ESS__ = -1
    __VALUES__ = ["operation_signature", "session_id", "trace_id", "tin", "tout", "hostname", "eoi", "ess"]

    def __init__(self, operation_signature, session_id, trace_id, tin, tout, hostname, eoi, ess):
        self.operation_signature = (self.__NO_OPERATION_SIGNATURE__
                                    if operation_signature is None else operation_signature)
        self.session_id = self.__NO_SESSION_ID__ if session_id is None else session_id
        self.trace_id = trace_id
        self.tin = tin
        self.tout = tout
        self.hostname = self.__NO_HOSTNAME__ if hostname is None else hostname
        self.eoi = eoi
        self.ess = ess

    def serialize(self, serializer):
        serializer.put_string(self.operation_signature)
        serializer.put_string(self.session_id)
        serializer.put_long(self.trace_id)
        serializer.put_long(self.tin)
        serializer.put_long(self.tout)
        serializer.put_string(self.hostname)
        serializer.put_int(self.eoi)
        serializer.put_int(self.ess)

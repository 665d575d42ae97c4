import time

_FLOW = "kieker.common.record.flow.trace."
_PREFIXES = {
    "TraceMetadata": _FLOW,
    "BeforeOperationEvent": _FLOW + "operation.",
    "AfterOperationEvent": _FLOW + "operation.",
    "AfterOperationFailedEvent": _FLOW + "operation.",
    "CallOperationEvent": _FLOW + "operation.",
    "BeforeOperationObjectEvent": _FLOW + "operation.object.",
    "AfterOperationObjectEvent": _FLOW + "operation.object.",
    "CallOperationObjectEvent": _FLOW + "operation.object.",
    "OperationExecutionRecord": "kieker.common.record.controlflow.",
}


def get_prefix(class_name):
    """The Java package of a record class, with a dot at the end; None for a class that is not Kieker's."""
    return _PREFIXES.get(class_name)


class TimeStamp:

    def get_time(self):
        return time.time_ns()

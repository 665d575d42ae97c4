from monitoring.record.trace.operation.operationevent import CallOperationEvent


class _ObjectEvent:

    def __init__(self, timestamp, trace_id, order_index, operation_sig, class_sig, object_id):
        self.timestamp = timestamp
        self.trace_id = trace_id
        self.order_index = order_index
        self.operation_sig = operation_sig
        self.class_sig = class_sig
        self.object_id = object_id

    def _serialize_operation(self, serializer):
        serializer.put_long(self.timestamp)
        serializer.put_long(self.trace_id)
        serializer.put_int(self.order_index)
        serializer.put_string(self.operation_sig)
        serializer.put_string(self.class_sig)

    def serialize(self, serializer):
        self._serialize_operation(serializer)
        serializer.put_int(self.object_id)


class BeforeOperationObjectEvent(_ObjectEvent):
    pass


class AfterOperationObjectEvent(_ObjectEvent):
    pass


class AfteFailerOperationObjectEvent(_ObjectEvent):
    JAVA_CLASS = "kieker.common.record.flow.trace.operation.object.AfterOperationFailedObjectEvent"

    def __init__(self, timestamp, trace_id, order_index, operation_sig, class_sig, cause, object_id):
        super().__init__(timestamp, trace_id, order_index, operation_sig, class_sig, object_id)
        self.cause = cause

    def serialize(self, serializer):
        self._serialize_operation(serializer)
        serializer.put_string(self.cause)
        serializer.put_int(self.object_id)


#: As the pack's class should have been called.
AfterOperationFailedObjectEvent = AfteFailerOperationObjectEvent


class CallOperationObjectEvent(CallOperationEvent):

    def serialize(self, serializer):
        super().serialize(serializer)
        serializer.put_int(self.object_id)
        serializer.put_int(self.callee_object_id)

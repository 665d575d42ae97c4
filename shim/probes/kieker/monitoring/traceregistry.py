import threading

from monitoring.record.trace.tracemetadata import TraceMetadata

lock = threading.Lock()


class _ThreadLocal(threading.local):
    trace = None
    trace_stack = None


thread_local = _ThreadLocal()


class _PointTrace:

    def __init__(self, trace_id, order_id):
        self.trace_id = trace_id
        self.order_id = order_id


class TraceRegistry:

    def __init__(self):
        self.next_order_id = 0
        self.next_trace_id = 0
        self.tracemetadata = None
        self.parent_trace = {}

    def get_trace(self):
        return thread_local.trace

    def get_new_id(self):
        with lock:
            self.next_trace_id += 1
            return self.next_trace_id

    def get_and_remove_parent_trace_id(self, thread):
        with lock:
            return self.parent_trace.pop(thread, None)

    def register_trace(self):
        enclosing = self.get_trace()
        if enclosing is not None:
            if thread_local.trace_stack is None:
                thread_local.trace_stack = []
            thread_local.trace_stack.append(enclosing)
        thread = threading.current_thread()
        parent = self.get_and_remove_parent_trace_id(thread)
        trace_id = self.get_new_id()
        if parent is not None:
            parent_trace_id, parent_order_id = parent.trace_id, parent.order_id
        else:
            parent_trace_id = trace_id if enclosing is None else enclosing.trace_id
            parent_order_id = -1
        trace = TraceMetadata(trace_id, thread.ident, None, None, parent_trace_id, parent_order_id)
        thread_local.trace = trace
        return trace

    def unregister_trace(self):
        stack = thread_local.trace_stack
        thread_local.trace = stack.pop() if stack else None
        if not stack:
            thread_local.trace_stack = None

"""sys.monitoring (Python 3.12 and later) with two callbacks in Python that append when and where to a list."""
import sys
import time

import probes

TOOL = 4


def callbacks(begins, ends):
    began, ended, clock = begins.append, ends.append, time.perf_counter_ns

    def start(code, offset):
        began((clock(), code))

    def give_back(code, offset, result):
        ended((clock(), code))

    return start, give_back


class Probe(probes.Probe):
    switchable = True

    def __init__(self, settings):
        super().__init__(settings)
        self.begins, self.ends = [], []
        events = sys.monitoring.events
        self.events = events.PY_START | events.PY_RETURN
        sys.monitoring.use_tool_id(TOOL, "moobench")
        start, give_back = callbacks(self.begins, self.ends)
        sys.monitoring.register_callback(TOOL, events.PY_START, start)
        sys.monitoring.register_callback(TOOL, events.PY_RETURN, give_back)

    def on(self):
        sys.monitoring.set_events(TOOL, self.events)

    def off(self):
        sys.monitoring.set_events(TOOL, 0)

    def facts(self, code):
        return {"calls": sum(where is code for _, where in self.begins), "returns": sum(where is code for _, where in self.ends)}

"""cProfile: totals by function. One profiler for each thread, since it is not safe to share one; Python 3.12 and later allow only one."""
import cProfile
import threading

import probes


class Probe(probes.Probe):
    switchable = True

    def __init__(self, settings):
        super().__init__(settings)
        self.profilers, self.own = [], threading.local()

    def thread_on(self):
        if not hasattr(self.own, "profiler"):
            self.own.profiler = cProfile.Profile()
            self.profilers.append(self.own.profiler)
        self.own.profiler.enable()

    def thread_off(self):
        self.own.profiler.disable()

    def facts(self, code):
        entries = [entry for profiler in self.profilers for entry in profiler.getstats()]
        return {"calls": sum(entry.callcount for entry in entries if entry.code is code)}

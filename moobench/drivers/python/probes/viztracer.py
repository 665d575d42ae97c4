"""VizTracer: entries in a buffer that holds all of them, and with `save` a file of them at the end."""
import sys
import threading

from viztracer import VizTracer

import probes


class Probe(probes.Probe):
    switchable = True

    def __init__(self, settings):
        super().__init__(settings)
        self.tracer = VizTracer(tracer_entries=int(settings["entries"]), ignore_c_function=settings["c"] == "no", verbose=0)

    def on(self):
        self.tracer.start()

    def off(self):
        self.tracer.stop()

    # start() is for the main thread, and for threads that begin after it.
    def thread_on(self):
        if threading.current_thread() is not threading.main_thread():
            self.tracer.enable_thread_tracing()

    def thread_off(self):
        if threading.current_thread() is not threading.main_thread():
            sys.setprofile(None)

    def finish(self):
        if "save" in self.settings:
            self.tracer.save(self.settings["save"])

    def facts(self, code):
        if "save" in self.settings:
            return {}
        self.tracer.parse()
        return {"calls": sum(event["name"].startswith(code.co_name + " ") for event in self.tracer.data["traceEvents"])}

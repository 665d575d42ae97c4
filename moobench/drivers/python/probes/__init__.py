"""What switches monitoring in the driver: one module each, with a class Probe. It has to run on every CPython from 3.8."""
import importlib


class Probe:
    """Nothing: what is monitored, if anything is, is so from outside."""

    # Blocks alternate, untraced first; otherwise all of them are as `traces` says.
    switchable = False
    traces = True

    def __init__(self, settings):
        self.settings = settings

    def methods(self, plain):
        """The functions to call in untraced and in traced blocks. `plain` is monitored_method as it is."""
        return plain, plain

    def on(self):
        """In one thread, while the others wait; then thread_on() in each."""

    def off(self):
        """After thread_off() in each."""

    def thread_on(self):
        pass

    def thread_off(self):
        pass

    def finish(self):
        """After the last block: what remains to be done belongs to the cost, and its processor time is that of the background."""

    def facts(self, code):
        """After everything was measured: what is known about what was recorded, for the report. `code` is monitored_method's."""
        return {}


def load(name):
    return importlib.import_module("probes." + name).Probe

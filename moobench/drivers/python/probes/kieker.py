"""Kieker's Python pack: the function that it wove in, and beside it the one that it did not.

Approach 1 decorates after the import (PostImportFinder), approach 2 changes the tree of the module before it is compiled
(InstrumentOnImportFinder): MooBench's arguments. Finders that Python ignores are the danger: what they give is checked.
"""
import os
import re
import sys

import kieker_pack

import probes

NAME = "monitored_application"


def finder(approach, empty):
    # First for both: it brings the pack's own modules, into which the other finder would weave as well.
    from tools.importhook import PostImportFinder
    if approach == "2":
        from tools.importhookast import InstrumentOnImportFinder
        return InstrumentOnImportFinder(ignore_list=[], empty=empty, debug_on=False)
    return PostImportFinder(re.compile(NAME), [], empty=empty)


def import_woven(approach, empty):
    """Another copy of the module. The second approach looks for modules in the working folder."""
    plain, folder = sys.modules.pop(NAME), os.getcwd()
    sys.meta_path.insert(0, finder(approach, empty))
    os.chdir(os.path.dirname(plain.__file__))
    try:
        __import__(NAME)
    finally:
        os.chdir(folder)
        sys.meta_path.pop(0)
    woven, sys.modules[NAME] = sys.modules[NAME], plain
    return woven


class Probe(probes.Probe):
    switchable = True

    def __init__(self, settings):
        super().__init__(settings)
        self.controller = kieker_pack.controller_module().MonitoringController(settings["ini"])
        self.empty, self.writes = settings["inactive"] == "yes", 0

    def methods(self, plain):
        self.module = import_woven(self.settings["approach"], self.empty)
        woven = self.module.monitored_method
        inner = getattr(woven, "__wrapped__", None)
        if inner is None or inner.__globals__["monitored_method"] is not woven:
            raise SystemExit("Kieker's pack did not instrument monitored_method")
        if self.settings["mode"] == "dummy":
            self.count_writes(woven)
        return plain, woven

    def count_writes(self, woven):
        """Before anything is timed: the writer that writes nothing is called, though."""
        writer = self.controller.write_ctrl.monitoring_writer
        written = []
        writer.writeMonitoringRecord = written.append
        woven(0, 3)
        del writer.writeMonitoringRecord
        self.writes = sum(type(record).__name__ == "BeforeOperationEvent" for record in written)

    def facts(self, code):
        return {"writes": self.writes}

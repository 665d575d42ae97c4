import inspect

from monitoring.controller import MonitoringController
from monitoring.traceregistry import TraceRegistry
from tools.ModuleTransformer import ModuleTransformer

trace_reg = TraceRegistry()
monitoring_controller = MonitoringController()
transformer = ModuleTransformer()


def is_method_or_function(x):
    return inspect.isfunction(x) or inspect.ismethod(x)

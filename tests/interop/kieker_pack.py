"""Makes Kieker's Python pack of PyPI usable (packages: kieker)."""
import importlib.util
import sys


def controller_module():
    """The module imports a name from itself that it does not define: without it, the pack of 0.0.2 cannot be imported at all."""
    from monitoring.writer_controller import WriterController
    spec = importlib.util.find_spec("monitoring.controller")
    module = importlib.util.module_from_spec(spec)
    module.WriterController = WriterController
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module

"""kprobe.py, which is installed beside this folder; its functions and ours are no part of the trace."""

import importlib.util
import os
import sys


def _load():
    if "kprobe" in sys.modules:
        return sys.modules["kprobe"]
    here = os.path.dirname(os.path.abspath(__file__))
    path = os.path.join(os.path.dirname(os.path.dirname(here)), "python", "kprobe.py")
    spec = importlib.util.spec_from_file_location("kprobe", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["kprobe"] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules["kprobe"]
        raise
    return module


kprobe = _load()
kprobe.hide(_load.__code__)

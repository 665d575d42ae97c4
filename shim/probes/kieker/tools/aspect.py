"""The pack's decorators. A function stays what it is (see kprobe.probe); without kprobe it is not touched."""

import inspect
import sys
import types

from monitoring._probes import kprobe


def instrument(func):
    return kprobe.probe(func)


def instrument_v1(func):
    return kprobe.probe(func)


def instrument_empty(func):
    return func


def _decorated(value, inst):
    if isinstance(value, (staticmethod, classmethod)):
        inner = value.__func__
        return type(value)(inst(inner)) if isinstance(inner, types.FunctionType) else value
    if type(value) is property:
        parts = [inst(part) if isinstance(part, types.FunctionType) else part
                 for part in (value.fget, value.fset, value.fdel)]
        return property(*parts, doc=value.__doc__)
    return inst(value) if isinstance(value, types.FunctionType) else value


def _decorate_class(cls, module_name, inst, seen):
    if cls in seen:
        return
    seen.add(cls)
    for name, value in list(vars(cls).items()):
        if isinstance(value, type):
            if value.__module__ == module_name and value.__qualname__.startswith(cls.__qualname__ + "."):
                _decorate_class(value, module_name, inst, seen)
            continue
        changed = _decorated(value, inst)
        if changed is not value:
            try:
                setattr(cls, name, changed)
            except (AttributeError, TypeError):
                pass  # a class that lets nothing be set


def decorate_members(mod, empty=False):
    """Decorates the functions and the methods of the classes that a module defines."""
    inst = instrument_empty if empty else instrument
    spec = getattr(mod, "__spec__", None)
    module_name = spec.name if spec is not None else mod.__name__
    seen = set()
    for name, value in list(vars(mod).items()):
        if isinstance(value, type):
            if value.__module__ == module_name:
                _decorate_class(value, module_name, inst, seen)
        elif inspect.isfunction(value) and value.__module__ == module_name:
            setattr(mod, name, inst(value))


def _excluded(name, excl):
    if not excl:
        return False
    return any(str(part) in name for part in ([excl] if isinstance(excl, str) else excl))


def decorate_exec_module(exec_module, module_name=None, excl=None):
    """Of a loader: decorates what it has loaded when `module_name` is in the module's name."""

    def decorated(*args, **kwargs):
        exec_module(*args, **kwargs)
        name = args[-1].__spec__.name
        if (module_name is None or module_name in name) and not _excluded(name, excl):
            decorate_members(sys.modules.get(name, args[-1]))

    return decorated


class _Loader:
    """Another loader; the module gets that one back before its code runs."""

    def __init__(self, loader, exec_module):
        self._loader = loader
        self._exec_module = exec_module

    def __getattr__(self, name):
        return getattr(self._loader, name)

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        self._exec_module(module)


def wrap_loader(spec, wrap):
    """`wrap(exec_module)` takes the place of the exec_module of a spec's loader, for this one module."""
    loader = spec.loader
    if loader is not None and hasattr(loader, "exec_module") and not isinstance(loader, _Loader):
        spec.loader = _Loader(loader, wrap(loader.exec_module))
    return spec


def decorate_find_spec(find_spec, module_name=None, excl=None):
    """Of a finder: decorates what is loaded by the specs that it finds."""

    def decorated(*args, **kwargs):
        spec = find_spec(*args, **kwargs)
        if spec is None:
            return None
        return wrap_loader(spec, lambda exec_module: decorate_exec_module(exec_module, module_name, excl))

    return decorated

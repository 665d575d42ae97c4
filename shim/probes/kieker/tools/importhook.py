"""Decorates the functions of modules after their import: sys.meta_path.insert(0, PostImportFinder(pattern, []))."""

import importlib
import re
import sys
import threading

from tools.aspect import decorate_members, wrap_loader


def _compiled(pattern):
    return re.compile(pattern) if isinstance(pattern, str) else pattern


class PostImportLoader:

    def __init__(self, finder, param, exclusions, empty):
        self._finder = finder
        self.param = param
        self.exclusions = exclusions
        self.empty = empty

    def wants(self, fullname):
        excluded = any(_compiled(one).match(fullname) for one in self.exclusions or ())
        return self.param.search(fullname) is not None and not excluded

    def decorated(self, exec_module):

        def run(module):
            exec_module(module)
            decorate_members(sys.modules.get(module.__name__, module), self.empty)

        return run

    def load_module(self, fullname):
        return importlib.import_module(fullname)


class PostImportFinder:
    """`param`: a regular expression searched in full names; `exclusions`: those that match them at the start."""

    def __init__(self, param, exclusions, empty=False):
        self._skip = threading.local()
        self.param = _compiled(param)
        self.exclusions = exclusions
        self.empty = empty

    def find_spec(self, fullname, path=None, target=None):
        loader = PostImportLoader(self, self.param, self.exclusions, self.empty)
        if getattr(self._skip, "on", False) or not loader.wants(fullname):
            return None
        self._skip.on = True
        try:
            spec = self._of_others(fullname, path, target)
        finally:
            self._skip.on = False
        return None if spec is None else wrap_loader(spec, loader.decorated)

    def _of_others(self, fullname, path, target):
        for finder in sys.meta_path:
            find_spec = getattr(finder, "find_spec", None)
            spec = find_spec(fullname, path, target) if finder is not self and find_spec else None
            if spec is not None:
                return spec
        return None

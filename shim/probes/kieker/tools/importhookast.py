"""Weaves the decorator into modules as they are imported: sys.meta_path.insert(0, InstrumentOnImportFinder(...)).

Positions, docstrings, encodings and exceptions are those of the source file.
"""

import ast
import os
import re
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder, SourceFileLoader

from tools.ModuleTransformer import ModuleTransformer

_OWN = ("monitoring", "tools", "kprobe")


def _first_statement(body):
    """Behind the docstring and imports from __future__."""
    place = 0
    for number, node in enumerate(body):
        docstring = number == 0 and isinstance(node, ast.Expr) and isinstance(getattr(node, "value", None), ast.Constant)
        if docstring or (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
            place = number + 1
        elif not docstring:
            break
    return place


def weave(data, path, empty):
    """The code of a module whose functions are decorated."""
    tree = ModuleTransformer(empty).visit(ast.parse(data, path))
    name = "instrument_empty" if empty else "instrument"
    place = _first_statement(tree.body)
    node = ast.ImportFrom(module="tools.aspect", names=[ast.alias(name=name, asname=None)], level=0)
    if tree.body:
        ast.copy_location(node, tree.body[min(place, len(tree.body) - 1)])
    tree.body.insert(place, node)
    ast.fix_missing_locations(tree)
    return compile(tree, path, "exec", dont_inherit=True)


class InstLoader(SourceFileLoader):

    def __init__(self, filename, is_empty, ignore_list, debug=False):
        super().__init__(None, filename)
        self.filename = filename
        self.is_empty = is_empty
        self.ignore_list = ignore_list
        self.debug_on = debug

    def get_code(self, fullname):
        # Not from the cache of compiled modules, nor into it.
        if fullname in self.ignore_list or fullname.split(".")[0] in _OWN:
            return compile(self.get_data(self.path), self.path, "exec", dont_inherit=True)
        if self.debug_on:
            print(fullname)
        return weave(self.get_data(self.path), self.path, self.is_empty)


class InstrumentOnImportFinder(MetaPathFinder):
    """Takes modules in Python whose path, without its suffix, has the pattern in it; without one, those below the
    current directory. Everything else is left to other finders."""

    def __init__(self, ignore_list=[], instrument_pattern=None, empty=False, debug_on=False, debug_detail=False):
        self.__item_list = []
        self.__pattern = re.compile(instrument_pattern) if isinstance(instrument_pattern, str) else instrument_pattern
        self.ignore_list = ignore_list
        self.empty = empty
        self.debug_on = debug_on
        self.debug_detail = debug_detail

    @property
    def item_list(self):
        return self.__item_list

    def _matches_pattern(self, name):
        if self.__pattern is None:
            return os.path.abspath(name).startswith(os.path.join(os.getcwd(), ""))
        return self.__pattern.search(name) is not None

    def find_spec(self, fullname, path, target=None):
        if fullname.split(".")[0] in _OWN:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or type(spec.loader) is not SourceFileLoader:
            return None
        candidate = spec.origin[:-len(".py")]
        if os.path.basename(candidate) == "__init__":
            candidate = os.path.dirname(candidate)
        if not self._matches_pattern(candidate):
            if self.debug_on:
                print("%s does not match pattern. Skipping." % candidate)
            return None
        if self.debug_detail:
            print("Instrumenting %s" % candidate)
        loader = InstLoader(spec.origin, self.empty, self.ignore_list, self.debug_on)
        loader.name = fullname
        spec.loader = loader
        self.__item_list.append((fullname, spec))
        return spec

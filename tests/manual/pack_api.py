#!/usr/bin/env python3
"""Every public name of Kieker's Python pack is there, with its parameters: the pack of PyPI is read (its own modules cannot all
be imported: one imports itself), ours are imported. 77: the pack cannot be had.
"""
import ast
import importlib
import inspect
import os
import subprocess
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
OURS = os.path.join(TOP, "shim", "probes", "kieker")

# What the pack has by mistake, or for connections and files that are kprobe's business.
LEFT_OUT = {
    "monitoring.record.trace.operation.objectoperationevent": {
        "BeforeOperationObjectEvent.timpestamp", "AfterOperationObjectEvent.timpestamp",
        "AfteFailerOperationObjectEvent.timpestamp", "CallOperationObjectEvent.caller_oprtation_sig"},
    "monitoring.record.trace.operation.operationevent": {"CallOperationEvent.caller_oprtation_sig"},
    "monitoring.record": {"OperationExecutionRecord.tou"},
    "monitoring.writer": {"TCPWriter.socket", "TCPWriter.multConnections", "TCPWriter.host", "TCPWriter.port",
                          "TCPWriter.connetction_timeout", "FileWriter._serialize"},
    "tools.importhook": {"PostImportFinder.find_module"},
}


def pack():
    found = subprocess.run([os.path.join(TOP, "scripts", "python-packages"), "kieker", sys.executable],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    if found.returncode:
        print("skipped: the pack cannot be had: " + found.stderr.strip()[-300:])
        sys.exit(77)
    return found.stdout.strip()


def modules(folder):
    for package in ("monitoring", "tools"):
        for root, _, names in os.walk(os.path.join(folder, package)):
            for name in sorted(names):
                if name.endswith(".py"):
                    path = os.path.join(root, name)
                    dotted = os.path.relpath(path, folder)[:-len(".py")].replace(os.sep, ".")
                    yield path, dotted[:-len(".__init__")] if dotted.endswith(".__init__") else dotted


def parameters(node):
    """Names of the positional parameters without self."""
    names = [argument.arg for argument in node.args.args]
    return [name for name in names if name not in ("self", "cls")]


def is_private(name):
    return name.startswith("_") and name != "__init__" and not (name.startswith("__NO_") or name == "__VALUES__")


def public_of_class(cls):
    """(name, parameters or None) of methods and of attributes that are set."""
    for node in cls.body:
        if isinstance(node, ast.FunctionDef):
            if not is_private(node.name):
                yield node.name, parameters(node)
            for inner in ast.walk(node):
                if isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Store) and isinstance(
                        inner.value, ast.Name) and inner.value.id == "self" and not is_private(inner.attr):
                    yield inner.attr, None


def has_attribute(cls, name):
    """Whether some __init__ of the class sets it, or the class has it."""
    for base in cls.__mro__:
        made = [base.__dict__.get("__init__"), base.__dict__.get("__new__")]
        if name in base.__dict__ or any(name in one.__code__.co_names for one in made if hasattr(one, "__code__")):
            return True
    return False


def check_signature(what, function, wanted):
    found = [one for one in inspect.signature(function).parameters.values() if one.name not in ("self", "cls")]
    names = [one.name for one in found]
    extra = [one for one in found[len(wanted):] if one.default is inspect.Parameter.empty]
    if names[:len(wanted)] != wanted or extra:
        yield "%s: parameters %s, the pack has %s" % (what, names, wanted)


def check_class(what, ours, node, left_out):
    for name, wanted in public_of_class(node):
        if "%s.%s" % (node.name, name) in left_out:
            continue
        if wanted is None:
            if not has_attribute(ours, name):
                yield "%s: no attribute %s" % (what, name)
        elif not hasattr(ours, name):
            yield "%s: no method %s" % (what, name)
        elif not isinstance(getattr(ours, name), property):
            yield from check_signature("%s.%s" % (what, name), getattr(ours, name), wanted)


def check_module(path, dotted):
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    ours = importlib.import_module(dotted)
    left_out = LEFT_OUT.get(dotted, ())
    for node in tree.body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and not is_private(node.name):
            what = "%s.%s" % (dotted, node.name)
            if not hasattr(ours, node.name):
                yield what + " is missing"
            elif isinstance(node, ast.ClassDef):
                yield from check_class(what, getattr(ours, node.name), node, left_out)
            else:
                yield from check_signature(what, getattr(ours, node.name), parameters(node))
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name) and not hasattr(ours, target.id):
                    yield "%s.%s is missing" % (dotted, target.id)
        elif isinstance(node, ast.ImportFrom) and node.module.split(".")[0] in ("monitoring", "tools"):
            for alias in node.names:
                if dotted != "tools.aspect" and not hasattr(ours, alias.asname or alias.name):
                    yield "%s.%s is missing" % (dotted, alias.name)


# The newer generation, which is not on PyPI.
NEWER = {
    "monitoring.controller": "SingleMonitoringController WriterController TimeSourceController AbstractController TimeStamp "
                             "FileWriter TCPWriter DummyWriter",
    "monitoring.traceregistry": "TraceRegistry",
    "tools.const": "trace_reg monitoring_controller transformer",
}


def main():
    folder = pack()
    sys.path.insert(0, OURS)
    problems, count = [], 0
    for path, dotted in modules(folder):
        problems += check_module(path, dotted)
        count += 1
    for dotted, names in NEWER.items():
        module = importlib.import_module(dotted)
        problems += ["%s.%s is missing" % (dotted, name) for name in names.split() if not hasattr(module, name)]
    if count < 15:
        problems.append("only %d modules in the pack" % count)
    print("\n".join(problems) or "%d modules, all names are there" % count)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

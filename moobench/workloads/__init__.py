"""Programs whose slowdown under a tracer is measured.

A workload is a function of a number of loops that returns something to compare: what a traced run returns must be what
an untraced one does. The table says where it is, and which kind of call it is about.
"""
import importlib

# name: module, function, what it is about
TABLE = {
    "recursion": ("calls", "recursion", "a function that calls itself, 100 deep"),
    "methods": ("calls", "methods", "methods of an object, inherited ones too"),
    "keywords": ("calls", "keywords", "keyword arguments, defaults, *args and **kwargs"),
    "init": ("calls", "init", "objects with an __init__"),
    "properties": ("calls", "properties", "properties read and written"),
    "generators": ("calls", "generators", "generators in `for`, nested with `yield from`"),
    "comprehensions": ("calls", "comprehensions", "list, set, dict comprehensions and generator expressions"),
    "sort_key": ("calls", "sort_key", "sorted(), max() and map() with a Python function"),
    "coroutines": ("coroutines", "awaits", "coroutines that await coroutines, without a loop"),
    "async_tree": ("coroutines", "async_tree", "asyncio: a tree of tasks"),
    "richards": ("richards", "richards", "simulation of an operating system's scheduler"),
    "deltablue": ("deltablue", "deltablue", "solver of one-way constraints"),
    "nbody": ("nbody", "nbody", "planets: floating point, next to no calls"),
    "json": ("json_text", "json_text", "json with hooks, indented: the encoder in Python"),
    "regex": ("regex", "regex", "expressions compiled, matched, substituted by a function"),
    "logging": ("log_lines", "log_lines", "logging with handlers, filters and formats"),
}


def find(name):
    module, function, _ = TABLE[name]
    return getattr(importlib.import_module("workloads." + module), function)

"""Weak reference callbacks, finalizers, __del__ from the collector, resurrection, an exception in __del__."""
import gc
import sys
import weakref


class Node:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        deleted(self.name)


def deleted(name):
    names.append(name)


def callback(reference):
    deleted("callback")


def final(name):
    deleted(name)


class Loud:
    def __del__(self):
        raise ValueError


def hook(unraisable):
    deleted("unraisable")


gc.disable()
names = []
node = Node("a")
reference = weakref.ref(node, callback)
weakref.finalize(node, final, "finalize")
del node
left = Node("cycle")
left.self = left
del left
gc.collect()
sys.unraisablehook = hook
Loud()
print(names)


class Phoenix:
    def __del__(self):
        names.append(self)


Phoenix()
print(len(names))
names.clear()

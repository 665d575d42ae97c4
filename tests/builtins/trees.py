#!/usr/bin/env python3
"""What small programs call, as trees: Python functions, functions in C and what those call in turn, on every interpreter and
engine. A name stands for a call, (...) holds the calls it makes, ! says that it raised, ~ that it yielded.
"""
import re

import tracing

# The program's text, and the tree below its main(). `builtins.` and `__main__.` are left out.
CASES = {
    "calling conventions": ("""
def main():
    "a".upper()                       # METH_NOARGS
    "a".join(["b"])                   # METH_O
    divmod(7, 2)                      # METH_FASTCALL
    "a b".split(maxsplit=1)           # METH_FASTCALL | METH_KEYWORDS
    "{}".format(1)                    # METH_VARARGS | METH_KEYWORDS
    max(1, 2)
    bytes.fromhex("61")               # METH_CLASS
    str.maketrans("a", "b")           # METH_STATIC
    ba = bytearray(b"x")
    ba.extend(b"y")
""", "str.upper str.join divmod str.split str.format max bytes.fromhex str.maketrans bytearray bytearray.extend"),
    "unpacked arguments": ("""
def main():
    args, kwargs = ("a b",), {"maxsplit": 1}
    str.split(*args, **kwargs)
    divmod(*(7, 2))
    max(*([1],), **{"default": 1})
""", "str.split divmod max"),
    "bound early": ("""
join, index = "-".join, [1, 2].index
def main():
    join(["a"])
    index(2)
    [].append.__self__
""", "str.join list.index"),
    "calls back": ("""
def key(x): return -x
def main():
    sorted([2, 1], key=key)
    list(map(key, [1]))
    min([3], key=abs)
    any(filter(key, [1]))
""", "sorted(list.sort(key key)) map list(key) min(abs) filter any(key)"),
    "exceptions": ("""
def bad(x): raise KeyError(x)
def attempt(f, *args):
    try: f(*args)
    except (KeyError, ValueError, TypeError, IndexError): pass
def main():
    attempt([].pop)
    attempt(int, "x")
    attempt(sorted, [1], 5)
    attempt(max, [1, 2].index, 3)
    attempt("".join, [1])
""", "attempt(list.pop!) attempt(int!) attempt(sorted!) attempt(max!) attempt(str.join!)"),
    "exceptions pass": ("""
def bad(x): raise KeyError(x)
def main():
    try: sorted([1], key=bad)
    except KeyError: pass
    try: list(map(bad, [1]))
    except KeyError: pass
    divmod(1, 1)
""", "sorted(list.sort(bad!)!)! map list(bad!)! divmod"),
    "generators": ("""
def g():
    divmod(1, 1)
    yield abs(1)
    yield 2
def main():
    it = g()
    next(it)
    it.send(None)
    next(it, None)
""", "next(g(divmod abs)~) generator.send(g~) next(g)"),
    "classes": ("""
class A:
    def __init__(self): self.x = 1
class B(list):
    def append(self, x): list.append(self, x)
def main():
    a = A()
    getattr(a, "x")
    b = B([2])
    b.append(3)
    b.pop()
    hasattr(a, "y")
""", "A.__init__ getattr B.append(list.append) list.pop hasattr"),
    "objects that are called": ("""
import json.scanner, json.encoder, functools
scan = json.scanner.c_make_scanner(json.JSONDecoder())
def main():
    scan("[1]", 0)
    json.loads("1")
""", re.compile(r"_json.Scanner.__call__ json.loads\(.*_json.Scanner.__call__.*\)")),
    "late imports": ("""
def main():
    import _queue, _bisect
    q = _queue.SimpleQueue()
    q.put(1)
    q.get()
    _bisect.bisect_right([1, 2], 1)
""", re.compile(r".*(_queue.SimpleQueue )?_queue.SimpleQueue.put _queue.SimpleQueue.get _bisect.bisect_right$")),
}

# From 3.9 on types are called through a slot that can be hooked.
CONSTRUCTORS = {"builtins." + name for name in "bytearray map list filter int".split()} | {"_queue.SimpleQueue"}




def hoist(node):
    """The tree without constructors: what they call stands in their place."""
    children = []
    for child in node.children:
        hoist(child)
        children += child.children if child.name in CONSTRUCTORS else [child]
    node.children = children


def parse(text):
    """The tree that a text of ours stands for."""
    root = node = tracing.Node("", None)
    for token in re.findall(r"[^ ()!~]+|[()!~]", text):
        if token == "(":
            node = node.children[-1]
        elif token == ")":
            node = node.parent
        elif token in "!~":
            node.children[-1].end = "unwind" if token == "!" else "yield"
        else:
            names = {"builtins." + token, token} & CONSTRUCTORS
            node.children.append(tracing.Node(names.pop() if names else token, node))
            node.children[-1].end = "exit"
    return root


def text_of(node):
    return " ".join(map(str, node.children))


def check_case(python, engine, name):
    program, wanted = CASES[name]
    traced = tracing.Traced(python, engine, program + "main()\n", "-*,+__main__.*,+json.*,+c:*")
    if traced.problem:
        return traced.problem
    main = traced.trace.find("__main__.main")
    if not main:
        return "main() is not there"
    if isinstance(wanted, str):
        tree = parse(wanted)
        if tracing.version_of(python) < (3, 9):
            hoist(tree)
        wanted = re.compile(re.escape(text_of(tree)) + "$")
    found = text_of(main)
    return None if wanted.match(found) else "%s:\n    wanted %s\n    found  %s" % (name, wanted.pattern, found[-300:])


def check(python, engine):
    return "\n".join(filter(None, (check_case(python, engine, name) for name in CASES)))


if __name__ == "__main__":
    tracing.main(check)

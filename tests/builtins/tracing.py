"""What the tests of functions in C share: a program under the shim, and its calls as a tree. KPROBE and SHIM name the build."""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.dirname(HERE))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "oracle"))
import matrix  # noqa: E402
from interpreters import interpreters, one_of_each_minor, version_of  # noqa: E402,F401

BIN = os.path.join(TOP, "build", "dev", "bin")
KPROBE = os.environ.get("KPROBE", os.path.join(BIN, "kprobe"))
SHIM = os.environ.get("SHIM", os.path.join(BIN, "libkprobe.so"))
TIMEOUT_S = 120
MEMORY_BYTES = 4 << 30


def cells():
    """(interpreter, engine): all engines of one interpreter of each minor version; of the others what `auto` takes. With
    KP_ALL_CELLS in the environment every engine of every interpreter.
    """
    whole = interpreters() if os.environ.get("KP_ALL_CELLS") else one_of_each_minor((3, 8))
    found = []
    for python in interpreters():
        engines = [engine for engine in matrix.engines_of(python) if engine != "oracle"]
        found += [(python, engine) for engine in (engines if python in whole else engines[:1])]
    return found


def first_cells():
    """What `auto` takes, of one interpreter of each minor version: for what waits for rules to change."""
    found = {}
    for python, engine in cells():
        found.setdefault(python, engine)
    return [(python, engine) for python, engine in found.items() if python in one_of_each_minor((3, 8))]


def limit_memory():
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def run(command, shim=False, **options):
    """The finished process. Options in capitals are those of kprobe; `path` is PYTHONPATH."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("KPROBE")}
    env.update(PYTHONNOUSERSITE="1", PYTHONHASHSEED="0", PYTHONDONTWRITEBYTECODE="1")
    if options.get("path"):
        env["PYTHONPATH"] = options["path"]
    if shim:
        env["LD_PRELOAD"] = SHIM
        env.update({"KPROBE_" + name: value for name, value in options.items() if name.isupper()})
    return subprocess.run(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=TIMEOUT_S, universal_newlines=True, preexec_fn=limit_memory)


class Node:
    def __init__(self, name, parent):
        self.name, self.parent, self.children, self.end = name, parent, [], None

    def __str__(self):
        mark = {"exit": "", "unwind": "!", "yield": "~"}.get(self.end, "?")
        inner = "(%s)" % " ".join(map(str, self.children)) if self.children else ""
        return self.name.replace("builtins.", "").replace("__main__.", "") + inner + mark


class Trace:
    """What a program called."""

    def __init__(self, path):
        self.problem = None
        verify = subprocess.run([KPROBE, "verify", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                universal_newlines=True)
        if verify.returncode:
            self.problem = "verify: " + verify.stdout
        self.events = []
        dump = subprocess.run([KPROBE, "dump", path], stdout=subprocess.PIPE, universal_newlines=True, check=True)
        for line in dump.stdout.splitlines():
            fields = line.split("\t")
            if len(fields) >= 7 and not line.startswith("#"):
                self.events.append((fields[2], fields[3], int(fields[4]), fields[5], fields[6]))

    def threads(self):
        return {event[0] for event in self.events}

    def tree(self, thread=None):
        """The first thread's calls (or another's) as the children of one node."""
        root = node = Node("", None)
        thread = thread or (self.events[0][0] if self.events else None)
        for tid, kind, _, name, _ in self.events:
            if tid != thread:
                continue
            if kind in ("enter", "resume"):
                child = Node(name, node)
                node.children.append(child)
                node = child
            elif kind in ("exit", "unwind", "yield") and node.parent:
                if node.name != name:
                    self.problem = self.problem or "%s of %s while %s runs" % (kind, name, node.name)
                node.end, node = kind, node.parent
        return root

    def walk(self, node=None):
        for child in (node or self.tree()).children:
            yield child
            yield from self.walk(child) if child.children else ()

    def find(self, name):
        return next((node for node in self.walk() if node.name == name), None)

    def python(self):
        """The names of Python functions: those with a file and a line."""
        return {name for _, _, _, name, place in self.events if ".py:" in place or ">:" in place}

    def names(self):
        return [name for _, kind, _, name, _ in self.events if kind == "enter"]


def meta(path):
    """The metadata of a trace."""
    import json

    told = subprocess.run([KPROBE, "info", "--json", path], stdout=subprocess.PIPE, check=True)
    process = json.loads(told.stdout.decode())["processes"][0]
    return {row["key"]: row["value"] for row in process["metadata"]}


class Traced:
    """A program run plainly and under the shim. `problem` says what differs in what it prints and how it ends."""

    def __init__(self, python, engine, program, rules, arguments=(), keep=None, **options):
        with tempfile.TemporaryDirectory(prefix="kprobe-builtins-") as folder:
            script = os.path.join(folder, "program.py")
            with open(script, "w") as file:
                file.write(program)
            command = [python, script, *arguments]
            plain = run(command, path=options.get("path"))
            trace = os.path.join(folder, "trace.kpt")
            traced = run(command, True, OUTPUT="file:" + trace, FILTER=rules, ENGINE=engine, **options)
            self.output, self.errors = traced.stdout, traced.stderr
            self.problem = None
            self.trace = self.meta = None
            if (plain.returncode, plain.stdout) != (traced.returncode, traced.stdout):
                self.problem = "status %d and %r %s without the shim, %d and %r %s with it" % (
                    plain.returncode, plain.stdout[-500:], plain.stderr[-300:], traced.returncode, traced.stdout[-500:],
                    traced.stderr[-1500:])
            if os.path.exists(trace):
                self.trace, self.meta = Trace(trace), meta(trace)
                self.problem = self.problem or self.trace.problem
            elif not self.problem:
                self.problem = "no trace: " + traced.stderr[-500:]


def main(check, found=None):
    """Run check(python, engine), which says what is wrong or None, on all cells; end with 77 where there is none."""
    found = cells() if found is None else found
    if not found:
        print("skipped: no CPython that can be traced")
        sys.exit(77)
    failed = 0
    for python, engine in found:
        wrong = check(python, engine)
        failed += bool(wrong)
        print("%-12s %s: %s" % (engine, python, wrong or "as it must be"), flush=True)
    sys.exit(failed > 0)

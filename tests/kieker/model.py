"""What the traces of a Kieker log must be, from the lines of `kprobe dump`: the rules of docs/kieker.md once more, slowly."""
import collections
import re

COROUTINE = 2
NAME = 2000  # of longer names the end may be cut, so no more of them is compared
SPECIAL = re.compile(r"locals|lambda|genexpr|listcomp|dictcomp|setcomp|module|(generic parameters of|undefined function) [A-Za-z0-9_]+")
LOOKALIKE = re.compile(r"(_+)(locals|lambda|genexpr|listcomp|dictcomp|setcomp|module|"
                       r"(generic_parameters_of|undefined_function)_[A-Za-z0-9_]+?)(_+)")


def component(text):
    if text[:1] == "<" and text[-1:] == ">" and SPECIAL.fullmatch(text[1:-1]):
        return "_" + text[1:-1].replace(" ", "_") + "_"
    escaped = "".join(chr(byte) if chr(byte).isalnum() and byte < 128 or byte == 95 else f"${byte:02x}$"
                      for byte in text.encode("utf-8", "surrogateescape"))
    return "_" + escaped + "_" if LOOKALIKE.fullmatch(text) else escaped or "$$"


def python_name(name):
    """As it stands in a signature, before the parentheses; `name` as `kprobe dump` escapes it."""
    name = re.sub(rb"\\x([0-9a-f]{2})", lambda byte: bytes([int(byte[1], 16)]), name.encode("utf-8", "surrogateescape"))
    name = name.decode("utf-8", "surrogateescape")
    return (("" if "." in name else "_.") + ".".join(map(component, name.split("."))))[:NAME]


class Call:
    def __init__(self, name, coroutine, depth, trace, below):
        self.name, self.coroutine, self.depth, self.trace, self.below = name, coroutine, depth, trace, below


class Trace:
    def __init__(self, parent=None):
        self.steps, self.open, self.parent = [], [], parent

    def begin(self, call):
        self.open.append(call)
        self.steps.append("B " + call.name)

    def end_top(self, step="A "):
        call = self.open.pop()
        call.trace = None
        self.steps.append(step + call.name)

    def end_above(self, call):
        while self.open[-1] is not call:
            self.end_top()


class Model:
    def __init__(self, coroutines):
        self.coroutines = coroutines  # (name, location)
        self.traces, self.stacks, self.suspended = [], collections.defaultdict(list), {}
        self.calls = self.resumed = 0

    def begin(self, stack, name, place, depth):
        coroutine = (name, place) in self.coroutines
        caller = stack[-1] if stack else None
        if caller:
            caller.trace.end_above(caller)
        if caller and (caller.coroutine or not coroutine):
            trace = caller.trace
        else:
            trace = Trace(caller and caller.trace)
            if caller:
                caller.trace.steps.append("S")
            self.traces.append(trace)
        call = Call(python_name(name), coroutine, depth, trace, trace.open[-1] if trace.open else None)
        trace.begin(call)
        stack.append(call)
        call.place = (name, place)

    def end(self, stack, step="A "):
        call = stack.pop()
        call.trace.end_above(call)
        call.trace.end_top(step)

    def take(self, thread, kind, depth, name, place, token):
        stack = self.stacks[thread]
        if kind == "stop":
            depth = 0
        if kind in ("exit", "unwind", "yield"):
            depth += 1
        if kind != "lost":
            while stack and stack[-1].depth >= depth:
                self.end(stack)
        if kind == "enter":
            self.calls += 1
            self.begin(stack, name, place, depth)
        elif kind == "resume":
            self.resume(stack, name, place, depth, token)
        elif kind in ("exit", "unwind", "yield"):
            if kind == "yield" and token in self.suspended:
                self.drop(self.suspended.pop(token))
            if not stack or stack[-1].depth != depth - 1:
                return
            if stack[-1].place != (name, place):
                self.end(stack)
            elif kind == "yield" and stack[-1].coroutine:
                self.suspended[token] = stack.pop()
            else:
                self.end(stack, "F " if kind == "unwind" else "A ")

    def drop(self, call):
        if call.trace:
            call.trace.end_above(call)
            call.trace.end_top()

    def resume(self, stack, name, place, depth, token):
        call = self.suspended.pop(token, None)
        if call and call.trace:
            if call.place == (name, place) and (not call.below or stack and call.below is stack[-1]):
                call.depth = depth
                stack.append(call)
                return
            self.drop(call)
        self.resumed += 1
        self.begin(stack, name, place, depth)

    def finish(self):
        for stack in self.stacks.values():
            while stack:
                self.end(stack)
        for call in self.suspended.values():
            self.drop(call)
        return self


def read(lines, coroutines):
    model = Model(coroutines)
    events = []
    for line in lines:
        fields = line.rstrip("\n").split("\t")
        token = fields[7] if len(fields) > 7 else ""
        events.append((int(fields[0]), fields[2], fields[3], int(fields[4]), fields[5], fields[6], token))
    for event in sorted(events, key=lambda event: event[0]):
        model.take(*event[1:])
    return model.finish()

"""The oracle: a slow recorder in Python that writes what a program of the corpus calls.

It is started by site/sitecustomize.py, so the program itself runs exactly as `python program.py` runs it, at the
same depth and as the same __main__; subprocesses, spawned processes and subinterpreters are recorded as well.

Two ways to observe, chosen by ORACLE_MODE, so that one can check the other where both exist:

monitoring  sys.monitoring (3.12 and later): PY_START, PY_RESUME, PY_RETURN, PY_YIELD, PY_UNWIND, PY_THROW.
            Sees every thread and every subinterpreter.
trace       a trace function set with PyEval_SetTrace through ctypes (any version). The C interface is used, not
            sys.setprofile, for three reasons. It tells an exception (argument NULL) from `return None`. An error in it,
            as at the recursion limit, does not switch it off. And no code of ours runs between a call of a C function
            and its caller, where it would swallow the Python signal handlers that are due there.
            Sees threads started by `threading` and the main thread, in the main interpreter.

How kinds are told apart in `trace`, where a generator's steps look like calls:
- call: `resume` if the code is a generator's or coroutine's and the frame has begun (see `begun`), else `enter`;
- return with NULL: `unwind`; else `yield` when the code is a generator's and the last opcode does not return, else `exit`.
  In 3.12 an exception comes as None instead of NULL. There `unwind` is a None that the last opcode neither returns nor
  yields; where it yields, only if the event before was an exception in this frame, and no line since.

In `monitoring` the events are the kinds; PY_THROW is `resume`, or `enter` where the frame has not begun. `resume!` is one that
would not be without tools (see `only_closes`), nor the `unwind` after it.

Output: one file per process image in ORACLE_OUT, written event by event without buffer, so that it survives any end of
the process; a line is thread id, kind, file, first line, name, module, possible qualified names and possible types of the
exception that leaves a frame, tab-separated and escaped. `monitoring` is given the exception; `trace` only sees those that
come into being or arrive in a frame, and not which of them is raised again at last, nor the group that `except*` makes of what
it leaves. Only code of these files is written: below ORACLE_ROOT, below a temporary folder kprobe-corpus-*, and <corpus*>.
"""
import os
import sys

ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
GENERATOR = 0x20 | 0x80 | 0x200
OPTIMIZED = 0x1
COMPREHENSIONS = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")  # the compiler leaves `<locals>` out behind them
TEMPORARY = "/kprobe-corpus-"


def escape(text):
    return "".join(map(lambda c: ESCAPES.get(c, c), text))


def label(filename, root):
    """The name of a file of the corpus that does not depend on where it lies; None for other files."""
    if filename.startswith(root):
        return filename[len(root):]
    if TEMPORARY in filename:
        return filename.split(TEMPORARY, 1)[1].split("/", 1)[-1]
    return filename if filename.startswith("<corpus") else None


def make_labels(root, get_label=label):
    known = {}

    def find(code):
        name = code.co_filename
        if name not in known:
            known[name] = get_label(name, root)
        return known[name]

    return find


def image_id():
    """A number that a program started by exec in the same process, which keeps its pid, does not have: AT_RANDOM."""
    import struct

    with open("/proc/self/auxv", "rb") as file:
        return dict(struct.iter_unpack("NN", file.read())).get(25, 0)


def make_writer(folder):
    """A function that appends a line to this process's file; a forked child gets a file of its own."""
    import _thread
    import fcntl

    getpid, write, get_native_id, image = os.getpid, os.write, _thread.get_native_id, image_id()
    open_file, dup, close, join = os.open, fcntl.fcntl, os.close, os.path.join
    flags, high = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, fcntl.F_DUPFD_CLOEXEC
    state = {"pid": None, "fd": -1}

    def emit(line):
        pid = getpid()
        if state["pid"] != pid:
            fd = open_file(join(folder, "%d-%x.events" % (pid, image)), flags, 0o600)
            state["fd"] = dup(fd, high, 300)
            state["pid"] = pid
            close(fd)
        write(state["fd"], ("%d\t%s\n" % (get_native_id(), line)).encode("utf-8", "surrogateescape"))

    return emit


def globals_made_in(code):
    """Names that the code stores with `global`."""
    import dis

    return {i.argval for i in dis.get_instructions(code) if i.opname == "STORE_GLOBAL"}


def collect_qualnames(code, prefix, known, is_module=True):
    """Qualified names of all code objects inside `code`, as the compiler gives them, for versions before 3.11."""
    at_top = () if is_module else globals_made_in(code)
    for inner in code.co_consts:
        if hasattr(inner, "co_code"):
            name = inner.co_name if inner.co_name in at_top else prefix + inner.co_name
            known.setdefault((inner.co_filename, inner.co_firstlineno, inner.co_name), set()).add(name)
            scope = ".<locals>." if inner.co_flags & OPTIMIZED and inner.co_name not in COMPREHENSIONS else "."
            collect_qualnames(inner, name + scope, known, False)


def make_qualnames(collect=collect_qualnames):
    """A function from a code object to its possible qualified names, '|'-separated, '' if they are unknown."""
    known = {}

    def find(code):
        if hasattr(code, "co_qualname"):
            return code.co_qualname
        if code.co_name == "<module>":
            collect(code, "", known)
            return "<module>"
        return "|".join(sorted(known.get((code.co_filename, code.co_firstlineno, code.co_name), ())))

    return find


def make_begun():
    """Whether the frame of a generator's code whose last instruction is at `offset` has run before.

    Before 3.11 a fresh frame has no last instruction. Later it stands at RETURN_GENERATOR or what follows it until it is
    at a RESUME: number 0 starts a function, others follow a yield.
    """
    import opcode

    resume = opcode.opmap.get("RESUME")
    fresh = [opcode.opmap[name] for name in ("RETURN_GENERATOR", "POP_TOP", "COPY_FREE_VARS") if name in opcode.opmap]

    def begun(code, offset):
        if offset < 0 or resume is None:
            return offset >= 0
        operation, argument = code.co_code[offset], code.co_code[offset + 1]
        if operation == resume:
            return argument & 3 != 0
        return operation not in fresh or offset > first_resume(code)

    def first_resume(code):
        return min(i for i in range(0, len(code.co_code), 2) if code.co_code[i] == resume)

    return begun


def make_type_name():
    """The name of a type as Python shows it, whatever its metaclass says."""
    module, qualname = type.__dict__["__module__"].__get__, type.__dict__["__qualname__"].__get__

    def name(kind):
        return "%s.%s" % (module(kind), qualname(kind))

    return name


def make_record(folder, root):
    find_label, find_qualnames, emit = make_labels(root), make_qualnames(), make_writer(folder)

    def record(kind, code, frame, exceptions="", escape=escape):
        where = find_label(code)
        if where is None:
            return False
        module = frame.f_globals.get("__name__")
        module = module if isinstance(module, str) else ""
        fields = (kind, where, str(code.co_firstlineno), code.co_name, module, find_qualnames(code), exceptions)
        emit("\t".join(map(escape, fields)))
        return True

    return record


def only_closes(code, offset, error):
    """Whether a generator is run only to close it, from a yield outside of all handlers.

    From 3.13 on RESUME says so. Later ones of 3.13 do it for tools that want to see it unwind; else it is not run.
    """
    outermost = 4  # RESUME_OPARG_DEPTH1_MASK, Include/internal/pycore_opcode_utils.h
    return sys.version_info >= (3, 13) and isinstance(error, GeneratorExit) and code.co_code[offset + 1] & outermost


def start_monitoring(record):
    monitoring = sys.monitoring
    disable, get_frame, begun, type_name = monitoring.DISABLE, sys._getframe, make_begun(), make_type_name()

    def callback(kind, can_disable):
        def note(code, offset, value=None):
            if not record(kind, code, get_frame(1)) and can_disable:
                return disable

        return note

    def unwound(code, offset, error):
        record("unwind", code, get_frame(1), type_name(type(error)))

    def thrown(code, offset, error):
        kind = "resume" if begun(code, offset) else "enter"
        record(kind + "!" if only_closes(code, offset, error) else kind, code, get_frame(1))

    events = monitoring.events
    table = {
        events.PY_START: callback("enter", True),
        events.PY_RESUME: callback("resume", True),
        events.PY_RETURN: callback("exit", True),
        events.PY_YIELD: callback("yield", True),
        events.PY_UNWIND: unwound,
        events.PY_THROW: thrown,
    }
    monitoring.use_tool_id(4, "oracle")
    for event, function in table.items():
        monitoring.register_callback(4, event, function)
    monitoring.set_events(4, sum(table))


def start_trace(record):
    import ctypes
    import opcode
    import threading

    begun = make_begun()
    returns = [opcode.opmap[name] for name in ("RETURN_VALUE", "RETURN_CONST") if name in opcode.opmap]
    call, exception, leave = 0, 1, 3  # PyTrace_...
    exception_is_none, none, yield_value = sys.version_info[:2] == (3, 12), id(None), opcode.opmap["YIELD_VALUE"]
    match_group = opcode.opmap.get("CHECK_EG_MATCH")
    raising = {}  # thread: frame whose last event was an exception
    seen = {}  # frame: the types of the exceptions in it
    get_ident, type_name, py_object, cast = threading.get_ident, make_type_name(), ctypes.py_object, ctypes.cast

    def note_call(frame):
        code = frame.f_code
        frame.f_trace_lines = bool(exception_is_none and code.co_flags & GENERATOR)
        resumes = code.co_flags & GENERATOR and begun(code, frame.f_lasti)
        record("resume" if resumes else "enter", code, frame)

    def is_unwind(frame, value, operation):
        if value is None or not exception_is_none:
            return value is None
        thrown = raising.get(get_ident()) == id(frame)
        return value == none and operation not in returns and (operation != yield_value or thrown)

    def note_return(frame, value):
        code = frame.f_code
        operation = code.co_code[frame.f_lasti]
        if is_unwind(frame, value, operation):
            kind = "unwind"
        else:
            kind = "yield" if code.co_flags & GENERATOR and operation not in returns else "exit"
        types = set() if kind == "yield" else seen.pop(id(frame), set())
        if match_group and match_group in code.co_code[::2]:
            types |= {"builtins.ExceptionGroup", "builtins.BaseExceptionGroup"}
        record(kind, code, frame, "|".join(sorted(types)) if kind == "unwind" else "")

    prototype = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.py_object, ctypes.py_object, ctypes.c_int, ctypes.c_void_p)

    @prototype
    def traced(_, frame, what, value):
        if what == call:
            note_call(frame)
        elif what == leave:
            note_return(frame, value)
        elif what == exception:
            seen.setdefault(id(frame), set()).add(type_name(cast(value, py_object).value[0]))
        raising[get_ident()] = id(frame) if what == exception else None
        return 0

    set_trace, nothing = ctypes.pythonapi.PyEval_SetTrace, ctypes.py_object(None)
    set_trace.restype = None

    def first_in_thread(frame, event, argument):
        """What `threading` installs: gives its place to the C function, and notes the event that it was called with."""
        set_trace(traced, nothing)
        note_call(frame)

    threading.settrace(first_in_thread)
    set_trace(traced, nothing)


def in_subinterpreter():
    try:
        import _xxsubinterpreters as interpreters
    except ImportError:
        return False
    return interpreters.get_current() != interpreters.get_main()


def start():
    """Begin to record, as the environment says."""
    record = make_record(os.environ["ORACLE_OUT"], os.environ["ORACLE_ROOT"])
    if os.environ["ORACLE_MODE"] == "monitoring":
        start_monitoring(record)
    elif not in_subinterpreter():  # a ctypes callback always runs in the main interpreter
        start_trace(record)

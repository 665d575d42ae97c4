"""Probes of your own in Python programs that run under kprobe.

    import kprobe

    with kprobe.region("shop.checkout"):        # a call in the trace, nested with the functions that are traced
        ...

    @kprobe.probe                               # the same for a function, as module.qualname
    def total(cart): ...

    kprobe.begin("shop.checkout")               # kprobe.end("shop.checkout") or kprobe.fail("shop.checkout", "OutOfStock")
    kprobe.record(record)                       # what `kprobe irl -l python` generates

Nothing happens in a program that runs without kprobe: decorators return the function as it was. Probes raise no
exceptions. A region in a generator or coroutine is suspended when that is, and goes on with it, as one call. With begin()
and `with` this needs the generator or coroutine itself to be traced; the decorator does it by itself.
"""

import functools
import inspect
import os
import struct
import sys

_functions = {}
# The shim, if it is there, answers by filling the dict.
sys.audit("kprobe.probes", _functions)

#: Whether the program runs under kprobe.
present = bool(_functions)


# Takes what a probe takes, and costs less than any function in Python.
_nothing = {}.get


def _function(name):
    return _functions.get(name, _nothing)


_region, _begin, _end, _fail = (_function(name) for name in ("region", "begin", "end", "fail"))
_suspend, _resume, _wanted = (_function(name) for name in ("suspend", "resume", "wanted"))
_record_class, _text, _record = (_function(name) for name in ("record_class", "text", "record"))
_record_lost = _function("record_lost")

_MARK = "_kprobe_probe"


def hide(code):
    """Functions in the folder of this code object are probes themselves and not traced."""
    folder = os.path.dirname(code.co_filename)
    if folder:
        _function("hide")(folder + os.sep)


hide(hide.__code__)


def active():
    """Whether probes go into a trace at the moment."""
    return bool(_function("active")()) if present else False


def cause_of(error):
    """The name of an exception's type, as kprobe has it; never its text."""
    kind = error.__class__
    return "%s.%s" % (kind.__module__, kind.__qualname__)


class region:
    """A region with a name: a context manager, and a decorator."""

    __slots__ = ("name", "handle")

    def __init__(self, name):
        self.name = name
        self.handle = _region(name)

    # No partial(): its call may be traced (c:functools.*), and would own the region.
    def begin(self):
        _begin(self.handle)

    def end(self):
        _end(self.handle)

    def fail(self, cause=None):
        """`cause`: a kind of failure, or an exception."""
        _fail(self.handle, cause_of(cause) if isinstance(cause, BaseException) else cause)

    def wanted(self):
        """Whether begin() would be recorded now."""
        return bool(_wanted(self.handle))

    def __enter__(self):
        _begin(self.handle)
        return self

    def __exit__(self, kind, error, traceback):
        if kind is None:
            _end(self.handle)
        else:
            _fail(self.handle, "%s.%s" % (kind.__module__, kind.__qualname__))
        return False

    def __call__(self, function):
        return probe(function, self.name)

    def __repr__(self):
        return "kprobe.region(%r)" % self.name


_handles = {}


# Subscripts and no calls: functions in C may be traced, too. As many as there are handles.
def _handle(name):
    try:
        return _handles[name]
    except KeyError:
        handle = _region(name)
        if handle:
            _handles[name] = handle
        return handle


def begin(name):
    _begin(_handle(name))


def end(name):
    _end(_handle(name))


def fail(name, cause=None):
    _fail(_handle(name), cause_of(cause) if isinstance(cause, BaseException) else cause)


# --- functions ----------------------------------------------------------------------------------


def _steps(handle, target):
    """Runs a generator or coroutine as a region that is suspended when it is."""
    step, argument, token = target.send, None, 0
    _begin(handle)
    while True:
        try:
            value = step(argument)
        except StopIteration as stop:
            _end(handle)
            return stop.value
        except BaseException as error:
            _fail(handle, cause_of(error))
            raise
        token = _suspend(handle, token)
        try:
            argument = yield value
        except GeneratorExit as error:
            _resume(handle, token)
            try:
                target.close()
            finally:
                _fail(handle, cause_of(error))
            raise
        except BaseException as error:
            step, argument = target.throw, error
        else:
            step = target.send
        _resume(handle, token)


class _Steps:
    __slots__ = ("_steps",)

    def __init__(self, steps):
        self._steps = steps

    def __await__(self):
        return self._steps


def _of_function(function, handle):
    def wrapper(*args, **kwargs):
        _begin(handle)
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            _fail(handle, cause_of(error))
            raise
        _end(handle)
        return result

    return wrapper


def _of_generator(function, handle):
    def wrapper(*args, **kwargs):
        return (yield from _steps(handle, function(*args, **kwargs)))

    return wrapper


def _of_coroutine(function, handle):
    async def wrapper(*args, **kwargs):
        return await _Steps(_steps(handle, function(*args, **kwargs)))

    return wrapper


class _AsyncCall:
    """A call of an asynchronous generator: each of its steps is awaited, and it is suspended between them, too."""

    __slots__ = ("handle", "token", "began")

    def __init__(self, handle):
        self.handle = handle
        self.token = 0
        self.began = False

    def step(self, target):
        """Like _steps, but the region goes on after it, unless an exception ends it."""
        handle, target = self.handle, target.__await__()
        if self.began:
            _resume(handle, self.token)
        else:
            _begin(handle)
            self.began = True
        step, argument = getattr(target, "send", None) or (lambda _: next(target)), None
        while True:
            try:
                value = step(argument)
            except StopIteration as stop:
                self.token = _suspend(handle, self.token)
                return stop.value
            except StopAsyncIteration:
                _end(handle)
                raise
            except BaseException as error:
                _fail(handle, cause_of(error))
                raise
            self.token = _suspend(handle, self.token)
            try:
                argument = yield value
            except BaseException as error:
                step, argument = target.throw, error
            else:
                step = getattr(target, "send", None) or (lambda _: next(target))
            _resume(handle, self.token)


def _of_async_generator(function, handle):
    async def wrapper(*args, **kwargs):
        target = function(*args, **kwargs)
        call = _AsyncCall(handle)
        step = target.__anext__()
        while True:
            try:
                value = await _Steps(call.step(step))
            except StopAsyncIteration:
                return
            try:
                sent = yield value
            except GeneratorExit as error:
                _resume(handle, call.token)
                _fail(handle, cause_of(error))
                await target.aclose()
                raise
            except BaseException as error:
                step = target.athrow(error)
            else:
                step = target.asend(sent)

    return wrapper


_kinds = (
    (inspect.isasyncgenfunction, _of_async_generator),
    (inspect.iscoroutinefunction, _of_coroutine),
    (inspect.isgeneratorfunction, _of_generator),
    (lambda function: True, _of_function),
)


def probe(function, name=None):
    """A decorator: calls of the function are a region, called as the function is unless a name is given.

    A function stays what it is: a coroutine function a coroutine function, a generator function a generator function.
    """
    if not present or getattr(function, _MARK, None) is not None:
        return function
    if isinstance(function, (staticmethod, classmethod)):
        return type(function)(probe(function.__func__, name))
    name = name or "%s.%s" % (function.__module__, function.__qualname__)
    make = next(make for fits, make in _kinds if fits(function))
    wrapper = functools.wraps(function)(make(function, _region(name)))
    setattr(wrapper, _MARK, name)
    return wrapper


# --- records ------------------------------------------------------------------------------------


class Serializer:
    """Takes a record's values, as the serializers of Kieker's Python pack do."""

    __slots__ = ("layout", "payload")

    def __init__(self):
        self.layout = []
        self.payload = []

    def _put(self, letter, layout, value):
        self.layout.append(letter)
        self.payload.append(struct.pack(layout, value))

    def put_boolean(self, value):
        self._put("Z", "!B", 1 if value else 0)

    def put_byte(self, value):
        self._put("B", "!b", value)

    def put_char(self, value):
        self._put("C", "!H", ord(value) if isinstance(value, str) else value)

    def put_short(self, value):
        self._put("S", "!h", value)

    def put_int(self, value):
        self._put("I", "!i", value)

    def put_long(self, value):
        self._put("J", "!q", value)

    def put_float(self, value):
        self._put("F", "!f", value)

    def put_double(self, value):
        self._put("D", "!d", value)

    def put_string(self, value):
        self._put("T", "!i", _string_id("" if value is None else str(value)))


class _NoRoom(Exception):
    pass


def _string_id(text):
    number = _text(text)
    if number < 0:
        raise _NoRoom
    return number


def class_of(record):
    """The Java class of a record: as it says itself, or made from its Python class."""
    kind = type(record)
    return getattr(kind, "JAVA_CLASS", None) or "%s.%s" % (kind.__module__, kind.__qualname__)


_classes = {}


def _class_handle(name, layout):
    try:
        return _classes[name, layout]
    except KeyError:
        handle = _record_class(name, layout)
        if handle:
            _classes[name, layout] = handle
        return handle


_LETTERS = {"boolean": "Z", "byte": "B", "char": "C", "short": "S", "int": "I", "long": "J", "float": "F", "double": "D",
            "string": "T"}


@functools.lru_cache(maxsize=4096)
def _declared_layout(kind):
    """Of a class that `kprobe irl` made: without it an array would look like single values. None for others."""
    layout = []
    for declared in getattr(kind, "TYPES", None) or ():
        name, bracket, dimensions = declared.partition("[")
        layout.append((bracket + dimensions).replace("]", ""))
        layout.append("E" if name.startswith("enum ") else _LETTERS.get(name, "?"))
    return "".join(layout) if layout and "?" not in layout else None


def record(record, java_class=None):
    """Put a record into the trace: an object with serialize(serializer). False: it is not recorded."""
    if not present:
        return False
    name = java_class or class_of(record)
    out = Serializer()
    lost = False
    try:
        record.serialize(out)
    except (_NoRoom, struct.error, TypeError, ValueError, OverflowError):
        lost = True  # no room for a string, or values that are none of their types
    handle = _class_handle(name, _declared_layout(type(record)) or "".join(out.layout))
    if lost:
        _record_lost(handle)
        return False
    return bool(_record(handle, b"".join(out.payload)))

"""Types of exceptions: made anew at addresses that were others', with a metaclass of their own, set by C code, replaced on the way."""
import contextlib
import gc


def fails(kind, *arguments):
    raise kind(*arguments)


def tries(call, *arguments):
    try:
        call(*arguments)
    except BaseException as error:
        return type.__dict__["__qualname__"].__get__(type(error))


class Secretive(type):
    """Nobody may ask it anything."""

    def __getattribute__(cls, name):
        if name in ("__name__", "__qualname__", "__module__", "__class__", "__mro__"):
            raise AssertionError(name)
        return super().__getattribute__(name)


class Hidden(Exception, metaclass=Secretive):
    class Inner(Exception, metaclass=Secretive):
        pass


def fresh(number):
    """A type that is gone afterwards, so that the next one is likely to be where it was. Returns its address."""
    kind = type("Fresh%d" % number, (Exception,), {"__module__": "module%d" % (number % 7)})
    tries(fails, kind)
    return id(kind)


def fresh_ones(count):
    """Whether addresses were used again."""
    places = set()
    for number in range(count):
        places.add(fresh(number))
        gc.collect()
    return len(places) < count


class Falls:
    def __getattr__(self, name):
        return fails(AttributeError, name)

    def __index__(self):
        return fails(TypeError)

    def __bool__(self):
        return fails(ValueError)


def from_c():
    tries(open, "/nonexistent/file")
    tries(fails, OSError, 2, "becomes FileNotFoundError")
    tries(lambda: b"\xff".decode())
    tries(lambda: {}["x"])
    tries(lambda: [1, 2][Falls()])
    tries(lambda: 1 / 0)
    tries(lambda: getattr(Falls(), "x", 0))
    tries(lambda: 1 if Falls() else 2)
    tries(lambda: sorted([2, 1], key=lambda value: fails(LookupError)))


def deep(number, kind):
    if number:
        deep(number - 1, kind)
    fails(kind)


def again():
    raise


def replaced(kind):
    try:
        deep(2, kind)
    except KeyError:
        fails(IndexError)
    finally:
        tries(fails, Hidden)


def raised_again():
    try:
        fails(KeyError)
    except KeyError:
        tries(fails, ValueError)
        again()


@contextlib.contextmanager
def scope(kind):
    try:
        yield
    finally:
        tries(fails, kind)


def with_scopes():
    with scope(KeyError), scope(Hidden):
        [fails(kind) for kind in (UnicodeError,)]


def named():
    try:
        try:
            fails(KeyError)
        except KeyError as error:
            fails(ValueError, error)
    except (IndexError, OSError):
        tries(fails, TypeError)


def loops():
    for kind in (KeyError, IndexError):
        while True:
            try:
                deep(1, kind)
            except KeyError:
                break
            finally:
                if kind is IndexError:
                    break


def numbers():
    yield 1
    yield next(iter(()))


def closes():
    generator = numbers()
    next(generator)
    generator.close()
    for _ in numbers():
        pass


print(fresh_ones(40))
print(tries(fails, Hidden), tries(fails, Hidden.Inner), tries(deep, 3, Hidden))
from_c()
print(tries(replaced, KeyError), tries(replaced, OSError), tries(raised_again), tries(with_scopes), tries(named))
print(tries(loops), tries(closes), tries(deep, 5, SystemExit), tries(deep, 5, KeyboardInterrupt))
print(fresh_ones(40))
deep(2, type("Last", (SystemExit,), {"__module__": "last"}))

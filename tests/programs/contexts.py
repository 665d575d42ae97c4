"""contextlib: generator managers that finish, swallow, raise; ExitStack, closing, suppress, redirect."""
import contextlib
import io


@contextlib.contextmanager
def managed(swallow):
    try:
        yield enter()
    except ValueError:
        if not swallow:
            raise
    finally:
        leave()


def enter():
    return 1


def leave():
    return 2


@contextlib.contextmanager
def unready():
    raise KeyError
    yield


def inside(swallow):
    with managed(swallow):
        raise ValueError


with managed(True) as value:
    print(value)
inside(True)
for action in (lambda: inside(False), lambda: unready().__enter__()):
    with contextlib.suppress(ValueError, KeyError):
        action()
with contextlib.ExitStack() as stack:
    stack.callback(leave)
    stack.enter_context(managed(True))
    with contextlib.redirect_stdout(io.StringIO()):
        print("hidden")


@managed(True)
def decorated():
    raise ValueError


decorated()
print("end")

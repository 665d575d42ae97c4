"""Handlers in handlers, re-raise, raise from, else, exceptions in handlers."""


def fails(kind):
    raise kind


def inner():
    try:
        fails(ValueError)
    except ValueError:
        try:
            fails(KeyError)
        except KeyError:
            handled()
        raise


def handled():
    pass


def middle():
    try:
        inner()
    except KeyError:
        pass
    else:
        handled()


def outer():
    try:
        middle()
    except ValueError as error:
        raise RuntimeError("outer") from error


def quiet():
    try:
        handled()
    except ValueError:
        pass
    else:
        handled()
    finally:
        handled()


quiet()
for _ in range(2):
    try:
        outer()
    except RuntimeError as error:
        print(type(error.__cause__).__name__)

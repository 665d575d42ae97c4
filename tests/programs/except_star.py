"""except* and exception groups."""
# requires: 3.11


def fails(kind):
    raise kind


def handled():
    return None


def run():
    try:
        raise ExceptionGroup("g", [ValueError(1), KeyError(2)])
    except* ValueError:
        handled()
    except* KeyError:
        fails(IndexError)


try:
    run()
except (ExceptionGroup, IndexError) as error:
    print(type(error).__name__)

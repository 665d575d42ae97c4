"""finally with return, break, continue and a call; an exception replaced in finally."""


def note(what):
    return what


def returns():
    try:
        return note("a")
    finally:
        note("finally")


def swallows():
    for _ in range(2):
        try:
            raise ValueError
        finally:
            break
    return note("swallowed")


def replaces():
    try:
        raise ValueError
    finally:
        raise KeyError


def goes_on():
    for _ in range(3):
        try:
            note("try")
        finally:
            note("finally")
            continue


returns()
swallows()
goes_on()
try:
    replaces()
except KeyError as error:
    print(type(error.__context__).__name__)

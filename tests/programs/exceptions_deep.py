"""One exception through many frames, to a handler far below, and one that nobody catches but the outermost."""


class Broken(Exception):
    pass


def thrower(n):
    if n == 0:
        raise Broken("deep")
    thrower(n - 1)


def catcher(n):
    try:
        thrower(n)
    except Broken:
        return n
    finally:
        after()


def after():
    return None


print([catcher(n) for n in (0, 1, 20)])
try:
    sorted([3, 1, 2], key=lambda item: thrower(item))
except Broken:
    print("through C")

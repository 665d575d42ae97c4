"""close: plain, with finally, ignoring it, never started, finished."""


def cleanup():
    return None


def guarded():
    try:
        yield 1
        yield 2
    finally:
        cleanup()


def plain():
    yield 1
    yield 2


def stubborn():
    while True:
        try:
            yield 1
        except GeneratorExit:
            yield 2


for make in (guarded, plain):
    g = make()
    next(g)
    g.close()
    g.close()
make().close()
g = guarded()
print(list(g))
g.close()
g = stubborn()
next(g)
try:
    g.close()
except RuntimeError as error:
    print(error)
g.throw
try:
    g.throw(KeyError)
except KeyError:
    print("gone")

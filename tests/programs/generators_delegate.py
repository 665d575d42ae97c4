"""yield from: values, send, throw and close through three levels, return values, a plain iterator."""


def leaf():
    try:
        got = yield 1
        while got:
            got = yield got
    except ValueError:
        yield "leaf caught"
    return "leaf value"


def middle():
    value = yield from leaf()
    yield value
    yield from [7, 8]


def root():
    yield from middle()
    return "root value"


print(list(root()))
g = root()
next(g)
print(g.send("x"), g.throw(ValueError), next(g), list(g))
g = root()
next(g)
g.close()
g = root()
next(g)
try:
    g.throw(KeyError)
except KeyError:
    print("through")

"""throw: caught inside, not caught, at the first step, answered by a yield, by a return."""


def patient():
    while True:
        try:
            yield None
        except ValueError:
            yield "caught"


def plain():
    yield 1
    yield 2


def returning():
    try:
        yield 1
    except ValueError:
        return "bye"


g = patient()
next(g)
print(g.throw(ValueError))
print(next(g))
g = plain()
next(g)
try:
    g.throw(KeyError)
except KeyError:
    print("out of plain")
g = plain()
try:
    g.throw(KeyError)
except KeyError:
    print("never started")
g = returning()
next(g)
try:
    g.throw(ValueError)
except StopIteration as stop:
    print(stop.value)
try:
    next(g)
except StopIteration:
    print("stays finished")

"""Objects with __await__, coroutines driven by hand, types.coroutine, awaiting a finished coroutine again."""
import types


class Later:
    def __init__(self, value):
        self.value = value

    def __await__(self):
        got = yield self.value
        return got


@types.coroutine
def step(value):
    return (yield value)


async def work():
    return await Later(1), await step(2)


c = work()
print(c.send(None), c.send("a"))
try:
    c.send("b")
except StopIteration as stop:
    print(stop.value)
try:
    c.send(None)
except RuntimeError as error:
    print(error)
c = work()
c.send(None)
try:
    c.throw(KeyError)
except KeyError:
    print("thrown")
c = work()
c.send(None)
c.close()

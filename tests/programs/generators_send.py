"""send, values of yield, return values."""


def average():
    total = count = 0
    value = None
    while True:
        value = yield value
        if value is None:
            return total / count
        total += value
        count += 1


g = average()
next(g)
for item in (1, 2, 6):
    g.send(item)
try:
    g.send(None)
except StopIteration as stop:
    print(stop.value)


def nones():
    while True:
        yield None


n = nones()
print([n.send(None) for _ in range(4)])

"""Many calls in a hot loop, so that specialising interpreters specialise them, with changing targets."""


class A:
    def value(self):
        return 1


class B:
    def value(self):
        return 2


def inline(x):
    return x + 1


def generator(n):
    for i in range(n):
        yield inline(i)


def run(objects):
    total = 0
    for item in objects:
        total += inline(item.value())
    return total


print(run([A()] * 200), run([A(), B()] * 100), sum(generator(200)))
for _ in range(100):
    try:
        inline("x")
    except TypeError:
        pass

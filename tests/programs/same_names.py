"""Functions of the same name in several files, classes and scopes, and at one line."""
from support import first, second


def run():
    return "main"


class A:
    def run(self):
        return "A"


class B:
    def run(self):
        return "B"

    class A:
        def run(self):
            return "B.A"


def scope():
    def run():
        return "scope"

    return run


print(run(), first.run(), second.run(), A().run(), B().run(), B.A().run(), scope()())
lambdas = [lambda: 1, lambda: (lambda: 2)()]
print([f() for f in lambdas])

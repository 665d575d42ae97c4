"""Lambdas: default arguments, closures, immediately called, in data, recursive."""
add = lambda a, b=2: a + b
fact = lambda n: 1 if n < 2 else n * fact(n - 1)
table = {"a": lambda: 1, "b": lambda: table["a"]() + 1}


def adder(n):
    return lambda x: x + n


print(add(1), fact(5), table["b"](), adder(3)(4), (lambda *a, **k: len(a) + len(k))(1, 2, z=3))
print((lambda: (yield 1))().send(None))

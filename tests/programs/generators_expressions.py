"""Generator expressions nested, passed on, left; comprehensions of all kinds with calls in them."""


def double(x):
    return x * 2


print(sum(double(x) for x in range(4)))
print([double(x) for x in range(3)], {double(x) for x in range(2)}, {x: double(x) for x in range(2)})
print([[double(x) for x in range(y)] for y in range(3)])
print(any(double(x) > 1 for x in range(9)))
nested = (y for y in (double(x) for x in range(4)) if y)
print(next(nested), list(nested))


class Body:
    values = [double(x) for x in range(2)]
    lazy = list(double(x) for x in range(2))


print(Body.values, Body.lazy)

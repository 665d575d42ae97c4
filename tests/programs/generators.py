"""Generators exhausted, left half-way, by next, by for, by list, empty, nested."""


def count(n):
    for i in range(n):
        yield i


def empty():
    return
    yield


def pairs(n):
    for a in count(n):
        for b in count(2):
            yield a, b


def use(g):
    return next(g)


print(list(count(3)), list(empty()), sum(a * b for a, b in pairs(3)))
half = count(5)
print(use(half), use(half))
for value in count(9):
    if value == 2:
        break
print(use(half), list(half), next(half, "end"))

"""Decorators plain, with arguments, with wraps, of classes, stacked; functools.partial, lru_cache, singledispatch."""
import functools


def plain(function):
    def wrapper(*args):
        return function(*args)

    return wrapper


def with_arguments(n):
    def decorate(function):
        @functools.wraps(function)
        def wrapper(*args):
            return [function(*args)] * n

        return wrapper

    return decorate


def of_class(cls):
    cls.added = lambda self: "added"
    return cls


@plain
@with_arguments(2)
def decorated(x):
    return x


@of_class
class Decorated:
    @functools.lru_cache(maxsize=None)
    def cached(self, x):
        return x

    @plain
    def method(self):
        return self.cached(1)


@functools.singledispatch
def kind(value):
    return "other"


@kind.register(int)
def _(value):
    return "int"


def three(a, b, c):
    return a, b, c


print(decorated(1), Decorated().added())
d = Decorated()
print(d.method(), d.method(), kind(1), kind("x"), functools.partial(three, 1, 2)(3))
print(functools.reduce(lambda a, b: a + b, range(5)), functools.cmp_to_key(lambda a, b: b - a)(1) < 0 if 0 else "")

"""The ways of calling a function, one at a time."""


def descend(depth):
    if depth:
        descend(depth - 1)


def recursion(loops):
    for _ in range(loops * 20):
        descend(99)
    return loops


class Counter:
    def __init__(self, step):
        self.step = step
        self.value = 0

    def advance(self):
        self.value += self.step
        return self

    def shifted(self, by):
        return self.value + by

    def total(self):
        return self.shifted(1)


class LoudCounter(Counter):
    def total(self):
        return super().total() + 1


def methods(loops):
    quiet, loud = Counter(1), LoudCounter(2)
    seen = 0
    for _ in range(loops * 200):
        quiet.advance().advance()
        loud.advance()
        seen += quiet.total() + loud.total()
    return seen


def scaled(value, *, factor=2, offset=0):
    return value * factor + offset


def collected(*values, **named):
    return len(values) + len(named)


def passed_on(*values, **named):
    return collected(*values, **named)


def keywords(loops):
    seen = 0
    for number in range(loops * 200):
        seen += scaled(number)
        seen += scaled(number, factor=3)
        seen += scaled(value=number, offset=4, factor=1)
        seen += passed_on(number, 1, left=2, right=3)
    return seen


class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y


class Pixel(Point):
    __slots__ = ("colour",)

    def __init__(self, x, y, colour="red"):
        super().__init__(x, y)
        self.colour = colour


def init(loops):
    seen = 0
    for number in range(loops * 200):
        seen += Point(number, 1).y + Point(y=2, x=number).y
        seen += len(Pixel(number, 3).colour)
    return seen


class Celsius:
    def __init__(self):
        self._degrees = 0

    @property
    def degrees(self):
        return self._degrees

    @degrees.setter
    def degrees(self, value):
        self._degrees = value

    @property
    def kelvin(self):
        return self.degrees + 273


def properties(loops):
    temperature = Celsius()
    seen = 0
    for number in range(loops * 200):
        temperature.degrees = number
        seen += temperature.kelvin + temperature.degrees
    return seen


def numbers_below(end):
    number = 0
    while number < end:
        yield number
        number += 1


def pairs_below(end):
    for number in numbers_below(end):
        yield number, end - number


def both(end):
    yield from numbers_below(end)
    yield from numbers_below(end // 2)


def generators(loops):
    seen = 0
    for _ in range(loops * 10):
        for number in numbers_below(20):
            seen += number
        for left, right in pairs_below(20):
            seen += left * right
        for number in both(20):
            seen += number
    return seen


def is_odd(number):
    return number & 1


def comprehensions(loops):
    words = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"]
    seen = 0
    for _ in range(loops * 20):
        lengths = {word: len(word) for word in words}
        seen += sum(lengths[word] for word in words if lengths[word] > 4)
        seen += len([number for number in range(20) if is_odd(number)])
        seen += len({word[0] for word in words}) + sum([sum([row * column for column in range(4)]) for row in range(4)])
    return seen


def last_digits(number):
    return number % 97


def sort_key(loops):
    numbers = [number * 7919 % 1009 for number in range(200)]
    seen = 0
    for _ in range(loops):
        seen += sorted(numbers, key=last_digits)[3]
        seen += sorted(numbers, key=lambda number: (number & 7, number))[5]
        seen += max(numbers, key=last_digits) + sum(map(last_digits, numbers))
    return seen

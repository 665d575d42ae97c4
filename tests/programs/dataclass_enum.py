"""dataclasses, enum, namedtuple, abc: functions that the library makes, and ours that it calls."""
import abc
import collections
import dataclasses
import enum


@dataclasses.dataclass(order=True)
class Point:
    x: int
    y: int = 2
    names: list = dataclasses.field(default_factory=lambda: made())

    def __post_init__(self):
        self.x += 1


def made():
    return []


class Colour(enum.Enum):
    RED = 1
    BLUE = 2

    @classmethod
    def _missing_(cls, value):
        return cls.RED

    @property
    def label(self):
        return self.name.lower()


class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self):
        return 0


class Square(Shape):
    def area(self):
        return super().area() + 4


Pair = collections.namedtuple("Pair", "a b")


class Named(Pair):
    def total(self):
        return self.a + self.b


print(Point(1) < Point(2), Point(1), Colour(9).label, Square().area(), Named(1, 2).total())
try:
    Shape()
except TypeError:
    print("abstract")

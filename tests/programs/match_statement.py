"""match with classes, guards that call, patterns that read properties."""
# requires: 3.10


class Point:
    __match_args__ = ("x", "y")

    def __init__(self, x, y):
        self._x, self.y = x, y

    @property
    def x(self):
        return self._x


def guard(x):
    return x > 1


def which(value):
    match value:
        case Point(0, y):
            return "zero"
        case Point(x, _) if guard(x):
            return "big"
        case [first, *rest]:
            return which(first)
        case _:
            return "none"


print(which(Point(0, 1)), which(Point(2, 1)), which(Point(1, 1)), which([Point(0, 0)]))

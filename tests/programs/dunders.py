"""Special methods called by C code: construction, calls, comparison, containers, arithmetic, formatting, deletion."""


class Everything:
    def __new__(cls, *args):
        return object.__new__(cls)

    def __init__(self, n=0):
        self.n = n

    def __call__(self, x):
        return x

    def __len__(self):
        return 3

    def __getitem__(self, i):
        if i > 2:
            raise IndexError
        return i

    def __contains__(self, x):
        return x == 1

    def __add__(self, other):
        return NotImplemented

    def __radd__(self, other):
        return 9

    def __iadd__(self, other):
        return self

    def __lt__(self, other):
        return self.n < other.n

    def __eq__(self, other):
        return self.n == other.n

    def __hash__(self):
        return 1

    def __bool__(self):
        return True

    def __str__(self):
        return "str"

    def __repr__(self):
        return "repr"

    def __format__(self, spec):
        return "format" + spec

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        return True

    def __index__(self):
        return 2

    def __reversed__(self):
        return iter([3])

    def __del__(self):
        deleted()


def deleted():
    return None


def raises():
    with Everything():
        raise ValueError


a, b = Everything(1), Everything(2)
print(a(5), len(a), list(a), 1 in a, 1 + b, [a, b, Everything(0)], f"{a:x}", str(a))
print(sorted([b, a])[0].n, {a: 1, b: 2}[Everything(2)], [0, 1, 2][a], list(reversed(a)), bool(a))
try:
    a + 1
except TypeError:
    print("no add")
raises()
a += 1
del a, b

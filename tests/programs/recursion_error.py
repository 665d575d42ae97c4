"""RecursionError through many frames, caught, twice; and from a method behind C code."""
# compare: collapsed
# oracle-requires: 3.12
import sys

sys.setrecursionlimit(300)


def endless():
    endless()


class Loop:
    def __repr__(self):
        return repr([self])

    def __eq__(self, other):
        return [self] == [other]


for _ in range(2):
    try:
        endless()
    except RecursionError as error:
        print(type(error).__name__)
try:
    Loop() == Loop()
except RecursionError:
    print("in C")

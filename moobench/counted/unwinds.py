"""So many calls that end by an exception, in stacks of ten, for a counter of instructions; prints how many it made."""
import marks


def fail(depth):
    if depth:
        fail(depth - 1)
    raise KeyError


def repeat(calls):
    made = 0
    while made < calls:
        try:
            fail(9)
        except KeyError:
            made += 10
    return made


if __name__ == "__main__":
    marks.count(repeat)

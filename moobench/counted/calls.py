"""So many calls of a function that calls itself, for a counter of instructions; prints how many it made."""
import marks


def descend(depth):
    return 1 + descend(depth - 1) if depth else 1


def repeat(calls):
    made = 0
    while made < calls:
        made += descend(99)
    return made


if __name__ == "__main__":
    marks.count(repeat)

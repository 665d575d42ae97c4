"""So many calls of a function implemented in C, for a counter of instructions; prints how many it made."""
import math

import marks


def repeat(calls):
    call, made = math.fabs, 0
    while made < calls:
        call(1.0)
        made += 1
    return made


if __name__ == "__main__":
    marks.count(repeat)

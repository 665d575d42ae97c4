"""A stack of 900 calls, below the usual limit."""


def down(n):
    if n:
        return down(n - 1) + 1
    return 0


print(down(900))

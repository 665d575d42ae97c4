"""Python called by C: sorted, map, filter, max, iter, re.sub, defaultdict, sum of objects, str methods."""
import collections
import re


def key(x):
    return -x


def fails(x):
    raise KeyError(x)


def default():
    return 5


print(sorted([3, 1, 2], key=key), list(map(lambda x: x + 1, [1, 2])), list(filter(key, [0, 1])))
print(max([1, 2], key=key), re.sub("[a-c]", lambda m: m.group().upper(), "abcd"))
d = collections.defaultdict(default)
d["a"] += 1
print(d["a"], next(iter(default, 5), "none"))
for function in (lambda: sorted([1, 2], key=fails), lambda: list(map(fails, [1])), lambda: min([1], key=fails)):
    try:
        function()
    except KeyError:
        print("through C")

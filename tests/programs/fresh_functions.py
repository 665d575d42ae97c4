"""Many different functions: more than any cache of fixed size holds."""
lines = ["def f%d(n):\n    return n\n" % number for number in range(3000)]
space = {"__name__": "many"}
exec(compile("".join(lines), "<corpus many>", "exec"), space)
total = 0
for _ in range(2):
    for number in range(3000):
        total += space["f%d" % number](number)
print(total)

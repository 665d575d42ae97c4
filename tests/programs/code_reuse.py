"""Code objects made and freed in a loop: their addresses are used again by other functions."""


def call(function):
    return function()


total = 0
for number in range(300):
    source = "def f%d():\n    return g()\ndef g():\n    return %d\n" % (number, number)
    space = {"__name__": "fresh%d" % number}
    exec(compile(source, "<corpus fresh %d>" % number, "exec"), space)
    total += call(space["f%d" % number])
    del space
print(total)

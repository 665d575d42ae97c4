"""exec, eval and compile of source text; functions made that way; a class; an error inside."""


def helper(x):
    return x + 1


print(eval(compile("helper(2)", "<corpus eval>", "eval")))
space = {"helper": helper, "__name__": "made"}
exec(compile("def made(x):\n    return helper(x)\n\nresult = made(1)\n", "<corpus exec>", "exec"), space)
print(space["result"], space["made"](5))
exec(compile("class Made:\n    def method(self):\n        return (lambda: 3)()\n", "<corpus class>", "exec"), space)
print(space["Made"]().method())
try:
    exec(compile("def bad():\n    return 1 // 0\nbad()", "<corpus error>", "exec"), {"__name__": "bad"})
except ZeroDivisionError:
    print("error inside")
exec(compile("for i in range(2):\n    helper(i)", "<corpus loop>", "exec"))

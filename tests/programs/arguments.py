"""Every way to call: positional-only, keyword-only, star, double star, defaults, bound, unbound, wrong ones."""


def all_kinds(a, /, b, *args, c=3, **kwargs):
    return a + b + sum(args) + c + sum(kwargs.values())


class Target:
    def method(self, x):
        return x

    @classmethod
    def class_method(cls, x):
        return x

    @staticmethod
    def static_method(x):
        return x


print(all_kinds(1, 2), all_kinds(1, b=2, d=4), all_kinds(*[1, 2, 3], **{"c": 1, "e": 2}))
t = Target()
bound = t.method
print(bound(1), Target.method(t, 2), t.class_method(3), Target.static_method(4), t.static_method(x=5))
for arguments in ((), (1,), (1, 2, 3)):
    try:
        t.method(*arguments)
    except TypeError:
        print("refused")

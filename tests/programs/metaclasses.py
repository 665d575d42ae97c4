"""Metaclasses, __init_subclass__, __prepare__, __class_getitem__, __instancecheck__, __call__, type()."""


class Meta(type):
    @classmethod
    def __prepare__(mcs, name, bases, **kw):
        return {}

    def __new__(mcs, name, bases, space, **kw):
        return super().__new__(mcs, name, bases, space)

    def __init__(cls, name, bases, space, **kw):
        super().__init__(name, bases, space)

    def __call__(cls, *args):
        return super().__call__(*args)

    def __instancecheck__(cls, instance):
        return True


class Base(metaclass=Meta, key=1):
    def __init_subclass__(cls, **kw):
        super().__init_subclass__()

    def __class_getitem__(cls, item):
        return item

    def __init__(self, x=0):
        self.x = x


class Derived(Base):
    def method(self):
        return super().__init__(3)


print(Derived(2).x, Base[5], isinstance(3, Base))
Made = type("Made", (Derived,), {"method": lambda self: "made"})
print(Made().method(), Derived().method())

"""Properties, descriptors, __getattr__ and its family, slots, cached properties."""
import functools


class Field:
    def __set_name__(self, owner, name):
        self.name = "_" + name

    def __get__(self, instance, owner=None):
        return self if instance is None else getattr(instance, self.name, 0)

    def __set__(self, instance, value):
        setattr(instance, self.name, value)

    def __delete__(self, instance):
        delattr(instance, self.name)


class Thing:
    field = Field()

    @property
    def area(self):
        return self.field * 2

    @area.setter
    def area(self, value):
        self.field = value // 2

    @area.deleter
    def area(self):
        del self.field

    @functools.cached_property
    def slow(self):
        return self.area + 1

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return name


class Watched:
    def __getattribute__(self, name):
        return object.__getattribute__(self, name)

    def __setattr__(self, name, value):
        object.__setattr__(self, name, value)


t = Thing()
t.area = 10
print(t.area, t.slow, t.slow, t.unknown, hasattr(t, "_x"))
del t.area
w = Watched()
w.x = 1
print(w.x, Thing.field is Thing.__dict__["field"])

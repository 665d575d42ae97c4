"""Names: nested functions and classes, lambdas, comprehensions, class bodies, globals declared inside, changed names."""


def outer():
    def inner():
        class Local:
            def method(self):
                return (lambda: [helper(x) for x in (1,)])()

            class Deeper:
                def method(self):
                    def last():
                        return 1

                    return last()

        return Local().method(), Local.Deeper().method()

    return inner()


def helper(x):
    return x


def declares():
    global declared

    def declared():
        return 3

    return declared()


class Outer:
    class Inner:
        def method(self):
            return sum(helper(x) for x in range(2))

        handler = staticmethod(lambda: helper(4))

    @staticmethod
    def static():
        return 5

    @classmethod
    def create(cls):
        return cls()

    def __private(self):
        return 6

    def public(self):
        return self.__private()


def renamed():
    return 7


renamed.__name__ = "other"
renamed.__qualname__ = "Some.other"
print(outer(), declares(), Outer.Inner().method(), Outer.Inner.handler())
print(Outer.static(), Outer.create().public(), renamed())

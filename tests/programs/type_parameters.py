"""Type parameters and lazily evaluated type aliases: functions made by the compiler."""
# requires: 3.12


def bound():
    return int


def generic[T: bound()](x: T) -> T:
    return x


class Box[T]:
    def get(self, x: T) -> T:
        return x


type Alias[T] = list[bound()]
print(generic(1), Box().get(2), generic.__type_params__[0].__bound__, Alias.__value__)

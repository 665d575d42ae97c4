"""Names that are not ASCII, also from compile, with characters that no identifier has."""


def größe(ä):
    return ä


class Ü:
    def メソッド(self):
        return größe(1)


def рекурсия(n):
    return n and рекурсия(n - 1)


print(größe(2), Ü().メソッド(), рекурсия(2))
code = compile("def plain(): return 1", "<corpus nämé>", "exec").co_consts[0]
for name in ("tab\there", "line\nbreak", "back\\slash", "quote'\"", "nul", "emoji \U0001f600", "x" * 5000):
    names = {"co_name": name, "co_qualname": name} if hasattr(code, "co_qualname") else {"co_name": name}
    function = type(größe)(code.replace(**names), {"__name__": "möd"})
    print(function())

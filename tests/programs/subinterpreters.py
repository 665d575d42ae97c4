"""A subinterpreter runs code, fails, and is destroyed; the main one goes on."""
# oracle-requires: 3.12
try:
    import _interpreters as interpreters
except ImportError:
    try:
        import _xxsubinterpreters as interpreters
    except ImportError:
        interpreters = None

TEXT = """
def inside(n):
    if n == 0:
        raise ValueError
    return n

def generator():
    yield inside(1)
    yield inside(2)

list(generator())
try:
    inside(0)
except ValueError:
    pass
"""
SOURCE = "exec(compile(%r, '<corpus sub>', 'exec'), {'__name__': 'sub'})" % TEXT


def run(identifier):
    interpreters.run_string(identifier, SOURCE)


def leaf():
    return 1


if interpreters:
    for _ in range(2):
        identifier = interpreters.create()
        run(identifier)
        leaf()
        interpreters.destroy(identifier)
leaf()
print("end")

# C++ calls Python, which calls C++ that throws, and the outer C++ catches: the exception unwinds the interpreter's frames.
# The interpreter cannot be used after that (without the shim neither), so the library says what it caught and exits with 7.
import ctypes
import sys

import workload

library = ctypes.PyDLL(sys.argv[1])
library.kp_test_catch.argtypes = [ctypes.py_object]


def leaf():
    library.kp_test_throw()


class Middle:
    def __call__(self):
        for _ in self.generator():
            pass

    def generator(self):
        yield 1
        try:
            leaf()
        finally:
            print("a finally block does not run")


def outer():
    library.kp_test_catch(Middle())


print(workload.main())
# The same library, where no exception leaves C++.
print(library.kp_test_inside())
sys.stdout.flush()
outer()

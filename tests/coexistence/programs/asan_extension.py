# A library built with the address sanitizer, called from Python and calling back; with `overflow` it reads behind its memory.
import ctypes
import sys

import workload

library = ctypes.PyDLL(sys.argv[1])
library.kp_test_call.argtypes = [ctypes.py_object, ctypes.c_int]


def called_back():
    return workload.fibonacci(4)


print(library.kp_test_call(called_back, 3))
print(workload.main())
sys.stdout.flush()
if sys.argv[2:] == ["overflow"]:
    library.kp_test_overflow()

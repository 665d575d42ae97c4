"""What is counted lies between two marks: calls of a C function that nothing else here calls (harness/callgrind.py). The file
named in COUNTED_MAPS is told what is mapped where: valgrind forgets whose code it is when a library writes to its own."""
import os
import posix
import sys


def count(repeat):
    """Arguments of the program: calls to warm up (caches, specialised opcodes, first sights of a function), calls to count."""
    warm_up, calls = map(int, sys.argv[1:3])
    repeat(warm_up)
    posix.getpriority(0, 0)
    made = repeat(calls)
    posix.getpriority(0, 0)
    with open("/proc/self/maps", "rb") as maps, open(os.environ["COUNTED_MAPS"], "wb") as copy:
        copy.write(maps.read())
    print(made)

#!/usr/bin/env python3
"""The opcode engine with wrong knowledge: it declines, or what it records is right all the same; never a crash.

Each run has one thing altered in the row of the version: an offset (to neighbours, to far away), the number of an opcode
(swapped with another, or any), a bit of what is defined. `altered.py COUNT SEED` adds random ones.
"""
import os
import random
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import pythons

ALTERED = os.environ["ALTERED"]
OFFSETS = """thread_cframe thread_chunk thread_tracing current_frame frame_code frame_previous frame_globals
frame_instruction frame_owner code_adaptive code_cells code_free debug_version debug_thread""".split()
PROGRAM = """
def leaf(n): return n
def items(n):
    for i in range(n): yield leaf(i)
def fails(): raise KeyError
def main():
    try: fails()
    except KeyError: leaf(0)
    g = items(3)
    next(g)
    try: g.throw(ValueError)
    except ValueError: pass
    print(sum(items(4)), sorted([2, 1], key=leaf))
main()
"""
OUTPUT = "6 [1, 2]\n"


def systematic():
    for field in OFFSETS:
        for value in (0, 1, 4, 8, 16, 40, 56, 64, 72, 80, 120, 200, 240, 4096, 65528):
            yield "%s=%d" % (field, value)
    for at in range(16):
        for value in (0, 1, 9, 35, 36, 54, 83, 100, 118, 120, 150, 151, 207, 255):
            yield "opcodes.%d=%d" % (at, value)
    for at in range(4):
        for value in (0, 1, 1 << 63, (1 << 64) - 1, 0x5555555555555555):
            yield "defined.%d=%d" % (at, value)


def shuffled(chance):
    words = []
    for _ in range(chance.choice((1, 2, 5))):
        field = chance.choice(OFFSETS + ["opcodes.%d" % chance.randrange(16), "defined.%d" % chance.randrange(4)])
        words.append("%s=%d" % (field, chance.getrandbits(64) if "defined" in field else chance.choice(
            (chance.randrange(256), 8 * chance.randrange(64), chance.randrange(65536)))))
    return " ".join(words)


class Trial:
    def __init__(self, python, folder):
        self.python = python
        self.folder = folder
        self.right = self.events("")[1]

    def events(self, alteration):
        handle, trace = tempfile.mkstemp(dir=self.folder, suffix=".kpt")
        os.close(handle)
        os.unlink(trace)
        done = pythons.run(self.python, PROGRAM, ALTERED, OUTPUT="file:" + trace, FILTER="__main__.*", _KP_ALTER=alteration)
        events = pythons.dump(trace) if os.path.exists(trace) else None
        if events is not None:
            os.unlink(trace)
        return done, events

    def wrong(self, alteration):
        """What went wrong, or None; and whether the engine declined."""
        done, events = self.events(alteration)
        if done.returncode or done.stdout != OUTPUT:
            return "status %d, output %r, %s" % (done.returncode, done.stdout, done.stderr[-300:]), False
        if "engine opcode declines" in done.stderr:
            return None if events is None else "it declined and recorded", True
        return None if events == self.right else "it was trusted, and its events are wrong", False


def main():
    count, seed = (int(word) for word in (sys.argv[1:] + ["40", "1"])[:2])
    chance, failures = random.Random(seed), 0
    with tempfile.TemporaryDirectory(prefix="kprobe-altered-") as folder, ThreadPoolExecutor(2) as pool:
        for python in pythons.with_engine():
            trial = Trial(python, folder)
            if not trial.right:
                sys.exit("%s: without any alteration nothing is recorded" % python)
            alterations = list(systematic()) + [shuffled(chance) for _ in range(count)]
            if count < 1000:  # the short form takes a part of them, another one for each interpreter
                alterations = chance.sample(alterations, count)
            declined = 0
            for alteration, (wrong, refused) in zip(alterations, pool.map(trial.wrong, alterations)):
                declined += refused
                if wrong:
                    failures += 1
                    print("FAIL %s with %s: %s" % (python, alteration, wrong))
            print("%s: %d alterations, %d declined, the rest changed nothing" % (python, len(alterations), declined),
                  flush=True)
            if declined < len(alterations) / 3:
                failures += 1
                print("FAIL %s: so few are not what the self-test is for" % python)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

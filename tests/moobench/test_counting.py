#!/usr/bin/env python3
"""Counting by callgrind: how its files are read, on one that was stored; and that the table of limits is whole."""
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "moobench"))
import limits  # noqa: E402
import measuring  # noqa: E402
from harness import callgrind, counting  # noqa: E402

# Written by callgrind 3.19, cut down: two objects, a call whose cost is that of what is called, relative and repeated addresses.
STORED = """\
# callgrind format
version: 1
creator: callgrind-3.19.0
cmd:  ./calls 5000 10000
part: 2
thread: 1

desc: Trigger: --dump-before=getpriority

positions: instr
events: Ir
summary: 64

ob=(2) /home/calls
fl=(12) calls.c
fn=(20) main
0x11a0 1
+4 10
+5 10
cob=(3) /lib/probe.so
cfi=(31) probe.c
cfn=(40) probe
calls=10 0x9000
* 40
cfi=(31)
cfn=(41) clock_gettime@@GLIBC_2.17
calls=3 0x9100
-4 1000

ob=(3)
fl=(31)
fn=(40)
0x9000 10
+4 10
* 1
fi=(32) other.h
0x9002 12

ob=(5) ???
fl=(50) ???
fn=(51) 0x0000000004a16c90
0x4a16c90 10

totals: 64
"""

# first minor version, last
ENGINES = {"opcode": (11, 14), "monitoring": (12, 14), "frame": (8, 11), "profile": (8, 14)}


class StoredProfile(unittest.TestCase):
    def setUp(self):
        self.profile = callgrind.read_profile(STORED.splitlines(keepends=True))

    def test_instructions_are_own_costs_only(self):
        self.assertEqual(self.profile.total, 64)
        self.assertEqual(self.profile.instructions["/home/calls", 0x11a4], 10)
        self.assertEqual(self.profile.instructions["/home/calls", 0x11a9], 10)

    def test_addresses_repeat_and_go_back(self):
        self.assertEqual(self.profile.instructions["/lib/probe.so", 0x9004], 11)
        self.assertEqual(self.profile.instructions["/lib/probe.so", 0x9002], 12)

    def test_functions_have_their_names(self):
        self.assertEqual(self.profile.functions["/lib/probe.so", 0x9000], "probe")
        self.assertEqual(self.profile.functions["/home/calls", 0x11a0], "main")

    def test_calls_belong_to_the_object_called(self):
        self.assertEqual(self.profile.calls["/lib/probe.so", "probe"], 10)
        self.assertEqual(self.profile.calls["/home/calls", "clock_gettime@@GLIBC_2.17"], 3)

    def test_calls_of_clock_functions_are_clock_reads(self):
        self.assertEqual(self.profile.clock_reads(), 3)


class Code(unittest.TestCase):
    """On a file that is there: the C library, which has executable code and, in its loader, rdtsc."""

    def test_bytes_at_addresses(self):
        path = os.path.realpath(sys.executable)
        address, _, code = callgrind.code_of(path)[0]
        found = code.find(callgrind.CLOCK_BYTES[0])
        self.assertEqual(callgrind.reads_clock(path, address + found), found >= 0)
        nothing = next(i for i in range(len(code)) if code[i] != 0x0f)
        self.assertFalse(callgrind.reads_clock(path, address + nothing))
        self.assertTrue(callgrind.has_code(path, address))
        self.assertFalse(callgrind.has_code(path, address + len(code)))

    def test_unknown_objects_are_named_by_maps(self):
        path = os.path.realpath(sys.executable)
        address, offset, _ = callgrind.code_of(path)[0]
        maps = callgrind.Maps(["7000-%x r-xp %08x 08:01 1 %s\n" % (0x7000 + 4096, offset, path)])
        self.assertEqual(maps.place(0x7010), (path, address + 0x10))
        self.assertIsNone(maps.place(0x6fff))
        profile = callgrind.read_profile(["ob=(1) ???\n", "fn=(1) x\n", "0x7010 5\n", "ob=(2) %s\n" % path, "0x%x 2\n" % (address + 16)])
        callgrind.resolve(profile, maps, None)
        self.assertEqual(profile.instructions, {(path, address + 0x10): 7})


class Limits(unittest.TestCase):
    def test_every_engine_has_limits_for_every_version(self):
        for engine, (first, last) in ENGINES.items():
            for minor in range(first, last + 1):
                for state in (limits.TRACED, limits.FILTERED, limits.OFF):
                    self.assertIsNotNone(limits.find(engine, "3.%d.1" % minor, state), (engine, minor, state))
        self.assertEqual(set(ENGINES), set(measuring.ENGINES))

    def test_every_mechanism_has_a_limit(self):
        for name in counting.NATIVE:
            self.assertIsNotNone(limits.find(name, "", limits.TRACED), name)

    def test_no_row_is_there_twice(self):
        keys = [row[:3] for row in limits.LIMITS]
        self.assertEqual(len(keys), len(set(keys)))

    def test_no_limit_is_above_what_was_promised(self):
        held = 0
        for row in limits.LIMITS:
            if row.name in limits.PROMISED and (row.name, row.version) not in limits.NOT_PROMISED:
                instructions, clock_reads = limits.PROMISED[row.name][row.state]
                self.assertLessEqual(row.instructions, instructions, row)
                self.assertLessEqual(row.clock_reads, clock_reads, row)
                held += 1
        self.assertEqual(held, 3 * (4 + 3 + 3))

    def test_a_traced_pair_may_read_the_clock_twice(self):
        self.assertEqual({row.clock_reads for row in limits.LIMITS if row.state == limits.TRACED}, {2})


if __name__ == "__main__":
    unittest.main()

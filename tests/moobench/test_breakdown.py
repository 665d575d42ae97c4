#!/usr/bin/env python3
"""What instructions are for: marks in the library, functions of C, the sums; and that counting can be ended and gone on with."""
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import types
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, "..", "..")
sys.path.insert(0, os.path.join(TOP, "moobench"))
import limits  # noqa: E402
import measuring  # noqa: E402
from harness import breakdown, callgrind, counting, journal, model, session  # noqa: E402
from harness.outputs import performance  # noqa: E402

TOOLS = os.environ["KPROBE_TOOLS"]
LIBRARY = measuring.library(TOOLS)
LEAST = {breakdown.DISPATCH: 3, breakdown.REGISTERS: 10, breakdown.LOOKUP: 5, breakdown.CHECKS: 20, breakdown.STACK: 10,
         breakdown.RING: 20}


def all_sources():
    for folder, _, files in os.walk(os.path.join(TOP, "shim")):
        for name in files:
            with open(os.path.join(folder, name), errors="replace") as text:
                yield text.read()


class Parts(unittest.TestCase):
    def test_functions_are_those_of_the_library(self):
        text = "\n".join(all_sources())
        for name in breakdown.FUNCTIONS:
            self.assertRegex(text, r"\b%s\b" % name.replace("_3_8", "_3_"))

    def test_every_part_has_a_heading(self):
        self.assertEqual(set(performance.PARTS), set(breakdown.PARTS))

    def test_the_innermost_function_that_is_known_decides(self):
        for chain, part in ((["kp_emit_slot", "kp_emit_sure", "on_return"], breakdown.RING), (["strange", "kp_clock_now"], breakdown.CLOCK),
                            (["hook_3_10"], breakdown.DISPATCH), (["??"], breakdown.OTHER)):
            self.assertEqual(breakdown.part_of_chain(chain), part)

    def test_marks(self):
        def mark(address, name):
            return address.to_bytes(8, "little") + name.encode() + b"\0"

        marks = breakdown.Marks(mark(0x2000, "ring") + mark(0x1000, "clock") + mark(0x1004, "ring") + mark(0x1004, "other"))
        self.assertEqual([marks.part(address) for address in (0xfff, 0x1000, 0x1003, 0x1004, 0x1fff, 0x2000)],
                         ["other", "clock", "clock", "other", "other", "ring"])
        with self.assertRaisesRegex(ValueError, "unknown parts: rign"):
            breakdown.Marks(mark(0x1000, "rign"))

    def test_marks_are_not_loaded_and_a_stripped_library_is_refused(self):
        sections = subprocess.run(["readelf", "-SW", LIBRARY], check=True, stdout=subprocess.PIPE, text=True).stdout
        flags = re.search(r"%s +PROGBITS +0+ \w+ \w+ \d\d +(\D*)\d" % re.escape(breakdown.MARKS), sections)
        self.assertEqual(flags[1].strip(), "", sections)
        with tempfile.TemporaryDirectory() as folder:
            for place, option in (("all.so", "--strip-all"), ("c.so", "--remove-section=" + breakdown.INLINED)):
                stripped = os.path.join(folder, place)
                subprocess.run(["strip", option, "-o", stripped, LIBRARY], check=True)
                with self.assertRaisesRegex(breakdown.Stripped, "was stripped"):
                    breakdown.marks_of(stripped)


@unittest.skipUnless(callgrind.folder_of_tool(), "valgrind is not installed")
class Counted(unittest.TestCase):
    """Parts of real calls: everything has a name."""

    def check(self, name, made, total):
        parts = dict(made.parts)
        self.assertEqual(list(parts), list(breakdown.PARTS))
        self.assertAlmostEqual(made.total, total, places=6)
        self.assertLess(abs(parts[breakdown.OTHER]), 0.5, "instructions of %s without a part: %s" % (name, parts))
        self.assertLess(abs(parts[breakdown.INTERPRETER]), 0.5, parts)
        self.assertAlmostEqual(parts[breakdown.CLOCK], 2, places=1)
        for part, least in LEAST.items():
            self.assertGreaterEqual(parts[part], least, parts)

    def test_assembly(self):
        python = next((name for name in measuring.chosen_pythons(None) if measuring.has_engine(name, LIBRARY, "opcode")), None)
        with counting.Bench(TOOLS) as bench:
            counts = counting.native_counts(bench, sys.executable, ["c"])
            if python:
                counts += counting.python_counts(bench, python, ["opcode"], states=[limits.TRACED])
            for made in counts:
                self.check(made.name, breakdown.of_count(made, bench.shim), made.instructions)

    def test_c(self):
        with counting.Bench(TOOLS) as bench:
            made = counting.native_counts(bench, sys.executable, ["builtin"])[0]
            found = breakdown.of_count(made, bench.shim)
        self.assertAlmostEqual(found.total, made.instructions, places=6)
        self.assertLess(abs(dict(found.parts)[breakdown.OTHER]), 0.05 * found.total, found)

    def test_what_runs_is_ended(self):
        with tempfile.TemporaryDirectory() as folder:
            counter, begun = callgrind.Counter(folder), time.monotonic()
            process = counter.start(["sh", "-c", "sleep 600 & echo $!; wait"], dict(os.environ))
            child = int(process.stdout.readline())
            counter.stop()
            self.assertEqual(counter.wait(process, 60)[0], -signal.SIGKILL)
            self.assertLess(time.monotonic() - begun, 30)
            while self.lives(child):
                self.assertLess(time.monotonic() - begun, 30)
                time.sleep(0.05)
            with self.assertRaisesRegex(callgrind.Failure, "ended"):
                counter.start(["true"], dict(os.environ))


    def lives(self, pid):
        try:
            with open("/proc/%d/stat" % pid) as stat:
                return stat.read().rsplit(") ", 1)[1][0] != "Z"
        except (FileNotFoundError, ProcessLookupError):
            return False


class Interrupted(unittest.TestCase):
    """Each interpreter's counts are in the journal when they are done, and are not counted again."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="kprobe-moobench-")
        self.addCleanup(folder.cleanup)
        self.folder, self.asked = folder.name, []
        self.swap(counting, "Bench", lambda tools: self)
        self.swap(callgrind, "folder_of_tool", lambda: "/there")
        self.swap(breakdown, "of_counts", lambda counts, library: [
            model.Breakdown(made.name, made.version, [["ring", made.instructions]]) for made in counts])
        self.swap(counting, "of_interpreter", lambda bench, python, where, only: self.counts(python))
        self.swap(counting, "native_counts", lambda bench, python, only: self.counts("")[0])
        self.shim, self.ended_by = LIBRARY, None

    def swap(self, module, name, value):
        self.addCleanup(setattr, module, name, getattr(module, name))
        setattr(module, name, value)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def counts(self, version):
        if version == self.ended_by:
            raise KeyboardInterrupt
        self.asked.append(version)
        return [counting.Count("opcode" if version else "c", version, limits.TRACED, 125.0, 2.0, 600.0)], []

    def sitting(self, only=None):
        book = journal.Journal(self.folder, {"library": "x"})
        self.addCleanup(book.close)
        one = types.SimpleNamespace(
            book=book, base=types.SimpleNamespace(tools=TOOLS), options=types.SimpleNamespace(only=only),
            broken_down=lambda *given: session.Session.broken_down(one, *given),
            world=types.SimpleNamespace(references=["3.10.1", "3.12.1"], version=lambda python: python),
            shown=types.SimpleNamespace(now=lambda text: None, say=lambda text: None))
        try:
            session.Session.count(one)
        finally:
            book.close()
        return book

    def test_goes_on_in_the_middle(self):
        self.ended_by = "3.12.1"
        with self.assertRaises(KeyboardInterrupt):
            self.sitting()
        self.assertEqual(self.asked, ["3.10.1"])
        self.ended_by = None
        book = self.sitting()
        self.assertEqual(self.asked, ["3.10.1", "3.12.1", ""])
        self.assertEqual(book.counts()["kprobe.opcode.null", "3.10.1"], (125.0, 2.0))
        self.assertEqual(book.counts()["kprobe.c.null", ""], (125.0, 2.0))
        self.assertEqual([(one.name, one.version, one.total) for one in book.breakdowns()],
                         [("opcode", "3.10.1", 125.0), ("opcode", "3.12.1", 125.0), ("c", "", 125.0)])
        self.sitting()
        self.sitting(["kprobe.opcode.*"])
        self.assertEqual(len(self.asked), 3)

    def test_a_choice_is_not_everything(self):
        for only, asked in ((["kprobe.opcode.*"], 3), (["kprobe.opcode.*"], 3), (["kprobe.c.*"], 6), (None, 9), (["kprobe.*"], 9)):
            book = self.sitting(only)
            self.assertEqual(len(self.asked), asked, only)
        self.assertEqual(len(book.breakdowns()), 3)


if __name__ == "__main__":
    unittest.main()

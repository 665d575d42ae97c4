#!/usr/bin/env python3
"""Peers of the benchmark for functions in C, on a small scale: each records what the driver calls, and says so when it does not."""
import dataclasses
import os
import sys
import tempfile
import unittest
from unittest import mock

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "moobench"))
import measuring  # noqa: E402
import peers  # noqa: E402
from harness import driver, native  # noqa: E402
from harness.context import Context  # noqa: E402
from harness.model import Cell, Parameters  # noqa: E402

TOOLS = os.environ["KPROBE_TOOLS"]
FEW = Parameters(invocations=50, blocks=2, depth=5)


class OnSmallScale(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        work = tempfile.TemporaryDirectory(prefix="kprobe-native-")
        cls.addClassCleanup(work.cleanup)
        cls.work = work.name

    def context(self, **options):
        folder = tempfile.TemporaryDirectory(prefix="kprobe-native-")
        self.addCleanup(folder.cleanup)
        return Context(TOOLS, self.work, folder.name, options)

    def run_one(self, name, parameters=FEW, python=""):
        configuration = next(one for one in peers.configurations() if one.name == name)
        module, context = peers.module(configuration.peer), self.context()
        cell = Cell("c", configuration, parameters, python)
        reason = module.absent(configuration, cell, context)
        if reason:
            self.skipTest(reason)
        return module.run(configuration, cell, context)


class Recorded(OnSmallScale):
    def assert_all(self, name, parameters=FEW):
        run = self.run_one(name, parameters)
        made = parameters.invocations * parameters.blocks * parameters.depth * parameters.threads
        self.assertEqual((run.calls_made, run.calls_recorded, run.calls_lost), (made, made, 0), name)
        each = parameters.invocations * parameters.blocks
        self.assertEqual([len(durations) for durations in run.durations], [each] * parameters.threads)
        return run

    def test_untraced(self):
        for name in ("none.c.plt", "none.c.inside"):
            run = self.run_one(name)
            self.assertEqual((run.calls_made, {block.traced for block in run.blocks}), (0, {False}))

    def test_method_time(self):
        """The busy loop lasts as long as it is told, and once for each invocation."""
        run = self.run_one("none.c.plt", dataclasses.replace(FEW, method_time_ns=50000))
        self.assertGreaterEqual(min(run.durations[0]), 50000)
        self.assertLess(min(run.durations[0]), 2 * 50000)

    def test_kprobe(self):
        for kind in ("null", "file", "kieker-text", "kieker-binary", "tcp", "kieker-tcp", "inside.null", "inside.file"):
            with self.subTest(kind):
                self.assert_all("kprobe.c." + kind)

    def test_kprobe_threads(self):
        self.assert_all("kprobe.c.file", dataclasses.replace(FEW, threads=3))

    def test_kprobe_inactive(self):
        for name in ("kprobe.c.inactive", "kprobe.c.inside.inactive"):
            self.assertIsNone(self.run_one(name).calls_recorded)
        self.assertIsNone(self.run_one("kprobe.c.deselected", dataclasses.replace(FEW, threads=2)).calls_recorded)

    def test_uftrace(self):
        for program in ("uftrace", "uftrace-newer"):
            for way in ("pg", "cyg", "patchable", "dynamic"):
                with self.subTest(program=program, way=way):
                    self.assert_all("%s.%s" % (program, way))
            # Of the first invocation it sees the call of the program and that of the library, both bound then.
            self.assertEqual(self.run_one(program + ".plt").calls_lost, FEW.depth - 2)

    def test_lttng(self):
        self.assertEqual(self.run_one("lttng.inactive").calls_recorded, 0)
        self.assert_all("lttng.file")

    def test_uftrace_python(self):
        fitting = [python for python in measuring.interpreters.interpreters() if python.endswith("/sid/python3.14")]
        run = self.run_one("uftrace-python.file", python=fitting[0] if fitting else "")
        self.assertEqual((run.calls_recorded, run.calls_lost), (run.calls_made, 0))

    def test_kieker_is_asked_for(self):
        configuration = peers.module("kieker_c").CONFIGURATIONS[0]
        absent = peers.module("kieker_c").absent
        cell = Cell("c", configuration, FEW)
        self.assertIn("--kieker-c", absent(configuration, cell, self.context()))
        self.assertIn("no libkieker.so", absent(configuration, cell, self.context(kieker_c=self.work)))


class Uninstrumented(OnSmallScale):
    """A workload without what the peer needs in it: the run must fail."""

    def failure(self, name, variant, instead):
        with mock.patch.dict(native.VARIANTS, {variant: instead}):
            with self.assertRaises((peers.Failure, driver.DriverFailure)) as raised:
                self.run_one(name)
        return str(raised.exception)

    def test_uftrace(self):
        for way in ("pg", "cyg"):
            with self.subTest(way):
                self.assertIn("No data", self.failure("uftrace." + way, way, ([], [])))

    def test_lttng(self):
        self.assertIn("0 events recorded", self.failure("lttng.file", "lttng", ([], [])))

    def test_kprobe(self):
        """Of calls inside the library only the first of each invocation is seen."""
        self.assertIn("500 calls were made, 100 seen", self.failure("kprobe.c.file", "plt", native.VARIANTS["inside"]))


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
"""Statistics against known values, rows against runs whose durations are known, blocks that the machine has spoilt."""
import collections
import os
import random
import statistics
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fake_peers  # noqa: E402
from harness import distribution, journal, model, speed, summary  # noqa: E402


def counts(values):
    return collections.Counter(values)


class MooBench(unittest.TestCase):
    def test_known_values(self):
        """By hand: the squares of the differences to 2900 add up to 45.62e6; quartiles lie between neighbours."""
        found = distribution.moobench(counts([1200, 1500, 1500, 1700, 9000, 2500]), 10)
        expected = {"mean": 0.29, "sd": 0.3020596, "ci95": 0.2416940, "q1": 0.15, "median": 0.16, "q3": 0.23, "max": 0.9, "min": 0.12}
        for name, value in expected.items():
            self.assertAlmostEqual(getattr(found, name), value, places=6, msg=name)

    def test_as_of_all_values(self):
        values = [random.Random(1).randrange(500, 900) for _ in range(10001)]
        values += values[:4000]
        found = distribution.moobench(counts(values), 1)
        self.assertAlmostEqual(found.mean, statistics.mean(values) / 1000)
        self.assertAlmostEqual(found.sd, statistics.stdev(values) / 1000)
        quartiles = statistics.quantiles(values, method="inclusive")
        self.assertEqual([found.q1, found.median, found.q3], [quartile / 1000 for quartile in quartiles])

    def test_one_value(self):
        found = distribution.moobench(counts([2000]), 2)
        self.assertEqual((found.mean, found.median, found.min, found.max), (1.0, 1.0, 1.0, 1.0))
        self.assertNotEqual(found.sd, found.sd)

    def test_packing(self):
        some = counts([5, 5, 70000000000, 1])
        self.assertEqual(distribution.unpack(distribution.pack(some)), some)


class Speed(unittest.TestCase):
    CALM = [(100, 101), (99, 100), (101, 100), (100, 100)]

    def test_calm(self):
        self.assertEqual(speed.disturbed(self.CALM, 100), [False] * 4)

    def test_changes_within_and_between_blocks(self):
        self.assertEqual(speed.disturbed(self.CALM + [(100, 116), (118, 119)], 100), [False] * 4 + [True, True])

    def test_a_run_that_was_slow_throughout(self):
        self.assertEqual(speed.disturbed([(200, 201)] * 4, 100), [True] * 4)

    def test_best_is_no_outlier(self):
        self.assertEqual(speed.best([200] * 50 + [100] * 49 + [7]), 100)

    def test_left_out_while_any_remain(self):
        self.assertEqual(speed.undisturbed([1, 2, 3, 4], lambda item: item > 1), [1])
        self.assertEqual(speed.undisturbed([1, 2, 3, 4], lambda item: item > 0), [1, 2, 3, 4])


class Rows(unittest.TestCase):
    """A journal of runs of the fake peers, whose durations are known."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="kprobe-moobench-")
        self.addCleanup(self.folder.cleanup)
        self.book = journal.Journal(self.folder.name, {})
        self.addCleanup(self.book.close)

    def cell(self, name, **parameters):
        configuration = next(one for one in fake_peers.CONFIGURATIONS if one.name == name)
        return model.Cell("table", configuration, model.Parameters(**{"invocations": 40, "blocks": 8, **parameters}), "/python", "3.12.1")

    def add(self, cell, rounds=3, change=None):
        self.book.add_cell(cell)
        for number in range(1, rounds + 1):
            run = fake_peers.run(cell.configuration, cell, None)
            if change:
                change(run, number)
            self.book.add_run(cell.key, number, summary.of_run(run, cell.configuration))
            self.book.add("floor", group=cell.group, round=number, ns=20.0)

    def row(self, name):
        return next(row for row in summary.rows(self.book)[0] if row.name == name)

    def estimates(self, row):
        return [part and (part.low, part.value, part.high) for part in (row.call_ns, row.net_ns, row.ratio, row.floors)]

    def test_blocks_of_one_process(self):
        self.add(self.cell("untraced"))
        self.add(self.cell("switched"))
        row = self.row("switched")
        self.assertEqual((row.pairing, row.rounds), ("blocks", 3))
        self.assertEqual(self.estimates(row), [(150.0,) * 3, (50.0,) * 3, (1.5,) * 3, (2.5,) * 3])
        # Of 4 traced blocks the second two: all traced durations of those, and none of the untraced blocks.
        self.assertEqual((row.moobench.mean, row.moobench.min, row.moobench.max), (0.15, 0.15, 0.15))
        self.assertEqual((row.bytes_per_call, row.calls_lost, row.calls_made), (3.0, 0, 3 * 4 * 40 * 10))

    def test_runs_of_one_round(self):
        self.add(self.cell("untraced"))
        self.add(self.cell("slow"))
        row = self.row("slow")
        self.assertEqual(row.pairing, "rounds")
        self.assertEqual(self.estimates(row), [(400.0,) * 3, (300.0,) * 3, (4.0,) * 3, (15.0,) * 3])
        self.assertEqual((row.writer_cpu_ns, row.peak_added_bytes), (2.0, 4000))

    def test_untraced(self):
        self.add(self.cell("untraced"))
        row = self.row("untraced")
        self.assertEqual(self.estimates(row), [(100.0,) * 3, None, None, None])
        self.assertEqual((row.pairing, row.moobench.mean), ("", 0.1))

    def test_intervals_hold_most_rounds(self):
        self.add(self.cell("untraced"), 9)

        def slower(run, number):
            for i in range(len(run.durations[0])):
                run.durations[0][i] += 10 * number

        self.add(self.cell("slow"), 9, slower)
        net = self.row("slow").net_ns
        self.assertEqual(net.value, 305.0)
        self.assertTrue(301.0 < net.low < 305.0 < net.high < 309.0, net)

    def test_disturbed_round_is_left_out(self):
        def second_is_slow(run, number):
            if number == 2:
                for block in run.blocks:
                    block.speed_before_ns, block.speed_after_ns = 150.0, 150.0
                for i in range(len(run.durations[0])):
                    run.durations[0][i] *= 2

        self.add(self.cell("untraced"), 5)
        self.add(self.cell("slow"), 5, second_is_slow)
        row = self.row("slow")
        self.assertEqual(self.estimates(row)[1], (300.0,) * 3)
        self.assertEqual(row.moobench.max, 0.8)

    def test_slow_untraced_run_is_no_baseline(self):
        def slow_but_for_the_last_blocks(run, number):
            for block in run.blocks[:6]:
                block.speed_before_ns, block.speed_after_ns = 200.0, 200.0
            for i in range(6 * 40):
                run.durations[0][i] *= 2

        self.add(self.cell("untraced"), 3, slow_but_for_the_last_blocks)
        self.add(self.cell("slow"), 3)
        self.assertEqual(self.estimates(self.row("slow"))[1], (300.0,) * 3)
        self.assertEqual(self.estimates(self.row("untraced"))[0], (100.0,) * 3)

    def test_disturbed_share(self):
        def last_block(run, number):
            run.blocks[-1].speed_after_ns = 140.0
            for i in range(7 * 40, 8 * 40):
                run.durations[0][i] *= 3

        self.add(self.cell("untraced"), 3, last_block)
        row = self.row("untraced")
        self.assertEqual((row.disturbed, row.call_ns.high), (0.125, 100.0))
        self.assertAlmostEqual(row.moobench.max, 0.3)

    def test_threads_have_a_warm_up_each(self):
        self.add(self.cell("untraced", threads=2))
        made = fake_peers.run(self.cell("slow").configuration, self.cell("slow", threads=2), None)
        loop = distribution.unpack(summary.of_run(made, self.cell("slow").configuration).loop)
        self.assertEqual(loop, {fake_peers.SLOW_NS: 2 * 4 * 40})

    def test_a_run_without_its_untraced_one_does_not_count(self):
        self.add(self.cell("untraced"), 1)
        self.add(self.cell("slow"), 2)
        self.assertEqual(self.row("slow").rounds, 1)

    def test_rows_are_in_the_order_of_growth(self):
        for depth in (2, 4):
            for name in ("untraced", "switched", "slow"):
                self.add(self.cell(name, depth=depth))
        rows, _ = summary.rows(self.book)
        self.assertEqual([(row.name, row.depth) for row in rows],
                         [(name, depth) for name in ("untraced", "switched", "slow") for depth in (2, 4)])

    def test_nothing_measured_is_absent(self):
        self.book.add_cell(self.cell("slow"))
        rows, missing = summary.rows(self.book)
        self.assertEqual((rows, [one.name for one in missing]), ([], ["slow"]))


if __name__ == "__main__":
    unittest.main()

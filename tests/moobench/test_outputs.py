#!/usr/bin/env python3
"""Outputs are read by others: YAML by PyYAML (and in MooBench's shape), CSV and JSON by their readers."""
import csv
import json
import math
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fake_peers  # noqa: E402,F401
from harness import model, outputs, results  # noqa: E402

try:
    import yaml
except ImportError:
    yaml = None

STATISTICS = model.MooBenchStatistics(0.123456789, math.nan, 1e-6, 0.1, 12.0, 0.3, 1234.5, 0.05)


def row(label, **more):
    facts = dict(suite="table", name=label, label=label, language="python", peer="kprobe", kind="file", engine="opcode", version="3.12.1",
                 depth=10, threads=1, method_time_ns=0, pairing="blocks", rounds=3, moobench=STATISTICS,
                 call_ns=model.Estimate(150.0, 140.0, 160.0), net_ns=model.Estimate(50.0, 40.0, 60.0), ratio=None, floors=None,
                 bytes_per_call=3.1, calls_made=100, calls_recorded=99, calls_lost=1, writer_cpu_ns=None, peak_added_bytes=1 << 20,
                 disturbed=0.5, notes=["a note"])
    return model.Row(**dict(facts, **more))


ROWS = [row("kprobe: opcode, file"), row("untraced"), row("untraced", version="3.13.0"), row('a "quoted" \\ label'), row("- list")]
MACHINE = {"date": "2026-01-01T00:00:00Z", "timestamp": 1767225600.25, "cpu": "some", "processors": 2, "memory_bytes": 1 << 34,
           "kernel": "Linux", "compiler": "gcc", "load_start": 0.1, "load_end": 0.2, "kprobe": "kprobe 1", "commit": "abc"}
RESULTS = results.Results(ROWS, [model.Absent("lttng", "LTTng", "", "is not installed")],
                          [model.Claim("ratio", "a page", "1.5", "1.4", True)], MACHINE, {"quick": False},
                          counted=[model.Counted("kprobe.c.null", "kprobe C", "", 132.4, 2.0), model.Counted("cprofile", "cProfile", "3.12.1", 1420.0, 2.4)])


class Outputs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="kprobe-moobench-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = folder.name
        for name in ("json", "yaml", "csv", "markdown"):
            outputs.module(name).write(RESULTS, cls.folder)

    def text(self, name):
        with open(os.path.join(self.folder, name), newline="") as text:
            return text.read()

    @unittest.skipUnless(yaml, "python3-yaml is not installed")
    def test_yaml(self):
        self.check_yaml(yaml.safe_load(self.text("results.yaml")))

    def check_yaml(self, read):
        self.assertEqual(read["kind"], "kprobe")
        self.assertEqual([experiment["timestamp"] for experiment in read["experiments"]], [1767225600.25])
        measured = read["experiments"][0]["measurements"]
        self.assertEqual(list(measured), ["kprobe: opcode, file", "untraced", "untraced (python 3.13.0, depth 10, threads 1)",
                                          'a "quoted" \\ label', "- list"])
        for values in measured.values():
            self.assertEqual([value for value in values if value == value], [0.1234568, 1e-6, 0.1, 12.0, 0.3, 1234.5, 0.05])
            self.assertTrue(math.isnan(values[1]))

    def test_yaml_lines_are_like_moobench(self):
        lines = self.text("results.yaml").splitlines()
        self.assertEqual(lines[:2] + lines[3:4], ["kind: kprobe", "experiments:", "  measurements:"])
        self.assertIn("     untraced : [ 1.234568e-01 , .NAN , 1.0e-06 , 1.0e-01 , 1.2e+01 , 3.0e-01 , 1.2345e+03 , 5.0e-02 ]", lines)

    def test_csv(self):
        lines = list(csv.DictReader(self.text("results.csv").splitlines()))
        self.assertEqual([line["label"] for line in lines], [one.label for one in ROWS])
        self.assertEqual([lines[0][name] for name in ("net_ns_value", "net_ns_low", "net_ns_high", "ratio_value", "moobench_mean", "notes")],
                         ["50", "40", "60", "", "0.123457", "a note"])

    def test_json_is_the_results_again(self):
        read = results.load(self.folder)
        self.assertEqual(json.dumps(read.rows[0].moobench.mean), "0.123456789")
        self.assertEqual((read.absent, read.claims, read.machine, read.counted),
                         (RESULTS.absent, RESULTS.claims, RESULTS.machine, RESULTS.counted))
        self.assertEqual([one.net_ns for one in read.rows], [one.net_ns for one in ROWS])
        self.assertIsInstance(read.rows[0].call_ns, model.Estimate)

    def test_markdown(self):
        text = self.text("results.md")
        self.assertIn("| kprobe: opcode, file [1] | 50.0 [40.0, 60.0] | 150 |", text)
        self.assertIn("[1] a note", text)
        self.assertIn("- LTTng: is not installed", text)
        self.assertIn("| ratio | a page | 1.5 | 1.4 | yes |", text)
        self.assertIn("| kprobe C | – | 132 | 2.00 |\n| cProfile | 3.12.1 | 1420 | 2.40 |", text)
        widths = {line.count("|") for line in text.split("## ")[1].splitlines() if line.startswith("|")}
        self.assertEqual(len(widths), 1)


if __name__ == "__main__":
    unittest.main()

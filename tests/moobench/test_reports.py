#!/usr/bin/env python3
"""What is made of one stored run (full_run.json): the talk's table, verdicts on promises, tables in pages, plots."""
import copy
import csv
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import xml.dom.minidom
from unittest import mock

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "moobench"))
from harness import claims, model, others, results  # noqa: E402
from harness.outputs import performance, plots, talk  # noqa: E402

STORED = results.load(os.path.join(HERE, "full_run.json"))


def stored():
    return copy.deepcopy(STORED)


class InFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="kprobe-moobench-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def text(self, name):
        with open(self.path(name)) as text:
            return text.read()


class Talk(InFolder):
    def lines(self):
        with open(self.path("talk.csv"), newline="") as text:
            return list(csv.DictReader(text))

    def test_statistics_are_those_of_an_invocation(self):
        self.assertIsNone(talk.write(STORED, self.folder))
        found = {line["name"]: line for line in self.lines()}
        row = STORED.row("kieker-python.text.2")
        self.assertEqual([float(found[row.name][name + "_us"]) for name in ("mean", "sd", "ci95", "q1", "median", "q3", "max", "min")],
                         [float("%.6g" % (10 * getattr(row.moobench, name)))
                          for name in ("mean", "sd", "ci95", "q1", "median", "q3", "max", "min")])
        self.assertEqual([found[name]["column"] for name in ("kprobe.auto.kieker-text", "kieker-python.dummy.1", "kieker-python.tcp.2.java")],
                         ["text", "null", "TCP"])
        # Of other engines than the one that `auto` takes nothing is here.
        self.assertNotIn("kprobe.profile.null", found)

    def test_published_figures_are_beside_and_never_ours(self):
        talk.write(STORED, self.folder)
        published = {line["name"]: line["published_mean_us"] for line in self.lines() if line["published_mean_us"]}
        self.assertEqual(published, {"untraced": "6.9", "kieker-python.inactive.1": "15.1", "kieker-python.inactive.2": "15.1"})
        self.assertIn("| published, another machine | 6.900 | 15.100 |", self.text("talk.md"))

    def test_overview_has_both_ways_of_weaving_and_kprobe(self):
        talk.write(STORED, self.folder)
        heads = [line.split(" | ")[0] for line in self.text("talk.md").split("\n\n## ")[1].splitlines() if line.startswith("| ")]
        self.assertEqual(heads[:6], ["| mean, µs", "| ---", "| published, another machine", "| Kieker, weaving after import",
                                     "| Kieker, weaving before import", "| kprobe, opcode"])

    def test_nothing_to_show_is_said(self):
        without = results.Results([row for row in STORED.rows if row.suite != "table"], [], [], STORED.machine, {})
        self.assertIn("no rows", talk.write(without, self.folder))
        self.assertEqual(os.listdir(self.folder), [])


class Claims(unittest.TestCase):
    def verdicts(self, found):
        return {(claim.name, claim.source): claim for claim in claims.judge(found.rows, found.answers)}

    def test_held_broken_and_not_measured(self):
        found = self.verdicts(STORED)
        held = found["opcode on 3.12 and 3.13: instructions a call", "issue 3"]
        self.assertEqual((held.held, held.reason), (True, ""))
        self.assertEqual(held.measured, "126 instructions (CPython 3.12.1), 128 instructions (CPython 3.13.0) (instructions.py)")
        broken = found["opcode: instructions a call", "DESIGN 5"]
        self.assertEqual((broken.held, broken.promised, broken.reason), (False, "at most 114 instructions", claims.PROTOTYPE))
        self.assertIsNone(found["text logs are read", "issue 6"].held)
        self.assertEqual(found["kieker-tcp: at 5 million records/s", "issue 6"].held, False)
        self.assertEqual(found["exported function: time", "issue 4"].held, False)
        self.assertEqual(found["exported function: time", "DESIGN 7"].held, True)

    def test_one_interpreter_that_is_slower_breaks_a_promise(self):
        worse = stored()
        name = "monitoring: a function that no rule selects", "issue 2"
        self.assertTrue(self.verdicts(worse)[name].held)
        row = worse.row("kprobe.monitoring.inactive", "engines", version="3.13.0")
        row.net_ns = model.Estimate(3.0, 2.5, 3.5)
        self.assertEqual(self.verdicts(worse)[name].held, False)

    def test_each_promise_reads_what_there_is(self):
        """A promise whose figures are looked for under a name that nothing has would never be broken."""
        slowdown = [{"version": "3.12.1", "better_than_viztracer": {"regex": 0.9, "nbody": None, "json": 2.0}}]
        answers = dict(STORED.answers, slowdown=slowdown, start=[{"command": "/usr/bin/python3 -c pass", "is_python": True, "longer_ms": 11.0}],
                       size=[{"program": name, "bytes_per_call": 3.0} for name in ("mixed", "recursion")],
                       sinks=[{"output": name, "writer_ns": 70.0, "lost": 0} for name in ("file", "kieker-binary", "kieker-tcp")],
                       serve=[{"name": name, "rate": 2.4e6} for name in ("trace", "kieker-text", "kieker-binary")])
        answers["import"] = {"rate": 3.2e6, "peak_bytes": 16e6}
        answers["instructions"] = answers["instructions"] + [dict(answers["instructions"][0], engine="profile", version="3.12.1")]
        verdicts = claims.judge(STORED.rows, answers)
        self.assertEqual([claim.name for claim in verdicts if claim.held is None], [])
        slower = next(claim for claim in verdicts if "VizTracer" in claim.name)
        self.assertEqual((slower.held, slower.measured.split(" (slowdown")[0]), (False, "0.90 times less added (regex, CPython 3.12.1)"))

    def test_scripts_are_there_and_take_their_options(self):
        for script in others.SCRIPTS.values():
            path = os.path.join(HERE, "..", "..", "moobench", script.command[0])
            said = subprocess.run([sys.executable, path, "--help"], stdout=subprocess.PIPE, check=True, text=True).stdout
            for option in [word for word in script.command[1:] if word.startswith("--")] + ["--tools"]:
                self.assertIn(option, said, script.command[0])

    def test_a_script_without_an_answer_says_why(self):
        with self.assertRaisesRegex(others.Failure, "libkprobe.so is not there"):
            others.ask("size", "/nonexistent")


PAGE = """# Page
<!-- table: overhead -->
old
<!-- end -->
text between
<!-- table: engines -->
<!-- end -->
<!-- table: claims -->
as it was
<!-- end -->
end
"""


class Performance(InFolder):
    def setUp(self):
        super().setUp()
        with open(self.path("page.md"), "w") as out:
            out.write(PAGE)

    def test_tables_are_put_between_marks_and_twice_is_once(self):
        self.assertEqual(performance.update(self.path("page.md"), STORED), ["claims"])
        once = self.text("page.md")
        self.assertNotIn("old\n", once)
        self.assertIn("text between\n", once)
        self.assertIn("<!-- table: claims -->\nas it was\n<!-- end -->\nend\n", once)
        self.assertRegex(once, r"\| kprobe opcode, file \| 1\.43 \[[^]]+\] \| 32\.4 \[")
        self.assertIn("| 3.12.1 | `opcode` |", once)
        performance.update(self.path("page.md"), STORED)
        self.assertEqual(self.text("page.md"), once)

    def test_every_table_has_rows_of_one_width(self):
        found = stored()
        found.claims = claims.judge(found.rows, found.answers)
        for name, table in performance.TABLES.items():
            lines = list(table(found))
            self.assertTrue(lines, name)
            for part in "\n".join(lines).split("\n\n"):
                self.assertLessEqual(len({line.replace("\\|", "").count("|") for line in part.splitlines() if line.startswith("|")}), 1, name)

    def test_parts_of_instructions(self):
        lines = list(performance.where_instructions(STORED))
        self.assertEqual(lines[-2:], ["| CPython 3.12.1, `opcode` | 125 | 4 | 16 | 18 | 31 | 16 | 2 | 38 | 0 | 0 |",
                                      "| C, `c` | 132 | 5 | 16 | 6 | 34 | 34 | 2 | 35 | 0 | 0 |"])

    def test_verdicts_and_reasons(self):
        found = stored()
        found.claims = claims.judge(found.rows, found.answers)
        performance.update(self.path("page.md"), found)
        page = self.text("page.md")
        self.assertIn("| opcode: instructions a call | DESIGN 5 | at most 114 instructions |", page)
        self.assertIn("| **not held** |", page)
        self.assertIn(claims.PROTOTYPE, page)

    def test_wrong_marks_are_told(self):
        for wrong, said in (("<!-- table: nothing -->\n<!-- end -->\n", "no table nothing"), ("<!-- table: c -->\n", "no <!-- end -->"),
                            ("<!-- a table -->\n", "no mark")):
            with open(self.path("wrong.md"), "w") as out:
                out.write(wrong)
            with self.assertRaisesRegex(performance.Unknown, said):
                performance.check(self.path("wrong.md"))

    def test_pages_of_this_repository(self):
        for page in ("README.md", "docs/performance.md"):
            performance.check(os.path.join(HERE, "..", "..", page))


class Plots(InFolder):
    EXPECTED = ["boxes-3.11.2", "boxes-c", "depth-3.11.2", "net-3.11.2", "net-c", "threads-3.11.2"]

    @unittest.skipUnless(shutil.which("gnuplot"), "gnuplot is not installed")
    def test_files_are_what_they_say(self):
        self.assertIsNone(plots.write(STORED, self.folder))
        self.assertEqual(sorted(os.listdir(self.path("plots"))), sorted(
            "%s.%s" % (name, kind) for name in self.EXPECTED for kind in ("png", "svg")))
        for name in self.EXPECTED:
            svg = xml.dom.minidom.parse(self.path("plots/%s.svg" % name))
            self.assertEqual(svg.documentElement.tagName, "svg")
            with open(self.path("plots/%s.png" % name), "rb") as data:
                head = data.read(24)
            self.assertEqual(head[:8], b"\x89PNG\r\n\x1a\n")
            width, height = struct.unpack(">II", head[16:])
            self.assertTrue(width == 1100 and height >= 250, (name, width, height))

    @unittest.skipUnless(shutil.which("gnuplot"), "gnuplot is not installed")
    def test_every_configuration_is_named(self):
        plots.write(STORED, self.folder)
        svg = self.text("plots/net-3.11.2.svg")
        for row in STORED.select("table"):
            if row.net_ns:
                self.assertIn(row.label, svg)

    @unittest.skipUnless(shutil.which("gnuplot"), "gnuplot is not installed")
    def test_costs_below_the_noise_and_strange_labels(self):
        odd = stored()
        odd.rows = odd.select("table")[:3]
        odd.rows[1].net_ns = model.Estimate(-3.0, -5.0, 0.0)
        odd.rows[2].label = 'a "quoted" \\ $x `y` {z}_1'
        self.assertIsNone(plots.write(odd, self.folder))

    def test_without_gnuplot_a_line_says_so(self):
        with mock.patch.object(shutil, "which", return_value=None):
            self.assertIn("gnuplot is not installed", plots.write(STORED, self.folder))
        self.assertEqual(os.listdir(self.folder), [])


if __name__ == "__main__":
    unittest.main()

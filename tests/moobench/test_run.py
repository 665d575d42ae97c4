#!/usr/bin/env python3
"""The program itself, on peers that fail, are not there, or wait for ever: it goes on, and it goes on later."""
import io
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import fake_peers  # noqa: E402
import measuring  # noqa: E402
from harness import model, plan, progress, results, runner, session  # noqa: E402

fake_peers.install()
TOOLS = os.environ["KPROBE_TOOLS"]


class Run(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="kprobe-moobench-")
        self.addCleanup(folder.cleanup)
        self.folder, self.log = os.path.join(folder.name, "out"), os.path.join(folder.name, "log")

    def command(self, *more, rounds="2"):
        return [sys.executable, os.path.join(HERE, "fake_peers.py"), "-o", self.folder, "--tools", TOOLS, "--python", sys.executable,
                "--rounds", rounds, "--invocations", "60", "--suite", "table", *more]

    def environment(self, **more):
        return dict(os.environ, FAKE_LOG=self.log, **more)

    def run_it(self, *more, status=0, rounds="2", **environment):
        done = subprocess.run(self.command(*more, rounds=rounds), env=self.environment(**environment), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=120)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def started(self):
        """Names of the runs so far, without the pilots; then forgets them."""
        with open(self.log) as text:
            lines = [line.split() for line in text]
        os.remove(self.log)
        return [name for name, invocations in lines if int(invocations) != plan.PILOT.invocations]

    def journal(self):
        return os.path.join(self.folder, "journal.jsonl")

    def test_all_that_can_go_wrong(self):
        done = self.run_it()
        read, said = results.load(self.folder), done.stderr
        self.assertEqual([row.name for row in read.rows], ["untraced", "switched", "slow", "flaky"])
        self.assertEqual({one.name: one.reason for one in read.absent}, {
            "broken": "recorded nothing", "missing": "needs what is not there", "sleeping": "is not asked for"})
        self.assertIn("fake, broken", said)
        self.assertIn("- fake, missing (%s): needs what is not there" % read.rows[0].version, done.stdout)
        self.assertEqual([row.rounds for row in read.rows], [2] * 4)
        for name in ("results.yaml", "results.csv", "results.md"):
            self.assertTrue(os.path.exists(os.path.join(self.folder, name)))
        self.assertFalse(os.path.exists(os.path.join(self.folder, "work")))

    def test_without_a_compiler(self):
        with tempfile.TemporaryDirectory(prefix="kprobe-moobench-") as empty:
            said = self.run_it(rounds="1", PATH=empty).stderr
        self.assertIn("there is no C compiler", said)
        self.assertEqual([row.floors for row in results.load(self.folder).rows], [None] * 4)

    def test_rounds_begin_untraced_and_rotate(self):
        self.run_it(rounds="3")
        names = self.started()
        rounds = [names[i:i + 4] for i in range(0, len(names), 4)]
        self.assertEqual([order[0] for order in rounds], ["untraced"] * 3)
        self.assertEqual(len({order[1] for order in rounds}), 3)

    def test_the_same_command_goes_on(self):
        self.run_it(rounds="1")
        self.started()
        self.run_it(rounds="2")
        self.assertEqual(len(self.started()), 4)
        self.run_it(rounds="2")
        self.assertFalse(os.path.exists(self.log))
        self.run_it("--fresh", rounds="1")
        self.assertEqual(len(self.started()), 4)
        self.assertEqual([row.rounds for row in results.load(self.folder).rows], [1] * 4)

    def test_a_torn_line_and_a_group_that_was_not_finished(self):
        self.run_it(rounds="2")
        self.started()
        with open(self.journal(), "rb") as text:
            lines = text.read().splitlines(keepends=True)
        last = max(i for i, line in enumerate(lines) if b'"kind":"run"' in line)
        with open(self.journal(), "wb") as out:
            out.write(b"".join(lines[:last]) + lines[last][:30])
        self.run_it(rounds="2")
        # The whole round of the group, and nothing of the round before.
        self.assertEqual(len(self.started()), 4)
        self.assertEqual([row.rounds for row in results.load(self.folder).rows], [2] * 4)

    def test_what_failed_is_tried_again_when_asked(self):
        self.run_it(FAKE_FAILS="slow")
        found = results.load(self.folder)
        self.assertNotIn("slow", [row.name for row in found.rows])
        self.assertIn("Round 1 failed, no more were run: has no more room", [one.reason for one in found.absent])
        self.started()
        self.run_it()
        self.assertFalse(os.path.exists(self.log))
        self.run_it("--retry-failed")
        self.assertEqual(len(self.started()), 8)
        found = results.load(self.folder)
        self.assertEqual([row.rounds for row in found.rows], [2] * 4)
        self.assertNotIn("slow", [one.name for one in found.absent])
        self.run_it()
        self.assertFalse(os.path.exists(self.log))

    def test_damage_is_said(self):
        self.run_it(rounds="1")
        with open(self.journal(), "r+b") as text:
            text.seek(5)
            text.write(b"\0\0")
        self.assertIn("is damaged in line 1", self.run_it(status=2).stderr)

    def test_other_options_are_refused(self):
        self.run_it(rounds="1")
        said = self.run_it("--invocations", "70", status=2).stderr
        self.assertIn("was made with invocations 60, now it is invocations 70", said)
        self.assertIn("--fresh", said)

    def test_signal_and_resume(self):
        with subprocess.Popen(self.command(), env=self.environment(FAKE_SLEEPS="1"), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as process:
            child = self.child(process.pid)
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 1)
        self.assertIn("ended by SIGTERM; the same command goes on", said)
        self.gone(child)
        self.run_it()
        self.assertEqual([row.rounds for row in results.load(self.folder).rows], [2] * 4)

    def test_children_end_with_a_killed_benchmark(self):
        with subprocess.Popen(self.command(), env=self.environment(FAKE_SLEEPS="1"), stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as process:
            child = self.child(process.pid)
            process.kill()
        self.gone(child)

    def child(self, pid):
        """The sleeping process that a peer started."""
        for _ in range(600):
            found = subprocess.run(["pgrep", "-P", str(pid), "-x", "sleep"], stdout=subprocess.PIPE, text=True).stdout.split()
            if found:
                return int(found[0])
            time.sleep(0.05)
        self.fail("the peer was not run")

    def gone(self, pid):
        for _ in range(100):
            try:
                with open("/proc/%d/stat" % pid) as stat:
                    if stat.read().rsplit(") ", 1)[1][0] == "Z":
                        return
            except FileNotFoundError:
                return
            time.sleep(0.05)
        self.fail("process %d is still there" % pid)

    def test_report_only(self):
        self.run_it("--report-only", status=2)
        self.assertFalse(os.path.exists(self.folder))
        self.run_it()
        os.remove(os.path.join(self.folder, "results.yaml"))
        before = results.load(self.folder)
        self.started()
        self.run_it("--report-only")
        self.assertTrue(os.path.exists(os.path.join(self.folder, "results.yaml")))
        self.assertEqual(results.load(self.folder), before)
        self.assertFalse(os.path.exists(self.log))

    def test_raw_files_are_moobench_s(self):
        self.run_it("--raw", "--only", "switched", rounds="1")
        place, = os.listdir(os.path.join(self.folder, "raw"))
        folder = os.path.join(self.folder, "raw", place)
        self.assertEqual(sorted(os.listdir(folder)), ["index.txt", "raw-1-10-0.csv", "raw-1-10-1.csv"])
        with open(os.path.join(folder, "raw-1-10-1.csv")) as text:
            lines = text.read().splitlines()
        # Half of the blocks is traced, the warm-up is in it.
        self.assertEqual((len(lines), lines[0], lines[-1]), (plan.BLOCKS // 2 * 60, "0;1600", "0;1500"))

    def test_list(self):
        said = self.run_it("--list").stdout
        self.assertRegex(said, r"missing .*absent: needs what is not there")
        self.assertFalse(os.path.exists(self.log))

    def test_method_time(self):
        self.run_it("--method-time", "700", rounds="1")
        self.assertEqual({row.method_time_ns for row in results.load(self.folder).rows}, {700})
        with open(os.path.join(self.folder, "results.md")) as page:
            self.assertIn(", method time 700 ns", page.read())
        self.assertIn("was made with method time 700, now it is method time None", self.run_it(status=2).stderr)

    def test_a_folder_with_a_blank(self):
        """Peers do not get to see it."""
        outside = os.path.dirname(self.folder)
        self.folder = os.path.join(outside, "with blank")
        self.run_it(rounds="1", TMPDIR=outside)
        self.assertEqual(len(results.load(self.folder).rows), 4)
        self.assertEqual(sorted(os.listdir(outside)), ["log", "with blank"])

    def test_a_reader_that_has_seen_enough(self):
        reading, writing = os.pipe()
        os.close(reading)
        with subprocess.Popen(self.command("--list"), env=self.environment(), stdout=writing, stderr=subprocess.PIPE, text=True) as process:
            os.close(writing)
            self.assertEqual(process.communicate(timeout=60)[1], "")
        self.assertEqual(process.returncode, 1)

    def test_tools_in_a_path_that_preload_cannot_name(self):
        engines = measuring.engines_of(sys.executable, os.path.join(TOOLS, "libkprobe.so"))
        if not engines:
            self.skipTest("this build of the shim cannot be preloaded")
        folder = os.path.join(os.path.dirname(self.folder), "a blank: and a colon")
        os.makedirs(folder)
        for name in ("libkprobe.so", "kprobe"):
            shutil.copy(os.path.join(TOOLS, name), folder)
        shim = os.path.join(folder, "libkprobe.so")
        self.assertEqual(measuring.engines_of(sys.executable, shim), engines)
        self.assertEqual(measuring.loadable(measuring.loadable(shim)), measuring.loadable(shim))

    def test_bad_options(self):
        for options, words in ((["--python", "2.9"], "2.9"), (["--only", "nonesuch*"], "nonesuch*"), (["--rounds", "0"], "at least 1"),
                               (["--suite", "all"], "engines"), (["--tools", "/"], "libkprobe.so"), (["--kieker-c", "/nowhere"], "/nowhere"),
                               (["-o", "/dev/null/folder"], "/dev/null/folder")):
            with self.subTest(options=options):
                said = self.run_it(*options, status=2).stderr
                self.assertIn(words, said)
                self.assertNotIn("Traceback", said)


class Plan(unittest.TestCase):
    def choice(self, most_calls=None, **more):
        configuration = fake_peers.configuration("some", "file", most_calls=most_calls)
        return plan.Choice(configuration, "/python", **more)

    def test_runs_take_the_time_they_may(self):
        pilot = {"invocation_ns": 10000.0, "fixed_s": 0.5}
        self.assertEqual(plan.parameters(self.choice(), pilot, 1.6, 20000).invocations, 10000)
        self.assertEqual(plan.parameters(self.choice(depth=20), pilot, 1.6, 20000).invocations, 5000)
        busy = dict(pilot, method_time_ns=9000)
        self.assertEqual(plan.invocation_ns(self.choice(depth=20), busy), 11000)
        self.assertEqual(plan.parameters(self.choice(threads=4), pilot, 1.6, 20000).invocations, 2500)
        self.assertEqual(plan.parameters(self.choice(), pilot, 8, 20000).invocations, 20000)
        self.assertEqual(plan.parameters(self.choice(), pilot, 0.0001, 20000).invocations, plan.LEAST_INVOCATIONS)
        self.assertEqual(plan.parameters(self.choice(most_calls=16000, depth=10), pilot, 1.6, 20000).invocations, 100)

    def test_expected_time(self):
        pilot = {"invocation_ns": 10000.0, "fixed_s": 0.5}
        chosen = plan.parameters(self.choice(), pilot, 1.6, 20000)
        self.assertAlmostEqual(plan.expected_s(self.choice(), pilot, chosen), 2.1)

    def test_time_left_follows_what_runs_take(self):
        shown = progress.Progress(io.StringIO())
        shown.plan(100, 100.0)
        self.assertEqual(shown.left_s(), 100.0)
        for _ in range(50):
            shown.finished(1.0, 2.0)
        self.assertTrue(85 < shown.left_s() < 100, shown.left_s())
        self.assertEqual(progress.duration(59.6), "1 min 00 s")
        self.assertEqual(progress.duration(7290), "2 h 01 min")

    def world(self, only=None, absent=()):
        """Of two interpreters, which are not asked anything."""
        made = plan.World(["/a", "/b"], ["/a"], only, lambda configuration, cell: "no" if configuration.name in absent else None)
        made.version = {"/a": "3.11.2", "/b": "3.12.1", "": ""}.get
        return made

    def chosen(self, world, suite):
        return [(choice.configuration.name, choice.python, choice.depth, choice.threads) for choice in plan.choices(world, suite)]

    def test_suites(self):
        there = self.world(["switched", "slow"])
        self.assertEqual(self.chosen(there, "table"), [(name, "/a", 10, 1) for name in ("untraced", "switched", "slow")])
        self.assertEqual(self.chosen(there, "engines"), [(name, python, 10, 1) for python in ("/a", "/b")
                                                         for name in ("untraced", "switched")])
        self.assertEqual(self.chosen(there, "instructions"), [])

    def test_growth_is_shown_by_the_first_of_a_pattern_that_is_there(self):
        patterns, plan.GROWING = plan.GROWING, ["s*"]
        self.addCleanup(setattr, plan, "GROWING", patterns)
        self.assertEqual({name for name, _, _, _ in self.chosen(self.world(), "depth")}, {"untraced", "switched"})
        without = self.chosen(self.world(absent=["switched"]), "depth")
        self.assertEqual(without, [(name, "/a", depth, 1) for depth in plan.DEPTHS for name in ("untraced", "slow")])
        self.assertEqual([threads for _, _, _, threads in self.chosen(self.world(), "threads")], [1, 1, 2, 2, 3, 3, 4, 4])

    def test_absent_is_asked_once(self):
        asked = []
        world = self.world()
        world._is_absent = lambda configuration, cell: asked.append(configuration.name) or "no"
        for suite in ("table", "table", "depth"):
            self.assertEqual(self.chosen(world, suite), [])
        self.assertEqual(len(asked), len(set(asked)))
        self.assertEqual({one.version for one in world.all_absent()}, {"3.11.2"})

    def test_rounds_are_begun_only_if_they_end_in_time(self):
        sitting = session.Session.__new__(session.Session)
        sitting.shown = progress.Progress(io.StringIO())
        sitting.shown.plan(20, 100.0)
        for budget, begun in ((40, False), (60, True), (None, True)):
            # Two rounds are left, 50 seconds each.
            sitting.limits = session.Limits(rounds=3, run_s=1.0, budget_s=budget)
            self.assertEqual(sitting.is_time_for(2), begun)

    def test_order_is_another_in_each_round(self):
        cells = [runner.Planned(model.Cell("table", self.choice().configuration, plan.PILOT), 1.0) for _ in range(3)]
        self.assertEqual([runner.ordered(cells, number)[0] is cells[number - 1] for number in (1, 2, 3)], [True] * 3)


if __name__ == "__main__":
    unittest.main()

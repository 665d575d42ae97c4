#!/usr/bin/env python3
"""Every configuration of the driver in Python, in small, on one interpreter: blocks alternate, durations can be, and all that was called
was recorded. What is not installed is named, and nothing is installed here.
"""
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(TOP, "moobench"))
import peers  # noqa: E402
from harness import context as contexts  # noqa: E402
from harness import driver, model, python_driver  # noqa: E402

PYTHON = "/usr/bin/python3"
TOOLS = os.environ["KPROBE_TOOLS"]
PEERS = ["untraced", "kprobe", "kieker_python", "viztracer", "cprofile", "setprofile", "monitoring", "opentelemetry"]
SMALL = model.Parameters(invocations=40, blocks=4, depth=3)


def is_installed(what):
    return subprocess.run([os.path.join(TOP, "scripts", what[0]), "--find", *what[1:]], stdout=subprocess.DEVNULL).returncode == 0


def needs(configuration):
    """What setup installs for it, as commands that can say whether it is there."""
    packages = {"kieker_python": "kieker", "viztracer": "peers", "opentelemetry": "opentelemetry"}.get(configuration.peer)
    return ([("python-packages", packages, PYTHON)] if packages else []) + \
           ([("kieker-jars",)] if configuration.name.endswith(".java") else [])


class Peers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = tempfile.mkdtemp(prefix="kprobe-moobench-")
        cls.version = ".".join(map(str, python_driver.version_of(PYTHON)))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.work)

    @contextlib.contextmanager
    def context(self):
        with tempfile.TemporaryDirectory(prefix="kprobe-moobench-") as folder:
            yield contexts.Context(TOOLS, self.work, folder, {})

    def check(self, configuration, parameters):
        module = peers.module(configuration.peer)
        cell = model.Cell("test", configuration, parameters, PYTHON, self.version)
        missing = [what for what in needs(configuration) if not is_installed(what)]
        if missing:
            self.skipTest("not installed: scripts/" + " ".join(missing[0]))
        with self.context() as context:
            reason = module.absent(configuration, cell, context)
            if reason:
                self.skipTest(reason)
            self.check_run(configuration, parameters, module.run(configuration, cell, context))

    def check_run(self, configuration, parameters, run):
        switched = [number % 2 == 1 for number in range(parameters.blocks)]
        always = [configuration.kind != "none"] * parameters.blocks
        for thread in range(parameters.threads):
            blocks = [block for block in run.blocks if block.thread == thread]
            self.assertEqual([block.traced for block in blocks], switched if configuration.switchable else always)
            self.assertEqual([block.first for block in blocks], [number * parameters.invocations for number in range(parameters.blocks)])
            self.assertTrue(all(block.speed_before_ns > 0 and block.speed_after_ns > 0 for block in blocks))
            self.assertEqual(len(run.durations[thread]), parameters.blocks * parameters.invocations)
            # A call is no faster than a hundred instructions or so, and no slower than a second.
            self.assertTrue(20 * parameters.depth < statistics.median(run.durations[thread]) < 10**9)
        traced = sum(block.traced for block in run.blocks)
        self.assertEqual(run.calls_made, traced * parameters.invocations * parameters.depth)
        if run.calls_recorded is not None:
            self.assertEqual(run.calls_recorded + run.calls_lost, run.calls_made)
        else:  # the peer has checked what it has: totals, or that there is nothing
            self.assertNotIn(configuration.kind, ("file", "text", "binary", "tcp"))
        self.assertTrue(configuration.kind not in ("file", "text", "binary") or run.recorded_bytes > 0)
        self.assertTrue(0 < run.workload_cpu_ns <= run.process_cpu_ns)
        self.assertGreater(run.peak_bytes, 1 << 20)

    def test_threads(self):
        """They do the same blocks, and nothing is lost between them."""
        for name in ("untraced", "kprobe.opcode.file", "setprofile", "kieker-python.tcp.2"):
            with self.subTest(name):
                self.check(BY_NAME[name], model.Parameters(invocations=40, blocks=4, depth=3, threads=3))

    def test_calls_that_are_missing(self):
        run = model.Run([], [], 100, None, None, None, 0, 0, 0)
        for recorded, lost in ((109, 0), (111, 0), (100, 9)):
            with self.assertRaises(peers.Failure):
                python_driver.fill_in(run, {"warm_up_calls": 10}, recorded, lost)
        self.assertEqual(python_driver.fill_in(run, {"warm_up_calls": 10}, 108, 2, 216).recorded_bytes, 196)

    def test_a_finder_that_is_ignored(self):
        """As Kieker's is from Python 3.12 on: a pack in name only, whose finder finds nothing."""
        with self.context() as context:
            os.mkdir(os.path.join(context.folder, "tools"))
            for name, text in STAND_IN.items():
                with open(os.path.join(context.folder, name), "w") as file:
                    file.write(text)
            more = [word for setting in ("approach=1", "mode=dummy", "inactive=no", "ini=") for word in ("--with", setting)]
            with self.assertRaisesRegex(driver.DriverFailure, "did not instrument"):
                driver.run([PYTHON, os.path.join(python_driver.FOLDER, "driver.py")], SMALL, context.folder,
                           python_driver.environment(packages=context.folder), ["--probe", "kieker"] + more)


STAND_IN = {
    "kieker_pack.py": "class Controllers:\n    MonitoringController = str\n\ndef controller_module():\n    return Controllers\n",
    "tools/importhook.py": "class PostImportFinder:\n    def __init__(self, *arguments, **more):\n        pass\n\n"
                           "    def find_spec(self, *names):\n        return None\n",
}
BY_NAME = {configuration.name: configuration for name in PEERS for configuration in peers.module(name).CONFIGURATIONS}


def add_test(configuration):
    name = "test_" + configuration.name.replace(".", "_").replace("-", "_")
    setattr(Peers, name, lambda self: self.check(configuration, SMALL))


for one in BY_NAME.values():
    add_test(one)

if __name__ == "__main__":
    unittest.main(verbosity=2)

#!/usr/bin/env python3
"""Test suites of packages from PyPI, with and without the shim: the same verdict, test by test.

    applications.py --tools build/release/bin                         every application on every interpreter, as a table
    applications.py --tools ... --python /usr/bin/python3 attrs       one cell
    applications.py --fetch [--python ...] [attrs ...]                installs the packages and gets the suites, and stops

A suite with differences runs again both ways, and only what is the same twice counts. The traces have to verify.
Exit status: 0 all equal, 1 differences, 77 nothing could run.
"""
import argparse
import glob
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import xml.etree.ElementTree
from collections import namedtuple

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.dirname(HERE))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "oracle"))
sys.path.insert(0, HERE)
import compare as corpus  # noqa: E402
import cpython  # noqa: E402
from interpreters import one_of_each_minor  # noqa: E402

PACKAGES = os.path.join(TOP, "scripts", "python-packages")
LIMIT_S = 900
ADDRESS_SPACE_MAX = 12 << 30
OLDEST = (3, 11)

# `source`: the version whose source package has the suite; None: the installed package has it. `tests` are pytest's
# arguments.
Application = namedtuple("Application", "name source tests environment", defaults=({},))
APPLICATIONS = [
    Application("attrs", "25.4.0", ["--hypothesis-seed=0", "tests"]),
    Application("flask", "3.1.2", ["tests"]),
    # The others want a server of another package.
    Application("requests", "2.32.5", ["tests/test_utils.py", "tests/test_lowlevel.py", "tests/test_structures.py",
                                       "tests/test_hooks.py", "tests/test_adapters.py", "tests/test_packages.py"]),
    Application("pytest", "8.4.2", ["testing/test_mark.py", "testing/test_runner.py",
                                    "testing/test_skipping.py", "testing/code", "testing/python/raises.py"]),
    Application("numpy", None, ["--pyargs", "numpy._core.tests.test_ufunc", "numpy._core.tests.test_multiarray",
                                "numpy._core.tests.test_dtype"],
                {"NPY_AVAILABLE_MEM": "1 GB"}),  # tests that want more are skipped
    Application("gevent", None, ["--pyargs"] + ["gevent.tests.test__" + name for name in (
        "queue", "pool", "event", "greenlet", "semaphore", "greenness", "local", "timeout")]),
]

# Known differences: application, engine, what differs (the "verdict" of tests whose name begins like this, or "verify" of the
# trace), and why.
Known = namedtuple("Known", "application engine what name why")
KNOWN = [
    Known("gevent", engine, "verify", "", "these engines do not see that greenlets switch stacks")
    for engine in ("frame", "monitoring", "profile")
]


def cache():
    return os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "kprobe")


def source_folder(application):
    return os.path.join(cache(), "source-%s-%s" % (application.name, application.source))


def fetch(application):
    """The source package, unpacked; complete or not there."""
    folder = source_folder(application)
    if application.source is None or os.path.isdir(folder):
        return
    os.makedirs(cache(), exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache()) as temporary:
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                        "--no-binary", application.name, "--dest", temporary,
                        "%s==%s" % (application.name, application.source)], check=True)
        with tarfile.open(glob.glob(os.path.join(temporary, "*.tar.gz"))[0]) as archive:
            archive.extractall(temporary)
        os.rename(next(entry.path for entry in os.scandir(temporary) if entry.is_dir()), folder)


def packages(python):
    done = subprocess.run([PACKAGES, "--find", "applications", python], stdout=subprocess.PIPE, universal_newlines=True)
    return done.stdout.strip() or None


def limit_memory():
    """Tests of what happens without memory are not to take that of the whole machine."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_MAX, ADDRESS_SPACE_MAX))


class Suite:
    """One application on one interpreter."""

    def __init__(self, application, python, tools, engine):
        self.application, self.python, self.tools, self.engine = application, python, tools, engine
        self.problems, self.calls, self.used = [], 0, ""

    def missing(self):
        if not packages(self.python):
            return "the packages are not installed: scripts/python-packages applications %s" % self.python
        if self.application.source and not os.path.isdir(source_folder(self.application)):
            return "the source is not here: scripts/fidelity-apps --fetch %s" % self.application.name
        return None

    def run(self, traced):
        """Verdicts by name, and seconds."""
        with tempfile.TemporaryDirectory(prefix="kprobe-application-") as folder:
            traces = os.path.join(folder, "traces")
            os.mkdir(traces)
            place = os.path.join(folder, "source")
            if self.application.source:
                shutil.copytree(source_folder(self.application), place)
            else:
                os.mkdir(place)
            env = corpus.environment(PYTHONPATH=packages(self.python), PYTHONNOUSERSITE="1", TMPDIR=folder,
                                     **self.application.environment)
            if traced:
                env.update(LD_PRELOAD=os.path.join(self.tools, "libkprobe.so"), KPROBE_ENGINE=self.engine,
                           KPROBE_OUTPUT="file:" + os.path.join(traces, "kprobe.%p.kpt"))
            try:
                return self.run_pytest(env, folder, place)
            finally:
                if traced:
                    self.check_traces(traces)
                cpython.give_memory_back(self.tools, folder)

    def run_pytest(self, env, folder, place):
        report, output = os.path.join(folder, "report.xml"), os.path.join(folder, "output")
        command = [self.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junit-xml", report]
        begin = time.monotonic()
        with open(output, "wb") as file:
            process = subprocess.Popen(command + self.application.tests, cwd=place, env=env, stdin=subprocess.DEVNULL,
                                       stdout=file, stderr=subprocess.STDOUT, start_new_session=True,
                                       preexec_fn=limit_memory)
            try:
                status = process.wait(LIMIT_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                status = "time-out after %d s, %d" % (LIMIT_S, process.wait())
        seconds = time.monotonic() - begin
        if not os.path.exists(report):
            with open(output, "rb") as file:
                self.problems.append("no report, status %s: %s" % (status, file.read().decode("utf-8", "replace")[-2000:]))
            return {}, seconds
        cases = xml.etree.ElementTree.parse(report).iter("testcase")
        verdicts = {"%s.%s" % (case.get("classname"), case.get("name")): cpython.verdict(case) for case in cases}
        verdicts["exit status"] = str(status)
        return verdicts, seconds

    def check_traces(self, folder):
        kprobe, traces = os.path.join(self.tools, "kprobe"), corpus.find_traces(folder)
        if not traces:
            self.problems.append("no trace was written")
            return
        info = subprocess.run([kprobe, "info", "--json"] + traces, stdout=subprocess.PIPE)
        processes = json.loads(info.stdout.decode("utf-8", "replace"))["processes"]
        self.used = ",".join(sorted({process["engine"] for process in processes} - {""}))
        self.calls = sum(process.get("calls", 0) for process in processes)
        verify = subprocess.run([kprobe, "verify"] + traces, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if verify.returncode and not self.known("verify", ""):
            self.problems.append("kprobe verify: status %d\n%s" % (verify.returncode, verify.stdout.decode()[-1500:]))

    def known(self, what, name):
        return any(row.application == self.application.name and row.engine == self.used and row.what == what and
                   name.startswith(row.name) for row in KNOWN)

    def differences(self, plain, traced):
        return ["%s: %s without the shim, %s with it" % (name, plain.get(name, "absent"), traced.get(name, "absent"))
                for name in sorted(set(plain) | set(traced)) if plain.get(name) != traced.get(name) and
                not self.known("verdict", name)]

    def check(self):
        """Adds to `problems`; returns tests that count and the slowdown."""
        plain, before = self.run(False)
        traced, after = self.run(True)
        found = self.differences(plain, traced)
        if found:
            again_plain, again_traced = self.run(False)[0], self.run(True)[0]
            steady = {name for name in set(plain) | set(traced) if plain.get(name) == again_plain.get(name) and
                      traced.get(name) == again_traced.get(name)}
            found = self.differences({name: plain[name] for name in steady if name in plain},
                                     {name: traced[name] for name in steady if name in traced})
        if not any(verdict == "passed" for verdict in plain.values()):
            self.problems.append("no test passed without the shim")
        self.problems += found
        return len(plain) - 1, after / before


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--tools", default=os.path.join(TOP, "build/release/bin"), help="folder of kprobe and libkprobe.so")
    parser.add_argument("--python", action="append", help="only this interpreter (may be given several times)")
    parser.add_argument("--engine", default="auto", help="KPROBE_ENGINE")
    parser.add_argument("--fetch", action="store_true", help="install what is missing and stop")
    parser.add_argument("applications", nargs="*", help="only these")
    options = parser.parse_args()
    chosen = [row for row in APPLICATIONS if not options.applications or row.name in options.applications]
    pythons, results = options.python or one_of_each_minor(OLDEST), []
    if options.fetch:
        for application in chosen:
            fetch(application)
        for python in pythons:
            subprocess.run([PACKAGES, "applications", python], stdout=subprocess.DEVNULL, check=True)
        return 0
    print("%-10s %-10s %-12s %7s %11s %13s %9s" % (
        "CPython", "suite", "engine", "tests", "differences", "calls", "slowdown"), flush=True)
    for python in pythons:
        for application in chosen:
            suite = Suite(application, python, os.path.abspath(options.tools), options.engine)
            why = suite.missing()
            if why:
                print("skipped: %s on %s: %s" % (application.name, python, why), flush=True)
                continue
            tests, slowdown = suite.check()
            results.append(suite.problems)
            print("%-10s %-10s %-12s %7d %11d %13s %8.2fx" % (
                "%d.%d" % corpus.version_of(python), application.name, suite.used, tests, len(suite.problems),
                format(suite.calls, ","), slowdown), flush=True)
            for line in suite.problems:
                print("    " + line.replace("\n", "\n    "), flush=True)
    return 1 if any(results) else 0 if results else 77


if __name__ == "__main__":
    sys.exit(main())

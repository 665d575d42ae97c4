#!/usr/bin/env python3
"""CPython's own regression tests, with and without the shim: the same verdict, test by test.

Without names: a short list that touches what a tracer could disturb. --all is the long form. Exit status 77 when the
interpreter has no `test` package.
"""
import argparse
import concurrent.futures
import json
import os
import signal
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

SHORT = """test_generators test_coroutines test_asyncgen test_sys_settrace test_sys_setprofile test_gc test_code test_frame
test_fork1 test_weakref test_contextlib test_traceback test_threading test_audit test_faulthandler""".split()

LIMIT_S = 1500

# (engine, beginning of a test's name, why its verdict differs)
KNOWN = [
    ("monitoring", "test.test_monitoring.", "it asserts that no tool has any event set, and we are a tool"),
]


def verdict(case):
    for kind in ("failure", "error", "skipped"):
        if case.find(kind) is not None:
            return kind
    return "passed"


def run_session(command, folder, environment):
    """In a session of its own: children that are left when time is up are ended as well."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output,
                                   stderr=subprocess.STDOUT, start_new_session=True)
        try:
            status = process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        output.seek(0)
        return subprocess.CompletedProcess(command, status, output.read())


def run(python, tests, folder, environment):
    report = os.path.join(folder, "report.xml")
    if os.path.exists(report):
        os.unlink(report)
    process = run_session([python, "-m", "test", "--junit-xml", report] + tests, folder, environment)
    if not os.path.exists(report):
        return None, process
    verdicts = {}
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        verdicts[case.get("name") or "the module"] = verdict(case)
    return verdicts, process


def traced_environment(tools, folder, engine):
    return dict(os.environ, LD_PRELOAD=os.path.join(tools, "libkprobe.so"), KPROBE_ENGINE=engine,
                KPROBE_OUTPUT="file:" + os.path.join(folder, "trace.%p.kpt"))


def give_memory_back(tools, folder):
    """Tests that kill their children leave shared memory behind."""
    kprobe = os.path.join(tools, "kprobe")
    listed = subprocess.run([kprobe, "recover", "--list", "--json"], check=True, capture_output=True).stdout
    outputs = [row["output"] for row in json.loads(listed) if row["output"].startswith(folder) and not row["alive"]]
    if outputs:
        subprocess.run([kprobe, "recover", "--discard"] + outputs, capture_output=True)


def engine_of(python, tools, engine):
    """The engine that records when this one is asked for: the library's choice."""
    with tempfile.TemporaryDirectory() as folder:
        environment = traced_environment(tools, folder, engine)
        subprocess.run([python, "-c", "pass"], check=True, env=environment)
        trace = os.path.join(folder, os.listdir(folder)[0])
        told = subprocess.run([os.path.join(tools, "kprobe"), "info", "--json", trace], check=True, capture_output=True)
        return json.loads(told.stdout)["processes"][0]["engine"]


def reason(engine, name):
    for row_engine, start, why in KNOWN:
        if row_engine == engine and name.startswith(start):
            return why
    return None


def compare(plain, traced, engine):
    """Differences that nobody expects, and the number of those somebody does."""
    wrong, known = [], 0
    for name in sorted(set(plain) | set(traced)):
        before, after = plain.get(name, "absent"), traced.get(name, "absent")
        if before == after:
            continue
        if reason(engine, name):
            known += 1
        else:
            wrong.append("%s: %s without the shim, %s with it" % (name, before, after))
    return wrong, known


def all_tests(python):
    listed = subprocess.run([python, "-m", "test", "--list-tests"], check=True, capture_output=True, text=True).stdout
    # The interpreter's own list names packages of tests by their parts from 3.12 on.
    return sorted(set(line.strip() for line in listed.splitlines() if line.startswith("test")))


class Module:
    """One test module of the long form, run by itself."""

    def __init__(self, name, python, tools, engine, used):
        self.name, self.python, self.tools, self.engine, self.used = name, python, tools, engine, used

    def verdicts(self, traced):
        with tempfile.TemporaryDirectory(prefix="kprobe-fidelity-") as folder:
            environment = traced_environment(self.tools, folder, self.engine) if traced else None
            try:
                found, process = run(self.python, [self.name], folder, environment)
            except subprocess.TimeoutExpired:
                return {self.name: "time-out"}
            finally:
                give_memory_back(self.tools, folder)
            return {self.name: "status %d" % process.returncode} if found is None else found

    def check(self):
        """Tests, differences, known ones, flaky ones. Whatever differs runs again both ways, and counts when the plain runs
        agree and the traced ones do too."""
        plain, traced = self.verdicts(False), self.verdicts(True)
        wrong, known = compare(plain, traced, self.used)
        if not wrong:
            return len(plain), [], known, 0
        again_plain, again_traced = self.verdicts(False), self.verdicts(True)
        steady = {name: verdict for name, verdict in plain.items() if again_plain.get(name) == verdict}
        both = {name: verdict for name, verdict in traced.items() if name in steady and again_traced.get(name) == verdict}
        # A test that is absent from every run of one kind differs as well.
        absent = {name for name in steady if name not in traced and name not in again_traced}
        added = {name for name in traced if name in again_traced and name not in plain and name not in again_plain}
        names = set(both) | absent
        lasting, known = compare({name: steady[name] for name in names}, {name: traced[name] for name in set(both) | added},
                                 self.used)
        return len(plain), lasting, known, len(wrong) - len(lasting)


def long_form(python, tools, engine, names, jobs):
    used = engine_of(python, tools, engine)
    totals, differences = [0, 0, 0], []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        modules = [Module(name, python, tools, engine, used) for name in names or all_tests(python)]
        for module, (count, wrong, known, flaky) in zip(modules, pool.map(Module.check, modules)):
            totals = [old + new for old, new in zip(totals, (count, known, flaky))]
            differences += wrong
            print("%-40s %5d tests%s" % (module.name, count, ", %d not the same twice" % flaky if flaky else ""), flush=True)
            for line in wrong:
                print("    " + line, flush=True)
    print("%s, %s: %d tests, %d with another verdict, %d expected to, %d not the same twice" % (
        python, used, totals[0], len(differences), totals[1], totals[2]))
    print("\n".join(differences))
    return 1 if differences else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tools", required=True, help="folder of kprobe and libkprobe.so")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--engine", default="auto", help="KPROBE_ENGINE")
    parser.add_argument("--all", action="store_true", help="every test module (or those named) by itself, and again what differs")
    parser.add_argument("--jobs", type=int, default=1, help="with --all: modules at the same time")
    parser.add_argument("tests", nargs="*")
    arguments = parser.parse_args()
    tests = arguments.tests or SHORT
    tools = os.path.abspath(arguments.tools)
    if subprocess.run([arguments.python, "-c", "import test.support, test.test_gc"], capture_output=True).returncode:
        print("skipped: %s has no test package" % arguments.python)
        return 77
    if arguments.all:
        return long_form(arguments.python, tools, arguments.engine, arguments.tests, arguments.jobs)
    engine = engine_of(arguments.python, tools, arguments.engine)
    with tempfile.TemporaryDirectory() as folder:
        plain, process = run(arguments.python, tests, folder, None)
        if plain is None:
            print("skipped: the tests do not run here even without the shim: %s" % process.stdout[-300:])
            return 77
        traced, process = run(arguments.python, tests, folder, traced_environment(tools, folder, arguments.engine))
        give_memory_back(tools, folder)
    if traced is None:
        print("with the shim there is no result: status %d\n%s" % (
            process.returncode, process.stdout.decode(errors="replace")[-3000:]))
        return 1
    wrong, known = compare(plain, traced, engine)
    print("%s, %s: %d tests, %d with another verdict, %d expected to" % (
        arguments.python, engine, len(plain), len(wrong), known))
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""CPython's own regression tests, with and without the shim: the same verdict, test by test.

Without names: a short list that touches what a tracer could disturb. Exit status 77 when the interpreter has no `test` package.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

SHORT = """test_generators test_coroutines test_asyncgen test_sys_settrace test_sys_setprofile test_gc test_code test_frame
test_fork1 test_weakref test_contextlib test_traceback test_threading test_audit test_faulthandler""".split()

# (engine, beginning of a test's name, why its verdict differs)
KNOWN = [
    ("monitoring", "test.test_monitoring.", "it asserts that no tool has any event set, and we are a tool"),
]


def verdict(case):
    for kind in ("failure", "error", "skipped"):
        if case.find(kind) is not None:
            return kind
    return "passed"


def run(python, tests, folder, environment):
    report = os.path.join(folder, "report.xml")
    if os.path.exists(report):
        os.unlink(report)
    process = subprocess.run([python, "-m", "test", "--junit-xml", report] + tests, cwd=folder, env=environment,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=1500)
    if not os.path.exists(report):
        return None, process
    verdicts = {}
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        verdicts[case.get("name")] = verdict(case)
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


def engine_of(python):
    version = subprocess.run([python, "-c", "import sys; print(sys.version_info[1])"], check=True, capture_output=True)
    return "monitoring" if int(version.stdout) >= 12 else "frame"


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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tools", required=True, help="folder of kprobe and libkprobe.so")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("tests", nargs="*")
    arguments = parser.parse_args()
    tests = arguments.tests or SHORT
    tools = os.path.abspath(arguments.tools)
    if subprocess.run([arguments.python, "-c", "import test.support, test.test_gc"], capture_output=True).returncode:
        print("skipped: %s has no test package" % arguments.python)
        return 77
    engine = engine_of(arguments.python)
    with tempfile.TemporaryDirectory() as folder:
        plain, process = run(arguments.python, tests, folder, None)
        if plain is None:
            print("skipped: the tests do not run here even without the shim: %s" % process.stdout[-300:])
            return 77
        traced, process = run(arguments.python, tests, folder, traced_environment(tools, folder, engine))
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

#!/usr/bin/env python3
"""Generated Python and Perl: code for the models of this folder and for Kieker's is made, and its tests are run.

    script.py --kprobe PROGRAM python [INTERPRETER]    generated_python.py, by an interpreter
    script.py --kprobe PROGRAM perl                    generated_perl.t
    script.py --kprobe PROGRAM pack                    pack.py: with Kieker's own Python pack
    script.py --kprobe PROGRAM hints                   a type checker
    script.py --kprobe PROGRAM output                  what is written into the folder

Exit status: 77 when something is not there.
"""
import argparse
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
MODELS = os.path.join(TOP, "irl", "models")
sys.path.insert(0, os.path.join(TOP, "tests"))
from interpreters import interpreters  # noqa: E402

MARK = "# Package of generated records.\n"


def run(command, **environment):
    """Bounded, because wrong code may loop or want all memory. Sanitisers reserve more than there is."""
    bound = [] if os.environ.get("KP_SANITIZED") else ["prlimit", "--as=4000000000"]
    done = subprocess.run(bound + command, timeout=300, env=dict(os.environ, **environment),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode not in (0, 77):
        print(done.stdout.decode(errors="replace"))
        sys.exit("%s ended with %d" % (" ".join(command[:8]), done.returncode))
    return done


def generate(kprobe, language, folder, *models):
    run([kprobe, "irl", "--lang", language, "-o", folder, *models])


def files_below(folder):
    return sorted(os.path.relpath(os.path.join(parent, name), folder) for parent, _, names in os.walk(folder) for name in names)


def check_python(kprobe, folder, interpreter):
    generate(kprobe, "python", folder, HERE, MODELS)
    run([interpreter, "-W", "error", "-m", "compileall", "-q", folder])
    print(run([interpreter, "-W", "error", os.path.join(HERE, "generated_python.py")], PYTHONPATH=folder).stdout.decode())


def check_perl(kprobe, folder):
    generate(kprobe, "perl", folder, HERE, MODELS)
    modules = [os.path.join(folder, name) for name in files_below(folder) if name.endswith(".pm")]
    for module in modules:
        found = run(["perl", "-I", folder, "-wc", module]).stdout.decode()
        if found != module + " syntax OK\n":
            sys.exit("perl -c: " + found)
    if not run(["sh", "-c", "command -v podchecker || exit 77"]).returncode:
        run(["podchecker", "-warnings", *modules])
    print(run(["perl", "-w", os.path.join(HERE, "generated_perl.t")], PERL5LIB=folder).stdout.decode())


def installed(packages):
    """An interpreter that packages were installed for, and their folder."""
    for interpreter in [sys.executable] + interpreters():
        found = subprocess.run([os.path.join(TOP, "scripts", "python-packages"), "--find", packages, interpreter],
                               stdout=subprocess.PIPE, timeout=60)
        if not found.returncode:
            return interpreter, found.stdout.decode().strip()
    print("skipped: scripts/python-packages %s %s was not run, or could not install" % (packages, sys.executable))
    sys.exit(77)


def check_hints(kprobe, folder):
    """By a strict type checker, as Python 3.8."""
    interpreter, checker = installed("hints")
    code = os.path.join(folder, "code")
    generate(kprobe, "python", code, HERE, MODELS)
    print(run([interpreter, "-m", "mypy", "--strict", "--python-version", "3.8", "--no-error-summary", "--cache-dir",
               os.path.join(folder, "cache"), *(os.path.join(code, name) for name in files_below(code))],
              PYTHONPATH=checker, MYPYPATH=code).stdout.decode())


def check_pack(kprobe, folder):
    interpreter, pack = installed("kieker")
    generate(kprobe, "python", folder, HERE, MODELS)
    print(run([interpreter, os.path.join(HERE, "pack.py")], PYTHONPATH=folder + os.pathsep + pack).stdout.decode())


def expect(condition, what):
    if not condition:
        sys.exit("FAIL: " + what)


def text_of(*path):
    with open(os.path.join(*path)) as file:
        return file.read()


def check_output(kprobe, folder):
    """Runs into one folder and into several; files of others; what comes along from the models that are built in."""
    one, other, own, user = (os.path.join(folder, name) for name in ("one", "other", "own", "user.irl"))
    with open(user, "w") as model:
        model.write("package kieker.mine\nimport kieker.common.record.flow.trace.operation.BeforeOperationEvent\n"
                    "event Mine extends BeforeOperationEvent { int more }\n")
    os.makedirs(os.path.join(one, "demo"))
    with open(os.path.join(one, "demo", "__init__.py"), "w") as foreign:
        foreign.write("# mine\n")
    generate(kprobe, "python", one, HERE)
    expect(text_of(one, "demo", "__init__.py") == "# mine\n", "a foreign __init__.py was overwritten")
    expect(text_of(one, "demo", "every", "__init__.py").startswith(MARK), "a package has no __init__.py")

    before = {name: text_of(one, name) for name in files_below(one)}
    generate(kprobe, "python", one, user)
    expect(all(text_of(one, name) == text for name, text in before.items()), "a second run changed files of the first")
    generate(kprobe, "python", one, HERE)
    expect(all(text_of(one, name) == text for name, text in before.items()), "the same run made other files")

    # A model that extends one of Kieker's: its classes come along, and packages in two folders are one.
    generate(kprobe, "python", other, user)
    came = [name for name in files_below(other) if name.startswith("kieker/common") and not name.endswith("__init__.py")]
    expect(sorted(os.path.basename(name) for name in came) ==
           ["AbstractEvent.py", "AbstractOperationEvent.py", "AbstractTraceEvent.py", "BeforeOperationEvent.py", "IClassSignature.py",
            "IEventRecord.py", "IFlowRecord.py", "IOperationRecord.py", "IOperationSignature.py", "ITraceRecord.py"],
           "came along: %s" % came)
    generate(kprobe, "python", own, MODELS)
    program = ("from kieker.mine.Mine import Mine; from kieker.common.record.system.CPUUtilizationRecord import CPUUtilizationRecord;"
               "assert Mine.VALUE_NAMES[-1] == 'more' and CPUUtilizationRecord() == CPUUtilizationRecord()")
    run([sys.executable, "-c", program], PYTHONPATH=other + os.pathsep + own)
    run([sys.executable, "-c", program], PYTHONPATH=own + os.pathsep + other)
    print("output: fine")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kprobe", required=True)
    parser.add_argument("part", choices=["python", "perl", "pack", "hints", "output"])
    parser.add_argument("interpreter", nargs="?", default=sys.executable)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kprobe-irl-") as folder:
        if options.part == "python":
            check_python(options.kprobe, folder, options.interpreter)
        else:
            {"perl": check_perl, "pack": check_pack, "hints": check_hints,
             "output": check_output}[options.part](options.kprobe, folder)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""The Java that `kprobe irl` makes, with Kieker's own classes (scripts/kieker-jars):

  compare   the classes made from Kieker's models are Kieker's own, as far as a program can see
  exchange  records go from these classes to Kieker's and back, in binary and in text
  types     classes for all that a model can say (types.irl) do what they must (TypesTest.java)
  log       Kieker's controller writes their records into logs and to a socket, and Kieker's analysis reads them

  java.py --kprobe PROGRAM [--keep DIR] CASE
All generated code and all tests compile with every warning of javac as an error. Exit status 77: no Java, or no jars of Kieker.
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, "..", "..", "..")
MODELS = os.path.join(TOP, "irl", "models")
TIMEOUT_S = 300


def run(command):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        sys.exit("FAIL: %s did not end in %d s" % (" ".join(command[:6]), TIMEOUT_S))
    output = done.stdout.decode(errors="replace")
    if done.returncode:
        sys.exit("FAIL: %s ended with %d:\n%s" % (" ".join(command[:6]), done.returncode, output[:4000]))
    return output


def files_below(folder, ending):
    return sorted(os.path.join(parent, name) for parent, _, names in os.walk(folder) for name in names if name.endswith(ending))


class Java:
    """Generated sources, their classes, and those of the tests, in one folder."""

    def __init__(self, kprobe, class_path, folder):
        self.kprobe, self.jars, self.folder = kprobe, class_path, folder
        self.generated = os.path.join(folder, "generated")
        self.tests = os.path.join(folder, "tests")
        self.kieker = next(jar for jar in class_path.split(":") if os.path.basename(jar).startswith("kieker-"))

    def compile(self, target, sources, class_path):
        # Manifests of other people's jars name jars that are not there (path); they have annotations that are not (classfile).
        run(["javac", "-Xlint:all,-path,-classfile", "-Werror", "-d", target, "-cp", class_path, *sources])

    def generate(self, models, include=()):
        sources = os.path.join(self.folder, "sources")
        command = [self.kprobe, "irl", "--lang", "java", "-o", sources, *models]
        for path in include:
            command += ["-I", path]
        run(command)
        self.compile(self.generated, files_below(sources, ".java"), self.jars)

    def run_test(self, name, *arguments, with_generated=True):
        class_path = os.pathsep.join([self.generated] * with_generated + [self.jars])
        self.compile(self.tests, [os.path.join(HERE, name + ".java")], class_path)
        # A character that is no ASCII must not depend on where the test runs.
        print(run(["java", "-Xmx512m", "-Dfile.encoding=US-ASCII", "-cp", self.tests + os.pathsep + class_path, name, *arguments]), end="")


def compare(java):
    java.generate([MODELS])
    java.run_test("CompareClasses", java.generated, java.kieker, with_generated=False)


def exchange(java):
    java.generate([MODELS])
    factories = [os.path.relpath(path, java.generated) for path in files_below(java.generated, "Factory.class")]
    names = [path[:-len("Factory.class")].replace(os.sep, ".") for path in factories]
    published = [name for name in names if not name.startswith("kieker.tools.opad.")]
    java.run_test("ExchangeRecords", java.generated, java.jars, "1", *published, with_generated=False)


def types(java):
    java.generate([HERE])
    java.run_test("TypesTest")


def log(java):
    java.generate([HERE])
    java.run_test("LogRecords", os.path.join(java.folder, "logs"))


CASES = {case.__name__: case for case in (compare, exchange, types, log)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kprobe", default=os.environ.get("KPROBE", "kprobe"))
    parser.add_argument("--keep", metavar="DIR")
    parser.add_argument("case", choices=CASES)
    options = parser.parse_args()
    for tool in ("javac", "java"):
        if not shutil.which(tool):
            print("skipped: no %s" % tool)
            sys.exit(77)
    jars = subprocess.run([os.path.join(TOP, "scripts", "kieker-jars"), "--find"], stdout=subprocess.PIPE, timeout=TIMEOUT_S)
    if jars.returncode:
        print("skipped: Kieker's jars are not there (scripts/kieker-jars fetches them)")
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="kprobe-java-") as temporary:
        CASES[options.case](Java(options.kprobe, jars.stdout.decode().strip(), options.keep or temporary))


if __name__ == "__main__":
    main()

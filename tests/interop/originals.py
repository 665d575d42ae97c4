"""Kieker's own programs: their jars, our small main classes around what is published of them, and what they print."""
import fcntl
import glob
import hashlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from collections import Counter

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
SOURCES = os.path.join(HERE, "java")
MAIN_1_13 = "kieker.tools.traceAnalysis.TraceAnalysisTool"
TIMEOUT_S = 120
# Manifests of other people's jars name jars that are not there (path); they have annotations that are not (classfile). Kieker's
# trace analysis is built on classes that Kieker has deprecated.
LINT = "-Xlint:all,-path,-classfile,-deprecation"
# What Kieker says in every run, whatever the log.
HARMLESS = re.compile("Received more than one signal|New unknown event type kieker.common.record.misc.KiekerMetadataRecord"
                      "|'META-INF/kieker.monitoring.properties' not found|Could not load verbose/debug logger|Unknown decoration name 'none'"
                      "|Events of type 'SplitEvent' are currently not handled")
TASKS_1_13 = ["--print-Message-Traces", "--print-Execution-Traces", "--print-invalid-Execution-Traces", "--print-System-Model",
              "--print-Deployment-Equivalence-Classes", "--print-Assembly-Equivalence-Classes"]
PLOTS_1_13 = ["--plot-Call-Trees", "--plot-Aggregated-Deployment-Call-Tree", "--plot-Aggregated-Assembly-Call-Tree",
              "--plot-Deployment-Sequence-Diagrams", "--plot-Assembly-Sequence-Diagrams", "--plot-Container-Dependency-Graph",
              "--plot-Deployment-Component-Dependency-Graph", "none", "--plot-Assembly-Component-Dependency-Graph", "none",
              "--plot-Deployment-Operation-Dependency-Graph", "responseTimes-us", "--plot-Assembly-Operation-Dependency-Graph", "none",
              "--short-labels"]


def skip(why):
    print("skipped: " + why)
    sys.exit(77)


def run(command, **options):
    """What it printed; its complaints are ours."""
    options.setdefault("timeout", TIMEOUT_S)
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, **options)
    except subprocess.TimeoutExpired:
        sys.exit("FAIL: %s did not end in %d s" % (" ".join(command[:8]), options["timeout"]))
    if done.returncode:
        sys.exit("FAIL: %s ended with %d:\n%s%s" % (" ".join(command[:8]), done.returncode, done.stdout.decode(errors="replace")[-2000:],
                                                    done.stderr.decode(errors="replace")[-4000:]))
    return done


def packages(name, python=sys.executable):
    """The folder of packages from PyPI that scripts/setup installed."""
    done = subprocess.run([os.path.join(TOP, "scripts", "python-packages"), "--find", name, python], stdout=subprocess.PIPE)
    if done.returncode:
        skip("the packages are not installed: scripts/python-packages %s %s" % (name, python))
    return done.stdout.decode().strip()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


def is_listening(port):
    for name in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(name, encoding="ascii") as file:
            if any(line.split()[1].endswith(":%04X" % port) and line.split()[3] == "0A" for line in file):
                return True
    return False


def wait_for_listener(process, port):
    """Kieker's receiver says nothing when it listens, and a connection to try it would be one of its peers."""
    end = time.monotonic() + TIMEOUT_S
    while not is_listening(port):
        assert process.poll() is None, "the receiver has ended"
        assert time.monotonic() < end, "the receiver does not listen"
        time.sleep(0.02)


def class_path(name):
    done = subprocess.run([os.path.join(TOP, "scripts", "kieker-jars"), "--find", name], stdout=subprocess.PIPE)
    if done.returncode:
        skip("Kieker's jars are not there: scripts/kieker-jars %s" % name)
    return done.stdout.decode().strip()


def record_classes(jars):
    """Kieker's records: those that have a factory. (RegistryRecord is no record of a log.)"""
    kieker = next(jar for jar in jars.split(":") if os.path.basename(jar).startswith("kieker-"))
    inside = set(zipfile.ZipFile(kieker).namelist())
    names = [name[:-len("Factory.class")] for name in inside if name.startswith("kieker/common/record/") and name.endswith("Factory.class")]
    return [name.replace("/", ".") for name in sorted(names) if name + ".class" in inside and not name.endswith("/RegistryRecord")]


class Java:
    """Main classes from java/, compiled once for a build, with the jars of one list."""

    def __init__(self, work, jars="kieker", sources=None):
        for tool in ("java", "javac"):
            if not shutil.which(tool):
                skip("no %s" % tool)
        self.jars = class_path(jars)
        paths = sorted(glob.glob(os.path.join(SOURCES, "*.java"))) if sources is None else [os.path.join(SOURCES, name) for name in sources]
        self.classes = self.compile(work, paths) if paths else None
        self.path = os.pathsep.join(filter(None, [self.classes, self.jars]))

    def compile(self, work, paths):
        digest = hashlib.sha256(self.jars.encode())
        for path in paths:
            with open(path, "rb") as file:
                digest.update(file.read())
        classes = os.path.join(work, "classes-" + digest.hexdigest()[:12])
        os.makedirs(work, exist_ok=True)
        with open(classes + ".lock", "w", encoding="ascii") as lock:  # tests run at the same time
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not os.path.isdir(classes):
                run(["javac", LINT, "-Werror", "-encoding", "UTF-8", "-d", classes + ".new", "-cp", self.jars] + paths)
                os.rename(classes + ".new", classes)
        return classes

    def command(self, main, *arguments, properties=(), path=None, agent=None, heap="512m"):
        agents = ["-javaagent:" + agent] if agent else []
        return ["java", "-Xmx" + heap, "-XX:+UseSerialGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                *agents, *("-D" + name for name in properties), "-cp", path or self.path, main, *arguments]

    def run(self, main, *arguments, **options):
        """What it printed. Errors that it only logged are failures."""
        done = run(self.command(main, *arguments, **options))
        complaints = [line for line in done.stderr.decode(errors="replace").splitlines()
                      if re.search(r"\b(ERROR|WARN|WARNING|SEVERE|FATAL)\b|Exception|Error", line) and not HARMLESS.search(line)]
        if complaints:
            sys.exit("FAIL: %s: %s" % (main, "\n".join(complaints[:20])))
        return done.stdout.decode("utf-8")


AOP = """<aspectj>
  <weaver><include within="Shop"/><include within="Shop.*"/></weaver>
  <aspects><aspect name="kieker.monitoring.probe.aspectj.flow.operationExecution.FullInstrumentation"/></aspects>
</aspectj>
"""


def with_probes(options, folder, arguments, properties):
    """(agent, command) that runs one of our programs under Kieker's probes for Java."""
    java, jars = Java(options.work), class_path("kieker-aspectj")
    agent = next(jar for jar in jars.split(":") if jar.endswith("-aspectj.jar"))
    os.makedirs(os.path.join(folder, "META-INF"))
    with open(os.path.join(folder, "META-INF", "aop.xml"), "w", encoding="ascii") as file:
        file.write(AOP)
    properties = [*properties, "kieker.monitoring.skipDefaultAOPConfiguration=true"]
    return agent, java.command(*arguments, properties=properties, agent=agent, path=os.pathsep.join([folder, java.classes, jars]))


EXECUTION = re.compile(r"<(-?\d+)\[(\d+),(\d+)\] (\d+)-(\d+) (.*)::@\d+:(\S+) (.*?)>$")


class Analysis:
    """What trace analysis made of a log."""

    def __init__(self, folder):
        self.folder = folder
        self.files = sorted(os.listdir(folder))
        self.invalid = self.text("invalidTraceArtifacts.txt").strip()
        self.traces, self.calls, self.executions = 0, Counter(), []
        for line in self.text("executionTraces.txt").splitlines():
            if line.startswith("TraceId "):
                self.traces += 1
            elif line:
                found = EXECUTION.match(line.replace(" (assumed)>", ">"))
                assert found, "an execution that is not understood: " + line
                trace, order, depth, begin, end, host, name, session = found.groups()
                self.executions.append((int(trace), int(order), int(depth), int(begin), int(end), host, name, session))
                self.calls[name] += 1
        self.executions.sort()

    def text(self, name):
        with open(os.path.join(self.folder, name), encoding="utf-8", errors="replace") as file:
            return file.read()

    def messages(self):
        return sorted(line for line in self.text("messageTraces.txt").splitlines() if line.startswith("<"))


def analyse_2(java, jobs):
    """`jobs`: (log, folder, with plots?), all in one run. What was made of each."""
    arguments = [word for log, folder, plots in jobs for word in (folder, "plots" if plots else "texts", log)]
    printed = java.run("TraceAnalysis", *arguments).splitlines()
    found = []
    for (log, folder, _), line in zip(jobs, printed):
        numbers = re.fullmatch(r"traces (\d+) executions (\d+) invalid (\d+)", line).groups()
        found.append(Analysis(folder))
        assert list(map(int, numbers[:2])) == [found[-1].traces, len(found[-1].executions)], "%s: %s" % (log, line)
        found[-1].invalid += "" if numbers[2] == "0" else "%s invalid traces" % numbers[2]
    assert len(found) == len(jobs), printed
    return found


def analyse_1_13(java, log, folder, plots=False):
    os.makedirs(folder)
    java.run(MAIN_1_13, "-i", log, "-o", folder, *TASKS_1_13, *(PLOTS_1_13 if plots else []))
    return Analysis(folder)

"""What a call pair costs in instructions and clock reads, by callgrind: of kprobe's engines, of functions in C, of peers.

Net is what a probe adds to the same program without it. Programs are in moobench/counted.
"""
import concurrent.futures
import dataclasses
import json
import os
import shutil
import subprocess
import tempfile

import limits
import measuring
import peers
from harness import callgrind, context, model, native, plan, python_driver

WARM_UP, CALLS = 5000, 10000
COUNTED = os.path.join(context.MOOBENCH, "counted")
PROGRAMS = {"calls": "calls.py", "unwinds": "unwinds.py", "builtin": "builtin_calls.py", "peer": "peer.py"}

# Options of kprobe, and whether the counted calls are recorded (None: there is no trace). The rule leaves out what is called
# and nothing else: a process that no rule can match is not traced at all.
STATES = {
    limits.TRACED: ({}, True),
    limits.FILTERED: ({"FILTER": "-__main__.descend,-__main__.fail"}, False),
    limits.OFF: ({"ENABLED": "0"}, None),
}

# Functions in C: program, options.
RULE = "%s:monitored_method" % native.LIBRARY
NATIVE = {
    "c": ("plt", {"FILTER": RULE}),
    "c.inside": ("inside", {"FILTER": RULE, "INLINE": "1"}),
    "builtin": ("builtin", {"FILTER": "-*,c:math.fabs"}),
}

# What configurations of moobench/peers those states are. Where events go to is the writer's work, not the calling thread's.
CONFIGURATIONS = {limits.TRACED: ["null", "file"], limits.FILTERED: ["inactive"], limits.OFF: ["disabled"]}

# Peers that run under valgrind: probe of the Python driver, its settings, list of packages.
PEERS = {
    "viztracer.python": ("viztracer", {"entries": "100000", "c": "no"}, "peers"),
    "viztracer.all": ("viztracer", {"entries": "100000", "c": "yes"}, "peers"),
    "cprofile": ("cprofile", {}, None),
    "setprofile": ("setprofile", {}, None),
    "monitoring": ("monitoring", {}, None),
    "kieker-python.inactive.1": ("kieker", {"approach": "1", "mode": "dummy", "inactive": "yes"}, "kieker"),
    "kieker-python.inactive.2": ("kieker", {"approach": "2", "mode": "dummy", "inactive": "yes"}, "kieker"),
    "kieker-python.dummy.1": ("kieker", {"approach": "1", "mode": "dummy", "inactive": "no"}, "kieker"),
    "kieker-python.dummy.2": ("kieker", {"approach": "2", "mode": "dummy", "inactive": "no"}, "kieker"),
}

# Calls of a program's start and end that a trace may have beside the counted ones.
OTHER_CALLS = 4000


@dataclasses.dataclass
class Count:
    """Of one configuration: net and a call pair. `base` is what the untraced program takes."""
    name: str
    version: str
    state: str
    instructions: float
    clock_reads: float
    base: float
    profile: callgrind.Profile = dataclasses.field(repr=False, default=None)
    plain: callgrind.Profile = dataclasses.field(repr=False, default=None)


class Bench:
    """Counts with the library in `tools`; what the runs share is in a folder that goes with the bench."""

    def __init__(self, tools):
        self.shim = measuring.library(tools)
        self.kprobe = os.path.join(os.path.dirname(self.shim), "kprobe")
        self.folder = tempfile.mkdtemp(prefix="kprobe-counting-")
        self.counter = callgrind.Counter(self.folder)
        self.pool = concurrent.futures.ThreadPoolExecutor(2)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """What still runs is of no use to anybody: an exception, or a signal, ends it."""
        self.counter.stop()
        self.pool.shutdown(cancel_futures=True)
        shutil.rmtree(self.folder)

    def python_program(self, python, name):
        return [python, "-S", os.path.join(COUNTED, PROGRAMS[name])]

    def native_program(self, variant):
        """The program that calls the library of the driver in C."""
        place = os.path.dirname(native.driver(self.folder, variant))
        program = os.path.join(place, "calls")
        subprocess.run([shutil.which(os.environ.get("CC", "cc")), "-O2", "-o", program, os.path.join(COUNTED, "calls.c"),
                        "-I" + native.SOURCES, "-L" + place, "-lmonitored", "-Wl,-rpath,$ORIGIN"], check=True)
        return [program]

    def plain(self, program, more=(), environment=None):
        return self.pool.submit(self.profile, program, environment or measuring.environment(), more)

    def traced(self, program, recorded, **options):
        """`recorded`: whether the calls must be in the trace; None: there must be no trace."""
        return self.pool.submit(self.traced_profile, program, recorded, options)

    def profile(self, program, environment, more=()):
        profile, printed, said = self.counter.run(program + [str(WARM_UP), str(CALLS)] + list(more), environment)
        if printed != "%d\n" % CALLS:
            raise callgrind.Failure("%s under valgrind: %s %s" % (program, printed, said))
        return profile, said

    def traced_profile(self, program, recorded, options):
        trace = os.path.join(tempfile.mkdtemp(dir=self.folder), "trace.kpt")
        # Valgrind's processor says nothing of an invariant counter; real ones have it, so that is the clock measured.
        environment = measuring.environment(self.shim, OUTPUT="file:" + trace, CLOCK="tsc", **options)
        profile, said = self.profile(program, environment)
        self.verify(trace, recorded, options, said)
        return profile, said

    def verify(self, trace, recorded, options, said):
        """Nothing is cheaper than a library that gave up, or another engine."""
        if not os.path.exists(trace):
            if recorded is None:
                return
            raise callgrind.Failure("nothing was traced under valgrind: %s" % said.strip())
        facts = json.loads(subprocess.run([self.kprobe, "info", "--json", trace], check=True, capture_output=True).stdout)
        engine = facts["processes"][0]["engine"]
        if "ENGINE" in options and engine != options["ENGINE"]:
            raise callgrind.Failure("%s did not trace under valgrind: %s" % (options["ENGINE"], said.strip()))
        calls = facts["calls"] + facts["calls_lost"] - (WARM_UP + CALLS if recorded else 0)
        if recorded is None or not 0 <= calls < OTHER_CALLS:
            raise callgrind.Failure("%d calls are in the trace (%s)" % (facts["calls"] + facts["calls_lost"], options))


def count(name, version, state, plain, traced):
    (before, _), (after, _) = plain.result(), traced.result()
    return Count(name, version, state, (after.total - before.total) / CALLS,
                 (after.clock_reads() - before.clock_reads()) / CALLS, before.total / CALLS, after, before)


def names_of(name, state):
    """The configurations that such a count is of."""
    return ["kprobe.%s.%s" % (name, kind) for kind in CONFIGURATIONS[state]]


def is_wanted(name, state, only):
    return any(plan.matches(one, only) for one in names_of(name, state))


def python_counts(bench, python, engines, program="calls", states=tuple(STATES), only=None):
    """Of one interpreter; `only` are patterns of configurations, None: all of them. All runs are started before the first is waited for."""
    chosen = [(engine, state) for engine in engines for state in states if is_wanted(engine, state, only)]
    if not chosen:
        return []
    command = bench.python_program(python, program)
    plain = bench.plain(command)
    cells = [(engine, state, bench.traced(command, STATES[state][1], ENGINE=engine, **STATES[state][0])) for engine, state in chosen]
    return [count(engine, measuring.version_of(python), state, plain, traced) for engine, state, traced in cells]


def native_counts(bench, python, names=tuple(NATIVE), only=None):
    """Of functions in C; `python` is the one that calls a builtin."""
    names = [name for name in names if is_wanted(name, limits.TRACED, only)]
    commands = {program: bench.python_program(python, program) if program in PROGRAMS else bench.native_program(program)
                for program in sorted({NATIVE[name][0] for name in names})}
    plain = {program: bench.plain(command) for program, command in commands.items()}
    cells = [(name, bench.traced(commands[NATIVE[name][0]], True, **NATIVE[name][1])) for name in names]
    return [count(name, "", limits.TRACED, plain[NATIVE[name][0]], traced) for name, traced in cells]


def peer_counts(bench, python, names):
    """Of peers, on the driver's workload."""
    if not names:
        return []
    program = bench.python_program(python, "peer")
    plain = bench.plain(program, ["untraced"])
    cells = []
    for name in names:
        probe, settings, packages = PEERS[name]
        if probe == "kieker":
            settings = dict(settings, ini=kieker_configuration(bench))
        environment = python_driver.environment(packages=packages_path(packages, python))
        cells.append((name, bench.plain(program, [probe] + ["%s=%s" % item for item in settings.items()], environment)))
    return [count(name, measuring.version_of(python), limits.TRACED, plain, traced) for name, traced in cells]


def packages_path(name, python):
    if not name:
        return None
    folder, _ = python_driver.packages(name, python)
    return os.pathsep.join([folder, os.path.join(context.TOP, "tests", "interop")])


def kieker_configuration(bench):
    return peers.module("kieker_python").write_configuration(context.Context("", bench.folder, bench.folder, {}), "dummy", 0)


def there(name, python, where):
    """Whether the peer works with the interpreter, by its own word."""
    probe = PEERS[name][0]
    module = peers.module({"kieker": "kieker_python"}.get(probe, probe))
    configuration = next(one for one in module.CONFIGURATIONS if one.name == name)
    cell = model.Cell("instructions", configuration, model.Parameters(), python, measuring.version_of(python))
    return not module.absent(configuration, cell, where)


def of_interpreter(bench, python, where, only=None):
    """Everything wanted that can be counted with it: counts of ours, counts of peers."""
    names = [name for name in PEERS if plan.matches(name, only) and there(name, python, where)]
    ours = python_counts(bench, python, measuring.engines_of(python, bench.shim), only=only)
    return ours, peer_counts(bench, python, names)


def configurations(ours, others):
    """Counts by the names of configurations: pairs of those and a count."""
    for made in ours:
        for name in names_of(made.name, made.state):
            yield name, made
    for made in others:
        yield made.name, made

"""What is to be measured: from options to cells. A new suite is a function and a row in SUITES."""
import dataclasses
import fnmatch
import itertools
import typing

import measuring
import peers
from harness import model

DEPTH = 10
DEPTHS = (2, 4, 8, 16, 32, 64, 128)
THREADS = (1, 2, 3, 4)
# Short blocks, and many of them: a pair is over before the machine changes its mind, and one that is not does no harm.
BLOCKS = 16
# A run that is too short for blocks of so many invocations is made longer than it should be.
LEAST_INVOCATIONS = 25
PILOT = model.Parameters(invocations=100, blocks=4)

# The system's interpreter, because Kieker's first way to instrument works below 3.12 only, and the newest of these.
NEWEST_REFERENCE = ("3.13", "3.12")

# What the suites show that tell how cost grows: of each pattern the first configuration that can be had there.
GROWING = ["kprobe.*.inactive", "kprobe.*.null", "kprobe.*.file", "kprobe.*.kieker-text", "kieker-python.text.*", "kieker-python.tcp.*",
           "viztracer*", "cprofile*", "opentelemetry*", "uftrace*", "lttng*", "kieker-c.*"]


@dataclasses.dataclass(frozen=True)
class Choice:
    """A configuration on an interpreter (none for C), before it is known how long a run of it takes."""
    configuration: model.Configuration
    python: str = ""
    depth: int = DEPTH
    threads: int = 1


class World:
    """What there is here: interpreters, configurations, and what of them is absent."""

    def __init__(self, pythons, references, only, is_absent, method_time_ns=0):
        self.pythons, self.references, self.method_time_ns = pythons, references, method_time_ns
        self.configurations = [one for one in peers.configurations() if one.kind == "none" or matches(one.name, only)]
        self._is_absent, self._reasons = is_absent, {}

    def of(self, language):
        return [one for one in self.configurations if one.language == language and one.kind != "none"]

    def version(self, python):
        return measuring.version_of(python) if python else ""

    def cell(self, suite, choice, parameters):
        full = dataclasses.replace(parameters, depth=choice.depth, threads=choice.threads, method_time_ns=self.method_time_ns)
        return model.Cell(suite, choice.configuration, full, choice.python, self.version(choice.python))

    def absent(self, configuration, python):
        """None, or a model.Absent. Each configuration is asked once for an interpreter: it may install something."""
        key = configuration.name, python
        if key not in self._reasons:
            cell = self.cell("table", Choice(configuration, python), PILOT)
            reason = self._is_absent(configuration, cell)
            self._reasons[key] = reason and model.Absent(configuration.name, configuration.label, cell.version, reason)
        return self._reasons[key]

    def all_absent(self):
        return [one for one in self._reasons.values() if one]

    def places(self, language):
        """One place for the suites that do not compare interpreters."""
        return self.references[:1] if language == "python" else [""]


def matches(name, only):
    return not only or any(fnmatch.fnmatchcase(name, pattern) for pattern in only)


def table(world):
    for python in world.references:
        for configuration in world.of("python"):
            if not configuration.version:
                yield Choice(configuration, python)
    for configuration in world.of("python"):
        if configuration.version:
            fitting = [python for python in world.pythons if world.version(python).startswith(configuration.version + ".")]
            for python in fitting or world.references[:1]:
                yield Choice(configuration, python)


def engines(world):
    for python in world.pythons:
        for configuration in world.of("python"):
            if configuration.engine and configuration.kind in ("inactive", "null", "file"):
                yield Choice(configuration, python)


def growing(world):
    """Pairs of a configuration and where it runs."""
    for language in ("python", "c"):
        for python in world.places(language):
            for pattern in GROWING:
                there = (one for one in world.of(language) if matches(one.name, [pattern]) and not world.absent(one, python))
                yield from ((one, python) for one in itertools.islice(there, 1))


def depth(world):
    return [Choice(one, python, depth=depth) for one, python in growing(world) for depth in DEPTHS]


def threads(world):
    return [Choice(one, python, threads=threads) for one, python in growing(world) for threads in THREADS]


def functions_in_c(world):
    return [Choice(configuration) for configuration in world.of("c")]


@dataclasses.dataclass(frozen=True)
class Suite:
    """`choices` is None where no cells are run."""
    question: str
    choices: typing.Optional[typing.Callable]
    quick: bool


SUITES = {
    "table": Suite("what each configuration costs, at depth 10", table, quick=True),
    "c": Suite("what each configuration costs functions in C, at depth 10", functions_in_c, quick=True),
    "engines": Suite("what each engine of kprobe costs on each interpreter", engines, quick=False),
    "depth": Suite("how cost grows with the depth of recursion, 2 to 128", depth, quick=False),
    "threads": Suite("how cost grows with threads, 1 to 4", threads, quick=False),
    "instructions": Suite("instructions and clock reads of a call, by callgrind", None, quick=False),
    "claims": Suite("whether what was promised holds, with what the other scripts here measure", None, quick=False),
}


def default_references(pythons):
    found = {measuring.version_of(python): python for python in pythons}
    system = [python for python in pythons if python.startswith("/usr/")][:1]
    # Of a minor version the one built from its sources, as programs mostly have it: pyenv's.
    newest = [python for wanted in NEWEST_REFERENCE for version, python in sorted(found.items(), reverse=True)
              if version.startswith(wanted + ".") and "pyenv" in python][:1]
    return list(dict.fromkeys(system + newest)) or pythons[-1:]


def with_baselines(world, choices):
    """Each with the untraced configurations of its place before it, once."""
    seen = set()
    for choice in choices:
        for base in world.configurations:
            if base.kind == "none" and base.language == choice.configuration.language:
                before = dataclasses.replace(choice, configuration=base)
                if before not in seen:
                    seen.add(before)
                    yield before
        yield choice


def choices(world, suite):
    """Of a suite: those that can be had here."""
    selected = SUITES[suite].choices
    for choice in with_baselines(world, list(selected(world)) if selected else []):
        if not world.absent(choice.configuration, choice.python):
            yield choice


def parameters(choice, pilot, run_seconds, most_invocations):
    """So that the workload of a run takes `run_seconds`, by the pilot's time of an invocation at depth 10."""
    limit = choice.configuration.most_calls
    per_invocation_s = invocation_ns(choice, pilot) * 1e-9 * choice.threads
    invocations = min(max(int(run_seconds / per_invocation_s / BLOCKS), LEAST_INVOCATIONS), most_invocations)
    if limit is not None:
        invocations = max(min(invocations, limit // (BLOCKS * choice.depth * choice.threads)), 1)
    return model.Parameters(invocations=invocations, blocks=BLOCKS, depth=choice.depth, threads=choice.threads)


def invocation_ns(choice, pilot):
    busy_ns = pilot.get("method_time_ns", 0)
    return (pilot["invocation_ns"] - busy_ns) * choice.depth / DEPTH + busy_ns


def expected_s(choice, pilot, chosen):
    """What a whole run takes, with the start of the program."""
    return pilot["fixed_s"] + chosen.invocations * chosen.blocks * chosen.threads * invocation_ns(choice, pilot) * 1e-9


def pilot_name(configuration, python):
    return "%s:%s" % (configuration.name, python)

"""What the parts of the benchmark hand to each other: a configuration, a run of the driver, a row of results.

A *configuration* is a way to monitor the workload (or not to). Each peer is one module in moobench/peers, which lists its
configurations and starts the driver under them. A *cell* is a configuration with parameters; it is *run* once a round. A *row*
is what all runs of a cell add up to, in the units that the names say; results.json holds rows, and every output reads that.
"""
import dataclasses
import typing

# What MooBench calls a method call is one activation of monitored_method; an *invocation* is the timed call of the outermost
# one, `depth` method calls. MooBench's statistics are in microseconds a method call, all others here in nanoseconds.


@dataclasses.dataclass(frozen=True)
class Parameters:
    """Of one run of the driver, in any language. `invocations` are for each thread and each block."""
    invocations: int = 20000
    blocks: int = 8
    depth: int = 10
    method_time_ns: int = 0
    threads: int = 1


@dataclasses.dataclass(frozen=True)
class Configuration:
    """One way to monitor. `name` is unique and stays the same over releases: limits and old results refer to it."""
    name: str                # kprobe.opcode.null, viztracer, kieker-python.text.1
    label: str               # for tables and plots: "kprobe opcode, nowhere"
    language: str            # of the driver: python, c
    peer: str                # module in moobench/peers
    kind: str                # none, inactive, null, memory, file, text, binary, tcp: the column of MooBench's table it belongs to
    engine: str = ""         # of kprobe
    # True: the probe can be switched while the program runs, so a run alternates untraced and traced blocks.
    switchable: bool = False
    # Name of the untraced configuration that it is compared with; empty: the first one of its language.
    baseline: str = ""
    # Of the interpreters that it can be had for (3.14), where that is one version only: it may be none of those of the table.
    version: str = ""
    # Calls that can be made in one run, where records are kept in memory or on a slow way; None: any number.
    most_calls: typing.Optional[int] = None


@dataclasses.dataclass(frozen=True)
class Cell:
    """`python` is the path of the interpreter, empty for C; `suite` says which question the cell answers."""
    suite: str
    configuration: Configuration
    parameters: Parameters
    python: str = ""
    version: str = ""

    @property
    def group(self):
        """What it can be compared with: cells of one group run in turns, with the untraced run first."""
        p = self.parameters
        return ":".join(map(str, (self.configuration.language, self.python, p.depth, p.threads, p.method_time_ns)))

    @property
    def key(self):
        """Of the journal: equal for the same measurement, in another suite or another run of the benchmark."""
        p = self.parameters
        return ":".join(map(str, (self.configuration.name, self.python, p.depth, p.threads, p.method_time_ns)))


@dataclasses.dataclass
class Block:
    """A stretch of invocations in one state, in one thread. `first` counts from the start of that thread's durations.

    The speed check is the time of one fixed piece of work that no probe sees, before and after the block: a machine that
    changed its speed in between is seen in it.
    """
    thread: int
    traced: bool
    first: int
    count: int
    speed_before_ns: float
    speed_after_ns: float


@dataclasses.dataclass
class Run:
    """What one process said and left: the driver's report, and what the peer found in what was recorded.

    `durations` are of single invocations, in ns, for each thread in the order made. `calls_made` counts method calls while
    traced; `calls_recorded` is None where the peer keeps totals or nothing, `recorded_bytes` likewise. Processor times are of
    the whole process, and of its threads that ran the workload: the difference is what a writer needs.
    """
    durations: typing.List[typing.Sequence[int]]
    blocks: typing.List[Block]
    calls_made: int
    calls_recorded: typing.Optional[int]
    calls_lost: typing.Optional[int]
    recorded_bytes: typing.Optional[int]
    workload_cpu_ns: int
    process_cpu_ns: int
    peak_bytes: int
    notes: typing.List[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Estimate:
    """A median with its bootstrap confidence interval (95 %)."""
    value: float
    low: float
    high: float


@dataclasses.dataclass
class MooBenchStatistics:
    """As MooBench's statistics.r computes them: over all loops, second halves, microseconds a method call."""
    mean: float
    sd: float
    ci95: float
    q1: float
    median: float
    q3: float
    max: float
    min: float


@dataclasses.dataclass
class Row:
    """All runs of a cell. Estimates are over rounds; `net_ns` and `ratio` are to untraced calls paired with the traced ones:
    blocks of the same process where the probe can be switched, else the untraced run of the same round."""
    suite: str
    name: str
    label: str
    language: str
    peer: str
    kind: str
    engine: str
    version: str
    depth: int
    threads: int
    method_time_ns: int
    pairing: str                               # blocks, rounds; empty for the untraced row
    rounds: int
    moobench: MooBenchStatistics
    call_ns: Estimate
    net_ns: typing.Optional[Estimate]
    ratio: typing.Optional[Estimate]           # traced to untraced
    floors: typing.Optional[Estimate]          # net in multiples of two clock reads and two 16-byte stores
    bytes_per_call: typing.Optional[float]
    calls_made: int
    calls_recorded: typing.Optional[int]
    calls_lost: typing.Optional[int]
    writer_cpu_ns: typing.Optional[float]      # a method call, of threads other than those of the workload
    peak_added_bytes: typing.Optional[int]     # to the untraced run's
    disturbed: float                           # share of blocks in which the speed check moved by more than a tenth
    instructions: typing.Optional[float] = None    # net, of the calling thread, by callgrind
    clock_reads: typing.Optional[float] = None
    notes: typing.List[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Breakdown:
    """What the net instructions of a recorded call pair are for: of an engine of ours on a version of CPython, of a mechanism for
    functions in C ("": no version). Lists of a part of harness/breakdown.py and its instructions; together they are all."""
    name: str
    version: str
    parts: typing.List[list]

    @property
    def total(self):
        return sum(count for _, count in self.parts)


@dataclasses.dataclass
class Counted:
    """What callgrind counted of a configuration: net, of a call pair. `version` is CPython's; "": functions in C."""
    name: str
    label: str
    version: str
    instructions: float
    clock_reads: float


@dataclasses.dataclass
class Absent:
    """A configuration that could not be had here, and why."""
    name: str
    label: str
    version: str
    reason: str


@dataclasses.dataclass
class Claim:
    """A figure that was promised: by a page of the design, by an issue, by the README. `held` None: not measured in this run."""
    name: str
    source: str
    promised: str
    measured: str
    held: typing.Optional[bool]
    reason: str = ""

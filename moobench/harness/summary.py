"""From runs to rows. What the journal keeps of a run is enough for exact statistics; estimates are over rounds.

A loop of MooBench is one run: the traced durations of each thread in the order made (of an untraced run all), of which the
first half is dropped. Estimates are from medians of blocks, of the second half of the blocks: a traced block and the untraced one
that is its pair, of the same process or of the untraced run of the same round.
"""
import collections
import dataclasses
import random
import statistics

from harness import distribution, model, speed

RESAMPLES = 2000
SEED = 7
# Fewer rounds than this cannot be resampled: pairs of blocks are.
LEAST_ROUNDS = 3


@dataclasses.dataclass
class Summary:
    """Of a run; what the names of model.Run say. `blocks` are [thread, traced, median_ns, speed_before_ns, speed_after_ns],
    `loop` the packed distribution of the durations that MooBench counts."""
    blocks: list
    loop: str
    calls_made: int
    calls_recorded: int
    calls_lost: int
    recorded_bytes: int
    workload_cpu_ns: int
    process_cpu_ns: int
    peak_bytes: int
    notes: list

    @property
    def background_cpu_ns(self):
        return self.process_cpu_ns - self.workload_cpu_ns


FACTS = ("calls_made", "calls_recorded", "calls_lost", "recorded_bytes", "workload_cpu_ns", "process_cpu_ns", "peak_bytes", "notes")


def loops(run, traced):
    """Of each thread the durations that count, one after the other, without the first half."""
    for thread, durations in enumerate(run.durations):
        series = [duration for block in run.blocks if block.thread == thread and block.traced == traced
                  for duration in durations[block.first:block.first + block.count]]
        yield series[len(series) // 2:]


def of_run(run, configuration):
    # Where nothing traces there is nothing to switch, whatever the driver calls its blocks.
    traced = configuration.kind != "none"
    for block in run.blocks:
        block.traced = block.traced and traced
    counts = collections.Counter()
    for series in loops(run, traced):
        counts.update(series)
    if not counts:
        raise ValueError("the run has no blocks that are %s" % ("traced" if traced else "untraced"))
    blocks = [[block.thread, block.traced, statistics.median(run.durations[block.thread][block.first:block.first + block.count]),
               block.speed_before_ns, block.speed_after_ns] for block in run.blocks]
    return Summary(blocks=blocks, loop=distribution.pack(counts), **{name: getattr(run, name) for name in FACTS})


@dataclasses.dataclass
class Pair:
    """Nanoseconds a method call, in a traced block and in its untraced one (None: there is none)."""
    traced: float
    untraced: float
    disturbed: bool


def halves(summary, depth):
    """The second half of the blocks of each thread: (thread, traced): [(median a call, disturbed), ...]."""
    found = collections.defaultdict(list)
    spoilt = speed.disturbed([block[3:5] for block in summary.blocks])
    for (thread, traced, median, _, _), bad in zip(summary.blocks, spoilt):
        found[thread, bool(traced)].append((median / depth, bad))
    return {key: blocks[len(blocks) // 2:] for key, blocks in found.items()}


def pairs(summary, base, depth):
    """`base` is the untraced run of the same round, which is needed where the run itself has no untraced blocks."""
    own = halves(summary, depth)
    inside = any(not traced for _, traced in own)
    others = own if inside else halves(base, depth)
    return [Pair(traced, untraced, bad or bad_too) for (thread, is_traced), blocks in sorted(own.items()) if is_traced
            for (traced, bad), (untraced, bad_too) in zip(blocks, others[thread, False])]


def alone(summary, depth):
    """Of an untraced run."""
    return [Pair(median, None, bad) for blocks in halves(summary, depth).values() for median, bad in blocks]


def estimate(per_round):
    """`per_round`: for each round the values of its pairs. The median of the rounds' medians, and its interval."""
    if len(per_round) >= LEAST_ROUNDS:
        values = [statistics.median(values) for values in per_round]
    else:
        values = [value for values in per_round for value in values]
    if not values:
        return None
    dice = random.Random(SEED)
    medians = sorted(statistics.median(dice.choices(values, k=len(values))) for _ in range(RESAMPLES))
    return model.Estimate(value=statistics.median(values), low=medians[int(0.025 * RESAMPLES)],
                          high=medians[int(0.975 * RESAMPLES) - 1])


@dataclasses.dataclass
class Round:
    """Of a cell: the run, the untraced one beside it, what both give, and the floor."""
    summary: Summary
    base: Summary
    pairs: list
    floor_ns: float

    def changed_speed(self):
        """The two runs were not at the same speed."""
        own, other = (speed.usual([block[3:5] for block in run.blocks]) for run in (self.summary, self.base))
        return speed.differ(own, other)


def is_switched(rounds):
    return any(not block[1] for one in rounds for block in one.summary.blocks)


def rounds_of(cell, journal):
    """In order. A round whose untraced run is missing has nothing to be compared with, and is left out."""
    found, is_base = [], cell.configuration.kind == "none"
    base_cell = None if is_base else journal.baseline(cell)
    base_runs = journal.runs(base_cell.key) if base_cell else {}
    for number, summary in sorted(journal.runs(cell.key).items()):
        base, depth = base_runs.get(number), cell.parameters.depth
        if is_base or base:
            both = alone(summary, depth) if is_base else pairs(summary, base, depth)
            found.append(Round(summary, base, speed.undisturbed(both, lambda pair: pair.disturbed), journal.floor(cell, number)))
    return found


def median_or_none(values):
    values = list(values)
    return statistics.median(values) if values and None not in values else None


def total(rounds, name):
    """None where one run does not say it."""
    values = [getattr(one.summary, name) for one in rounds]
    return None if None in values else sum(values)


def paired(rounds, value):
    """An estimate of value(pair, round)."""
    return estimate([[value(pair, one) for pair in one.pairs] for one in rounds])


def row(cell, journal, counts):
    """None where no round was finished."""
    rounds = rounds_of(cell, journal)
    if not rounds:
        return None
    configuration, parameters = cell.configuration, cell.parameters
    is_base, switched = configuration.kind == "none", is_switched(rounds)
    calm = rounds if is_base or switched else speed.undisturbed(rounds, Round.changed_speed)
    with_floor = [one for one in calm if one.floor_ns]
    loop = collections.Counter()
    for one in rounds:
        loop.update(distribution.unpack(one.summary.loop))
    spoilt = [bad for one in rounds for bad in speed.disturbed([block[3:5] for block in one.summary.blocks])]
    made, recorded, size = (total(rounds, name) for name in ("calls_made", "calls_recorded", "recorded_bytes"))
    instructions, clock_reads = counts.get((configuration.name, cell.version), (None, None))
    return model.Row(
        suite=cell.suite, name=configuration.name, label=configuration.label, language=configuration.language,
        peer=configuration.peer, kind=configuration.kind, engine=configuration.engine, version=cell.version,
        depth=parameters.depth, threads=parameters.threads, method_time_ns=parameters.method_time_ns,
        pairing="" if is_base else "blocks" if switched else "rounds", rounds=len(rounds),
        moobench=distribution.moobench(loop, parameters.depth),
        call_ns=paired(calm, lambda pair, _: pair.traced),
        net_ns=None if is_base else paired(calm, lambda pair, _: pair.traced - pair.untraced),
        ratio=None if is_base else paired(calm, lambda pair, _: pair.traced / pair.untraced),
        floors=None if is_base else paired(with_floor, lambda pair, one: (pair.traced - pair.untraced) / one.floor_ns),
        bytes_per_call=size / recorded if size and recorded else None,
        calls_made=made, calls_recorded=recorded, calls_lost=total(rounds, "calls_lost"),
        writer_cpu_ns=None if is_base or not made else median_or_none(
            (one.summary.background_cpu_ns - one.base.background_cpu_ns) / one.summary.calls_made for one in rounds),
        peak_added_bytes=None if is_base else median_or_none(one.summary.peak_bytes - one.base.peak_bytes for one in rounds),
        disturbed=sum(spoilt) / len(spoilt), instructions=instructions, clock_reads=clock_reads,
        notes=list(dict.fromkeys(note for one in rounds for note in one.summary.notes)) + journal.failures(cell.key))


def in_order(cells):
    """For tables: by suite, interpreter and configuration as they came first, then as cost grows."""
    suites, places, names = ({} for _ in range(3))
    for cell in cells:
        for place, key in ((suites, cell.suite), (places, (cell.configuration.language, cell.python)), (names, cell.configuration.name)):
            place.setdefault(key, len(place))
    return sorted(cells, key=lambda cell: (
        suites[cell.suite], places[cell.configuration.language, cell.python], cell.configuration.kind != "none",
        names[cell.configuration.name], cell.parameters.depth, cell.parameters.threads))


def rows(journal):
    """Rows, and cells without a finished round as absent."""
    counts, found, missing = journal.counts(), [], []
    for cell in in_order(journal.cells()):
        made = row(cell, journal, counts)
        if made:
            found.append(made)
        else:
            reason = "; ".join(journal.failures(cell.key)) or "the benchmark was ended before its turn"
            missing.append(model.Absent(cell.configuration.name, cell.configuration.label, cell.version, reason))
    return found, missing

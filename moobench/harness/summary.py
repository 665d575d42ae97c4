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
class Block:
    """The median invocation, in nanoseconds a method call, and the slower of the block's two speed checks."""
    call_ns: float
    check_ns: float
    disturbed: bool


@dataclasses.dataclass
class Pair:
    """Nanoseconds a method call, in a traced block and in an untraced one at the same speed."""
    traced: float
    untraced: float
    disturbed: bool


def checks(summary):
    """The two speed checks of each block."""
    return [block[3:5] for block in summary.blocks]


def halves(summary, depth, best_ns):
    """The second half of the blocks of each thread, by (thread, traced)."""
    found = collections.defaultdict(list)
    spoilt = speed.disturbed(checks(summary), best_ns)
    for (thread, traced, median, before, after), bad in zip(summary.blocks, spoilt):
        found[thread, bool(traced)].append(Block(median / depth, max(before, after), bad))
    return {key: blocks[len(blocks) // 2:] for key, blocks in found.items()}


def pair(block, neighbour, others):
    """A traced block with its untraced neighbour, or where that is disturbed (or there is none, in another process) with what calm
    blocks there have. Where either is not to be had calm, with the one at the nearest speed; None: none is alike."""
    calm = [other.call_ns for other in others if not other.disturbed]
    if not block.disturbed and calm:
        beside = neighbour and not neighbour.disturbed
        return Pair(block.call_ns, neighbour.call_ns if beside else statistics.median(calm), False)
    nearest = min(others, key=lambda other: abs(other.check_ns - block.check_ns))
    return Pair(block.call_ns, nearest.call_ns, True) if speed.alike(block.check_ns, nearest.check_ns) else None


def pairs(own, base):
    """Of halves: `base` are those of the untraced run of the same round, for a run that has no untraced blocks itself."""
    found = []
    inside = any(not traced for _, traced in own)
    others = own if inside else base
    for (thread, is_traced), blocks in sorted(own.items()):
        untraced = others[thread, False]
        for index, block in enumerate(blocks if is_traced else []):
            found.append(pair(block, untraced[index] if inside and index < len(untraced) else None, untraced))
    return [one for one in found if one]


def undisturbed(found):
    """Blocks, pairs or rounds."""
    return speed.undisturbed(found, lambda one: one.disturbed)


def estimate(per_round):
    """`per_round`: for each round the values of its pairs. The median of the rounds' medians, and its interval."""
    per_round = [values for values in per_round if values]
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
    """Of a cell: the run, the untraced one beside it, and what both give."""
    summary: Summary
    base: Summary
    pairs: list
    calls: list
    disturbed: bool


def is_switched(rounds):
    return any(not block[1] for one in rounds for block in one.summary.blocks)


def best_speeds(journal):
    """Of each driver, by language and interpreter, over everything that was run."""
    times = collections.defaultdict(list)
    for cell in journal.cells():
        for summary in journal.runs(cell.key).values():
            times[cell.configuration.language, cell.version] += [time for pair in checks(summary) for time in pair]
    return {driver: speed.best(found) for driver, found in times.items() if found}


def rounds_of(cell, journal, best_ns):
    """In order. A round whose untraced run is missing has nothing to be compared with, and is left out."""
    found, is_base = [], cell.configuration.kind == "none"
    base_cell = None if is_base else journal.baseline(cell)
    base_runs = journal.runs(base_cell.key) if base_cell else {}
    for number, summary in sorted(journal.runs(cell.key).items()):
        base, depth = base_runs.get(number), cell.parameters.depth
        if is_base or base:
            own = halves(summary, depth, best_ns)
            blocks = [block for (_, traced), some in own.items() if traced != is_base for block in some]
            both = [] if is_base else pairs(own, halves(base, depth, best_ns))
            found.append(Round(summary, base, undisturbed(both), [block.call_ns for block in undisturbed(blocks)],
                               all(one.disturbed for one in (blocks if is_base else both))))
    return found


def median_or_none(values):
    values = list(values)
    return statistics.median(values) if values and None not in values else None


def total(rounds, name):
    """None where one run does not say it."""
    values = [getattr(one.summary, name) for one in rounds]
    return None if None in values else sum(values)


def paired(rounds, value):
    """An estimate of value(pair)."""
    return estimate([[value(both) for both in one.pairs] for one in rounds])


def row(cell, journal, counts, best_ns):
    """None where no round was finished. `best_ns`: the speed check's time on the calm machine."""
    rounds = rounds_of(cell, journal, best_ns)
    if not rounds:
        return None
    configuration, parameters = cell.configuration, cell.parameters
    is_base, switched = configuration.kind == "none", is_switched(rounds)
    calm = undisturbed(rounds)
    floor_ns = journal.calm_floor_ns()
    loop = collections.Counter()
    for one in rounds:
        loop.update(distribution.unpack(one.summary.loop))
    spoilt = [bad for one in rounds for bad in speed.disturbed(checks(one.summary), best_ns)]
    made, recorded, size = (total(rounds, name) for name in ("calls_made", "calls_recorded", "recorded_bytes"))
    instructions, clock_reads = counts.get((configuration.name, cell.version), (None, None))
    return model.Row(
        suite=cell.suite, name=configuration.name, label=configuration.label, language=configuration.language,
        peer=configuration.peer, kind=configuration.kind, engine=configuration.engine, version=cell.version,
        depth=parameters.depth, threads=parameters.threads, method_time_ns=parameters.method_time_ns,
        pairing="" if is_base else "blocks" if switched else "rounds", rounds=len(rounds),
        moobench=distribution.moobench(loop, parameters.depth),
        call_ns=estimate([one.calls for one in calm]),
        net_ns=None if is_base else paired(calm, lambda both: both.traced - both.untraced),
        ratio=None if is_base else paired(calm, lambda both: both.traced / both.untraced),
        floors=None if is_base or not floor_ns else paired(calm, lambda both: (both.traced - both.untraced) / floor_ns),
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
    counts, best, found, missing = journal.counts(), best_speeds(journal), [], []
    for cell in in_order(journal.cells()):
        made = row(cell, journal, counts, best.get((cell.configuration.language, cell.version)))
        if made:
            found.append(made)
        else:
            reason = "; ".join(journal.failures(cell.key)) or "the benchmark was ended before its turn"
            missing.append(model.Absent(cell.configuration.name, cell.configuration.label, cell.version, reason))
    return found, missing

"""Which blocks a change of the machine's speed has spoilt, by the drivers' speed checks before and after each."""
import statistics

# Speeds further apart than this are different.
TOLERANCE = 0.1


def differ(one, other):
    return max(one, other) > (1 + TOLERANCE) * min(one, other)


def usual(checks):
    """The run's speed: the time of the fixed piece of work, as mostly found. `checks` are pairs, before and after each block."""
    return statistics.median(time for pair in checks for time in pair)


def disturbed(checks):
    """For each block: its speed changed while it ran, or is not that of the rest of the run."""
    expected = usual(checks)
    return [differ(before, after) or differ((before + after) / 2, expected) for before, after in checks]


def undisturbed(items, is_disturbed):
    """Those that are not disturbed, if that is half of them at least; else all: a machine that is never calm still has medians."""
    calm = [item for item in items if not is_disturbed(item)]
    return calm if 2 * len(calm) >= len(items) else list(items)

"""Which blocks the machine has spoilt, by the drivers' speed checks before and after each.

A machine that others use has more than one speed: where the other half of a processor's core is busy, everything takes up to twice as long, for
milliseconds or for minutes. So what counts as calm is the best speed that was found with the same interpreter, not that which a run
mostly had: a run may have been slow from its first block to its last, and the one it is compared with not.
"""

# Slower than the best by more than this is disturbed.
TOLERANCE = 0.15
# Checks that are faster than the rest by chance are not what is meant by best.
BEST_SHARE = 0.05


def best(times):
    """Of the times of one fixed piece of work, that of the machine when nobody else used it."""
    ordered = sorted(times)
    return ordered[int(BEST_SHARE * len(ordered))]


def disturbed(checks, best_ns):
    """For each block, of its pair of checks: it did not begin and end at the best speed."""
    return [max(pair) > (1 + TOLERANCE) * best_ns for pair in checks]


def alike(one_ns, other_ns):
    """Two speed checks: what was measured beside them can be compared, however slow the machine was."""
    return max(one_ns, other_ns) <= (1 + TOLERANCE) * min(one_ns, other_ns)


def undisturbed(items, is_disturbed):
    """Those that are not disturbed; all where all are: a machine that is never calm still has medians."""
    return [item for item in items if not is_disturbed(item)] or list(items)

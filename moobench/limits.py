"""What a call pair may cost: the one table of limits. moobench/check compares with it.

Instructions are net (what kprobe adds), of the calling thread, in user space, counted by callgrind, which is exact: the same
program built by the same compiler gives the same number to a tenth. So limits are what was counted when they were set, and a
margin for what may differ without being worse:

- paths in assembly (`opcode`, functions in C) come out the same from every compiler: 2 instructions;
- paths in C (`frame`, `monitoring`, `profile`, builtins): what another release of the compiler does otherwise, 5 %;
- `monitoring`, `profile` and `frame` on 3.11 call through code of the interpreter, which distributions build in their own ways: the
  dearest build known, and 5 %;
- what no rule selects: never above what was promised.

Clock reads have no margin. Time depends on the machine, so the ratios have much room: they catch what costs no instructions,
such as a serialising instruction, a cache miss or a system call in each call.
"""
import collections

TRACED, FILTERED, OFF = "traced", "filtered", "off"

# Limits that were promised by the issues; no row of the table may be above them.
PROMISED = {
    "opcode": {TRACED: (160, 2), FILTERED: (40, 0), OFF: (1, 0)},
    "monitoring": {TRACED: (600, 2), FILTERED: (40, 0), OFF: (1, 0)},
    "frame": {TRACED: (145, 2), FILTERED: (40, 0), OFF: (1, 0)},
}
# `frame` on 3.11, where it is not the first choice, makes calls recurse in C: that is not in the promise.
NOT_PROMISED = {("frame", "3.11")}

# Engine or mechanism; version of CPython (functions in C: none); state: a function that is selected and recorded, one that the
# rules exclude, KPROBE_ENABLED=0; most net instructions and clock reads of a call pair.
Limit = collections.namedtuple("Limit", "name version state instructions clock_reads")

LIMITS = [Limit(*row) for row in [
    ("opcode", "3.11", TRACED, 127, 2),
    ("opcode", "3.11", FILTERED, 38, 0),
    ("opcode", "3.11", OFF, 1, 0),
    ("opcode", "3.12", TRACED, 127, 2),
    ("opcode", "3.12", FILTERED, 38, 0),
    ("opcode", "3.12", OFF, 1, 0),
    ("opcode", "3.13", TRACED, 126, 2),
    ("opcode", "3.13", FILTERED, 37, 0),
    ("opcode", "3.13", OFF, 1, 0),
    ("opcode", "3.14", TRACED, 126, 2),
    ("opcode", "3.14", FILTERED, 37, 0),
    ("opcode", "3.14", OFF, 1, 0),

    ("monitoring", "3.12", TRACED, 583, 2),
    ("monitoring", "3.12", FILTERED, 11, 0),
    ("monitoring", "3.12", OFF, 1, 0),
    ("monitoring", "3.13", TRACED, 600, 2),
    ("monitoring", "3.13", FILTERED, 2, 0),
    ("monitoring", "3.13", OFF, 1, 0),
    ("monitoring", "3.14", TRACED, 456, 2),
    ("monitoring", "3.14", FILTERED, 2, 0),
    ("monitoring", "3.14", OFF, 1, 0),

    ("frame", "3.8", TRACED, 142, 2),
    ("frame", "3.8", FILTERED, 40, 0),
    ("frame", "3.8", OFF, 1, 0),
    ("frame", "3.9", TRACED, 144, 2),
    ("frame", "3.9", FILTERED, 40, 0),
    ("frame", "3.9", OFF, 1, 0),
    ("frame", "3.10", TRACED, 144, 2),
    ("frame", "3.10", FILTERED, 40, 0),
    ("frame", "3.10", OFF, 1, 0),
    ("frame", "3.11", TRACED, 381, 2),
    ("frame", "3.11", FILTERED, 279, 0),
    ("frame", "3.11", OFF, 1, 0),

    # It is called by the interpreter for what no rule selects, too, and reads the clock first when a call ends.
    ("profile", "3.8", TRACED, 621, 2),
    ("profile", "3.8", FILTERED, 442, 1),
    ("profile", "3.8", OFF, 1, 0),
    ("profile", "3.9", TRACED, 665, 2),
    ("profile", "3.9", FILTERED, 485, 1),
    ("profile", "3.9", OFF, 1, 0),
    ("profile", "3.10", TRACED, 921, 2),
    ("profile", "3.10", FILTERED, 741, 1),
    ("profile", "3.10", OFF, 1, 0),
    ("profile", "3.11", TRACED, 1845, 2),
    ("profile", "3.11", FILTERED, 1665, 1),
    ("profile", "3.11", OFF, 1, 0),
    ("profile", "3.12", TRACED, 1978, 2),
    ("profile", "3.12", FILTERED, 1795, 1),
    ("profile", "3.12", OFF, 1, 0),
    ("profile", "3.13", TRACED, 1936, 2),
    ("profile", "3.13", FILTERED, 1756, 1),
    ("profile", "3.13", OFF, 1, 0),
    ("profile", "3.14", TRACED, 1428, 2),
    ("profile", "3.14", FILTERED, 1249, 1),
    ("profile", "3.14", OFF, 1, 0),

    ("c", "", TRACED, 134, 2),
    ("c.inside", "", TRACED, 152, 2),
    ("builtin", "", TRACED, 147, 2),
]]

# Net time of the numerator over that of the denominator, by names of configurations; "floor": two clock reads and two 16-byte stores
# (floor.c); "untraced": the whole call against the untraced one, not net.
Ratio = collections.namedtuple("Ratio", "numerator denominator most quick")

RATIOS = [
    # 1.5 to 2 when quiet.
    Ratio("kprobe.opcode.null", "floor", 3.5, True),
    # A quarter to a third.
    Ratio("kprobe.opcode.null", "viztracer.python", 0.7, True),
    # A half.
    Ratio("kprobe.opcode.null", "kprobe.monitoring.null", 1.0, False),
    # A quarter.
    Ratio("kprobe.opcode.inactive", "kprobe.opcode.null", 0.7, True),
    # Nothing at all.
    Ratio("kprobe.opcode.disabled", "untraced", 1.25, True),
    # 1.5 to 2.
    Ratio("kprobe.c.null", "floor", 3.5, True),
    Ratio("kprobe.c.inside.null", "floor", 4.0, False),
    # A fifth; promised was a half.
    Ratio("kprobe.c.null", "uftrace.plt", 0.5, True),
]


def find(name, version, state):
    """The limit of an engine on this version of CPython (two or three numbers, or none), or None."""
    minor = ".".join(version.split(".")[:2])
    return next((row for row in LIMITS if (row.name, row.version, row.state) == (name, minor, state)), None)

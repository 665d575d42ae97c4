"""results.md: a table for each suite, language and interpreter, with footnotes."""
import os

from harness.outputs import cells

SUITES = {"table": "All configurations", "engines": "Engines and interpreters", "depth": "Depth of recursion",
          "threads": "Threads", "c": "Functions in C"}
MISSING = "–"


def quantity(value):
    """Three digits: what more would say is lost in the noise."""
    if value is None:
        return MISSING
    if abs(value) >= 99.95:
        return "%.0f" % value
    return ("%.1f" if abs(value) >= 9.995 else "%.2f") % value


def estimate(value):
    return MISSING if value is None else "%s [%s, %s]" % tuple(map(quantity, (value.value, value.low, value.high)))


def mebibytes(value):
    return MISSING if value is None else "%.1f" % (value / 2**20)


# Heading, and what stands there. Ratios first: they are what travels to another machine.
COLUMNS = [
    ("ratio [95 %]", lambda row: estimate(row.ratio)),
    ("net ns [95 %]", lambda row: estimate(row.net_ns)),
    ("ns a call", lambda row: quantity(row.call_ns.value)),
    ("floors", lambda row: quantity(row.floors and row.floors.value)),
    ("mean µs ± ci95", lambda row: "%.4f ± %.4f" % (row.moobench.mean, row.moobench.ci95)),
    ("instructions", lambda row: quantity(row.instructions)),
    ("clock reads", lambda row: quantity(row.clock_reads)),
    ("bytes a call", lambda row: quantity(row.bytes_per_call)),
    ("lost", lambda row: MISSING if row.calls_lost is None else str(row.calls_lost)),
    ("memory MiB", lambda row: mebibytes(row.peak_added_bytes)),
    ("writer ns", lambda row: quantity(row.writer_cpu_ns)),
    ("disturbed", lambda row: "%.0f %%" % (100 * row.disturbed) if row.disturbed else MISSING),
]


class Notes:
    """Footnotes of a table, each text once."""

    def __init__(self):
        self.texts = []

    def marks(self, texts):
        self.texts += [text for text in dict.fromkeys(texts) if text not in self.texts]
        return "".join(" [%d]" % (self.texts.index(text) + 1) for text in dict.fromkeys(texts))

    def lines(self):
        return ["[%d] %s  " % (i + 1, text) for i, text in enumerate(self.texts)]


def about(row):
    where = row.label
    if row.suite in ("depth", "threads"):
        where += ", %s %d" % (("depth", row.depth) if row.suite == "depth" else ("threads", row.threads))
    return where


def table(rows):
    """Columns that say nothing of any row are left out."""
    notes = Notes()
    columns = [(head, cell) for head, cell in COLUMNS if any(cell(row) != MISSING for row in rows)]
    yield "| configuration | %s |" % " | ".join(head for head, _ in columns)
    yield "| --- |%s" % (" ---: |" * len(columns))
    for row in rows:
        yield "| %s%s | %s |" % (about(row), notes.marks(row.notes), " | ".join(cell(row) for _, cell in columns))
    yield ""
    yield from notes.lines()


def counted(results):
    """Net, of a call pair; also of configurations that no suite ran."""
    if results.counted:
        yield from cells.grid(["configuration", "CPython", "instructions", "clock reads"], [
            [one.label, one.version or MISSING, quantity(one.instructions), quantity(one.clock_reads)] for one in results.counted], left=2)
        yield ""


def groups(rows):
    found = {}
    for row in rows:
        found.setdefault((row.suite, row.language, row.version), []).append(row)
    return found.items()


def absent(results):
    """Each reason once, with the configurations and versions."""
    found = {}
    for one in results.absent:
        found.setdefault((one.label, one.reason), {})[one.version] = True
    for (label, reason), versions in found.items():
        yield "- %s%s: %s" % (label, " (%s)" % ", ".join(filter(None, versions)) if any(versions) else "", reason)


def machine(facts):
    yield "%s. %s, %d processors, %.1f GiB, %s, %s; load %s at the start, %s at the end. %s (%s)." % (
        facts["date"], facts["cpu"], facts["processors"], facts["memory_bytes"] / 2**30, facts["kernel"], facts["compiler"],
        facts["load_start"], facts["load_end"], facts["kprobe"], facts["commit"])


def document(results):
    yield from ("# MooBench: kprobe and its peers", "", *machine(results.machine), "")
    for (suite, language, version), rows in groups(results.rows):
        busy = ", method time %d ns" % rows[0].method_time_ns if rows[0].method_time_ns else ""
        yield "## %s%s%s" % (SUITES.get(suite, suite), ": CPython " + version if version else "", busy)
        yield ""
        yield from table(rows)
        yield ""
    lines = list(counted(results))
    if lines:
        yield from ("## Instructions and clock reads of a call", "", *lines)
    lines = list(absent(results))
    if lines:
        yield from ("## Not measured here", "", *lines, "")
    if results.claims:
        yield from ("## What was promised", "", "| promise | source | promised | measured | held |", "| --- | --- | --- | --- | --- |")
        for claim in results.claims:
            held = {True: "yes", False: "no", None: "not measured"}[claim.held]
            yield "| %s | %s | %s | %s | %s |" % (claim.name, claim.source, claim.promised, claim.measured,
                                                  held + (": " + claim.reason if claim.reason else ""))


def write(results, folder):
    with open(os.path.join(folder, "results.md"), "w") as out:
        out.write("\n".join(document(results)).rstrip("\n") + "\n")

"""talk.md and talk.csv: the table of the talk on Kieker for Python, with kprobe's columns beside.

Microseconds an *invocation*, as that talk and Kieker's page of benchmarks give them: MooBench's statistics of a method call, times
the depth. What others published comes from other machines and is marked so; there is no comparing across.
"""
import csv
import dataclasses
import os

import measuring
from harness.outputs import cells

# Columns of the talk's table, with the kinds of model.Configuration that they are; `file` is kprobe's own container.
KINDS = {"none": "w/o", "inactive": "inactive", "null": "null", "file": "own file", "text": "text", "binary": "binary", "tcp": "TCP"}
STATISTICS = {"mean": "mean", "ci95": "ci95", "sd": "sd", "q1": "1st quartile", "median": "median", "q3": "3rd quartile",
              "min": "min", "max": "max"}

# Mean by kind, and where it was said. Of other columns no figures are at hand that can be pointed at.
PUBLISHED = {"none": 6.9, "inactive": 15.1}
PUBLISHED_BY = "Kieker's developers, talk on monitoring Python programs; another machine, decorated probe"

KIEKER = {"1": "Kieker, weaving after import", "2": "Kieker, weaving before import"}


def engine(rows):
    """The one of kprobe's that `auto` takes there."""
    return min((row.engine for row in rows if row.peer == "kprobe" and row.engine in measuring.ENGINES), key=measuring.ENGINES.index, default=None)


def lines_of(rows):
    """Pairs of who measured (a line of the talk's table) and their rows by kind; `untraced` belongs to all of them."""
    plain = next((row for row in rows if row.peer == "untraced"), None)
    for approach, title in KIEKER.items():
        found = [row for row in rows if row.peer == "kieker_python" and approach in row.name.split(".")]
        if found:
            yield title, plain, found
    chosen = engine(rows)
    ours = [row for row in rows if row.peer == "kprobe" and row.engine in (chosen, "auto")]
    if ours:
        yield "kprobe, %s" % chosen, plain, ours


def invocation(row):
    """MooBench's statistics in microseconds an invocation."""
    return {name: value * row.depth for name, value in dataclasses.asdict(row.moobench).items()}


def text(value):
    return "%.3f" % value if value < 100 else "%.1f" % value


def overview(rows):
    """The talk's table itself: means, a column for each kind."""
    lines = [["published, another machine"] + [text(PUBLISHED[kind]) if kind in PUBLISHED else "" for kind in KINDS]]
    for title, plain, found in lines_of(rows):
        means = {row.kind: [] for row in found}
        for row in found:
            means[row.kind].append(text(invocation(row)["mean"]))
        if plain:
            means["none"] = [text(invocation(plain)["mean"])]
        lines.append([title] + [" / ".join(means.get(kind, [])) for kind in KINDS])
    return cells.grid(["mean, µs"] + list(KINDS.values()), lines)


def details(rows):
    """A line for each configuration: kind, label, row; in the order of the talk's columns."""
    found = [row for _, plain, group in lines_of(rows) for row in [plain] + group if row]
    for kind in KINDS:
        for row in cells.unique_rows(found):
            if row.kind == kind:
                yield row


def sections(results):
    """Rows of the table suite for each interpreter that has Kieker's or kprobe's."""
    for version in cells.versions(results.rows):
        rows = [row for row in results.rows if row.suite == "table" and row.language == "python" and row.version == version]
        if any(lines_of(rows)):
            yield version, rows


def document(results):
    yield from ("# Kieker's Python pack and kprobe, in the shape of the talk on Kieker for Python", "",
                "Microseconds an invocation (%s). Two figures in one cell: two configurations of that kind, in the order below." %
                ", ".join(sorted({"depth %d" % row.depth for _, rows in sections(results) for row in rows})),
                "", "Published: %s." % PUBLISHED_BY, "")
    for version, rows in sections(results):
        yield from ("## CPython %s" % version, "", *overview(rows), "")
        yield from cells.grid(["column", "configuration"] + list(STATISTICS.values()) + ["published mean"], [
            [KINDS[row.kind], row.label] + [text(invocation(row)[name]) for name in STATISTICS] +
            [text(PUBLISHED[row.kind]) if row.kind in PUBLISHED and row.peer != "kprobe" else ""] for row in details(rows)], left=2)
        yield ""


def write(results, folder):
    if not any(sections(results)):
        return "no rows of Kieker's Python pack or kprobe in the suite table"
    with open(os.path.join(folder, "talk.md"), "w") as out:
        out.write("\n".join(document(results)).rstrip("\n") + "\n")
    with open(os.path.join(folder, "talk.csv"), "w", newline="") as out:
        lines = csv.writer(out, lineterminator="\n")
        lines.writerow(["python", "column", "name", "label", "depth"] + ["%s_us" % name for name in STATISTICS] +
                       ["published_mean_us", "published_by"])
        for version, rows in sections(results):
            for row in details(rows):
                published = PUBLISHED.get(row.kind) if row.peer != "kprobe" else None
                lines.writerow([version, KINDS[row.kind], row.name, row.label, row.depth] +
                               ["%.6g" % invocation(row)[name] for name in STATISTICS] +
                               [published, PUBLISHED_BY if published is not None else None])
    return None

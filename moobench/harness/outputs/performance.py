"""Tables inside pages that people write: between <!-- table: NAME --> and <!-- end --> stands what this module makes of results.

    run --report-only -o DIR --update docs/performance.md --update README.md

A table that these results have nothing for is left as it is. A new table is a function and a row in TABLES.
"""
import re
import statistics

import limits
import measuring
from harness.outputs import cells, markdown, talk
from harness.outputs.markdown import quantity

MARKED = re.compile(r"(?P<begin><!-- table: (?P<name>[a-z-]+) -->\n)(?P<old>.*?)(?P<end><!-- end -->)", re.DOTALL)
# Ends of names of kprobe's configurations.
STATES = ("inactive", "null", "file")


class Unknown(Exception):
    """A page asks for no table, or for one that is none, or has a mark that is not ended."""


def of_suite(results, suite):
    return [row for row in results.rows if row.suite == suite]


def engine_order(row):
    return measuring.ENGINES.index(row.engine)


def machine(results):
    floors = [row.net_ns.value / row.floors.value for row in results.rows if row.net_ns and row.floors and row.floors.value > 0]
    yield from markdown.machine(results.machine)
    if floors:
        yield "The floor, two reads of the clock and two stores of 16 bytes, took %s ns." % quantity(statistics.median(floors))


def configurations(results):
    for version in cells.versions(of_suite(results, "table")):
        yield "### CPython %s" % version
        yield ""
        yield from markdown.table([row for row in of_suite(results, "table") if row.version == version])


def functions_in_c(results):
    rows = of_suite(results, "c")
    if rows:
        yield from markdown.table(rows)


def short(rows):
    """Lines of a table for readers in a hurry: a call as a multiple of an untraced one, and what is added."""
    for row in rows:
        if row.net_ns:
            yield [row.label, markdown.estimate(row.ratio), markdown.estimate(row.net_ns), quantity(row.writer_cpu_ns),
                   quantity(row.bytes_per_call), markdown.MISSING if row.calls_lost is None else str(row.calls_lost)]


def quick_rows(results):
    """What --quick measures: the rows of the first interpreter of the suite, of kprobe's engines the one that `auto` takes; and C."""
    rows = of_suite(results, "table")
    rows = [row for row in rows if row.version == rows[0].version]
    return [[row for row in rows if row.peer != "kprobe" or row.engine in (talk.engine(rows), "auto")], of_suite(results, "c")]


def overhead(results):
    found = [rows for rows in quick_rows(results) if any(row.net_ns for row in rows)]
    if found:
        facts = results.machine
        yield "%s, %s, %d processors, load %s:" % (facts["date"][:10], facts["cpu"], facts["processors"], facts["load_start"])
        yield ""
    for rows in found:
        title = "CPython " + rows[0].version if rows[0].version else "C"
        untraced = next((row for row in rows if not row.net_ns), None)
        if untraced:
            title += ", %s ns a call untraced" % quantity(untraced.call_ns.value)
        yield from cells.grid([title, "times untraced [95 %]", "ns added [95 %]", "writer ns", "bytes a call", "lost"], list(short(rows)))
        yield ""


def counted(results):
    """(version, engine) to the answer of instructions.py."""
    return {(row["version"], row["engine"]): row for row in results.answers.get("instructions") or []}


def engines(results):
    rows, instructions = of_suite(results, "engines"), counted(results)
    lines = []
    for version in cells.versions(rows):
        ours = sorted((row for row in rows if row.version == version and row.engine in measuring.ENGINES), key=engine_order)
        for engine in cells.unique(row.engine for row in ours):
            by_state = {row.name.rsplit(".", 1)[1]: row for row in ours if row.engine == engine}
            null = by_state.get("null")
            lines.append([version, "`%s`" % engine] + [markdown.estimate(by_state[state].net_ns) if state in by_state
                                                      else markdown.MISSING for state in STATES] +
                         [quantity(null and null.floors and null.floors.value), quantity(null and null.ratio and null.ratio.value)] +
                         [quantity(instructions.get((version, engine), {}).get(state)) for state in (limits.TRACED, limits.FILTERED, limits.OFF)])
    if lines:
        yield from cells.grid(["CPython", "engine", "not selected, ns [95 %]", "nowhere, ns [95 %]", "file, ns [95 %]", "floors",
                               "times untraced", "instructions", "not selected", "switched off"], lines, left=2)


def share(net, inactive, floor):
    """Of a net time: reads of the clock, stores beside them, what a function that no rule selects has as well, and the rest.
    `inactive` is None where there is nothing to compare with."""
    unselected = max(inactive.net_ns.value, 0) if inactive else None
    rest = net - floor["both"] - (unselected or 0)
    return [floor["clock"], floor["both"] - floor["clock"], unselected, rest]


# Parts of harness/breakdown.py.
PARTS = {"dispatch": "there and back", "registers": "registers", "lookup": "which function", "checks": "checks",
         "stack": "shadow stack", "clock": "clock", "ring": "ring", "interpreter": "CPython's own", "other": "other"}


def where_instructions(results):
    """What the instructions of a recorded call are for."""
    lines = []
    for one in results.breakdowns:
        place = "CPython %s, `%s`" % (one.version, one.name) if one.version else "C, `%s`" % one.name
        lines.append([place, quantity(one.total)] + ["%d" % round(count) for _, count in one.parts])
    if lines:
        yield from cells.grid(["instructions of a call that is recorded", "all"] +
                              [PARTS[part] for part, _ in results.breakdowns[0].parts], lines)


def where(results):
    """Nanoseconds of a recorded call, for each engine and for functions in C."""
    floor, lines = results.answers.get("floor"), []
    for suite, version in [("engines", version) for version in cells.versions(of_suite(results, "engines"))] + [("c", "")]:
        rows = {row.name: row for row in of_suite(results, suite) if row.version == version}
        for name, row in rows.items():
            if floor and row.engine and row.net_ns and name.endswith(".null"):
                inactive = rows.get(name[:-len("null")] + "inactive")
                lines.append(["CPython %s, `%s`" % (version, row.engine) if version else row.label, quantity(row.net_ns.value)] +
                             [quantity(part) for part in share(row.net_ns.value, inactive, floor)])
    if lines:
        yield from cells.grid(["ns of a call that is recorded", "net", "two clock reads", "two stores", "seen and not selected",
                               "the rest"], lines)


def over(suite, field, heading):
    """A table of net ns: configurations downwards, a parameter to the right."""
    def table(results):
        for version in cells.versions(of_suite(results, suite)) + [""]:
            rows = [row for row in of_suite(results, suite) if row.version == version and row.net_ns]
            places = sorted({getattr(row, field) for row in rows})
            lines = []
            for name in cells.unique(row.name for row in rows):
                found = {getattr(row, field): row for row in rows if row.name == name}
                lines.append([next(iter(found.values())).label] + [quantity(found[place].net_ns.value) if place in found
                                                                  else markdown.MISSING for place in places])
            if lines:
                yield from cells.grid(["%s: ns added, %s" % ("CPython " + version if version else "C", heading)] +
                                      ["%d" % place for place in places], lines)
                yield ""
    return table


def instructions_of_peers(results):
    for version in cells.versions(of_suite(results, "table")) + [""]:
        rows = [row for row in of_suite(results, "table" if version else "c") if row.version == version and row.instructions is not None]
        if rows:
            yield from cells.grid(["CPython " + version if version else "C", "instructions", "clock reads"], [
                [row.label, quantity(row.instructions), quantity(row.clock_reads)] for row in rows])
            yield ""


def talk_table(results):
    for version, rows in talk.sections(results):
        yield "CPython %s:" % version
        yield ""
        yield from talk.overview(rows)
        yield ""


def verdict(claim):
    return {True: "held", False: "**not held**", None: "not measured"}[claim.held]


def claims(results):
    if results.claims:
        yield from cells.grid(["figure", "promised by", "promised", "measured", "verdict"], [
            [claim.name, claim.source, claim.promised, claim.measured, verdict(claim)] for claim in results.claims], left=5)
        reasons = cells.unique((claim.name, claim.source, claim.reason) for claim in results.claims if claim.reason)
        if reasons:
            yield ""
            yield "Why not:"
            yield ""
            for reason in cells.unique(reason for _, _, reason in reasons):
                yield "- %s: %s" % ("; ".join("%s (%s)" % (name, source) for name, source, why in reasons if why == reason), reason)


def absent(results):
    yield from markdown.absent(results)


TABLES = {"machine": machine, "configurations": configurations, "c": functions_in_c, "overhead": overhead, "engines": engines,
          "where": where, "where-instructions": where_instructions,
          "depth": over("depth", "depth", "by depth"), "threads": over("threads", "threads", "by threads"),
          "instructions": instructions_of_peers, "talk": talk_table, "claims": claims, "absent": absent}


def check(path):
    """Raises Unknown."""
    with open(path) as text:
        page = text.read()
    names = [found["name"] for found in MARKED.finditer(page)]
    if page.count("<!-- table: ") != len(names):
        raise Unknown("a mark <!-- table: NAME --> has no <!-- end -->")
    if not names:
        raise Unknown("it has no mark <!-- table: NAME -->, so there is nowhere to put a table")
    for name in names:
        if name not in TABLES:
            raise Unknown("there is no table %s; there are: %s" % (name, ", ".join(TABLES)))


def updated(page, results):
    """The page with new tables, and the names of those that were left as they are."""
    left = []

    def replace(found):
        lines = list(TABLES[found["name"]](results))
        if not lines:
            left.append(found["name"])
            return found[0]
        return found["begin"] + "\n".join(["<!-- made by moobench/run --update, not by hand -->", ""] + lines).rstrip("\n") + \
            "\n\n" + found["end"]

    return MARKED.sub(replace, page), left


def update(path, results):
    """Names of the tables that these results have nothing for."""
    with open(path) as text:
        page, left = updated(text.read(), results)
    with open(path, "w") as out:
        out.write(page)
    return left

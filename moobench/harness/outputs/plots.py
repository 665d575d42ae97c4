"""Plots as SVG and PNG, drawn by gnuplot: box plots, cost over depth and threads, net cost as bars."""
import os
import shutil
import subprocess

from harness.outputs import cells
from harness.outputs.markdown import quantity

FONT = "DejaVu Sans"
OURS, KIEKER, OTHERS, UNTRACED = "#1f77b4", "#d62728", "#7f7f7f", "#2ca02c"
LINES = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#e377c2", "#bcbd22", "#7f7f7f"]
# What a logarithmic axis can show of costs that drown in noise.
LEAST_NS = 1.0


def colour(row):
    if row.peer.startswith("untraced"):
        return UNTRACED
    return OURS if row.peer.startswith("kprobe") else KIEKER if row.peer.startswith("kieker") else OTHERS


def quoted(text):
    return '"%s"' % text.replace("\\", "\\\\").replace('"', "'").replace("\n", "\\n")


def subject(rows):
    row = rows[0]
    return "CPython " + row.version if row.version else "C"


def groups(results, *suites):
    """Rows of the suites, a list for each interpreter, and one for C."""
    rows = [row for row in results.rows if row.suite in suites]
    for version in cells.versions(rows) + [""]:
        found = [row for row in rows if row.version == version]
        if found:
            yield version or "c", found


def heading(title, note):
    return ["set title %s noenhanced" % quoted(title + ("\n" + note if note else "")), "set tics nomirror", "set border 3",
            "set style fill solid 0.35 border", "set encoding utf8"]


def rows_downwards(labels):
    """A scale that names one line each, the first on top; to the right there is room for half of the last number."""
    names = ", ".join("%s %d" % (quoted(label), index) for index, label in enumerate(labels))
    return ["set yrange [%g:-0.7]" % (len(labels) - 0.3), "set ytics (%s) noenhanced" % names, "set grid x mx lt 1 lc rgb '#dddddd'",
            "set rmargin 6"]


def block(name, lines):
    return ["$%s << EOD" % name] + lines + ["EOD"]


def decades(low, high):
    """A range of whole powers of ten, two at least, so that the axis has numbers."""
    least = 10.0 ** (len("%d" % low) - 1) if low >= 1 else 0.001
    while least * 10 <= low:
        least *= 10
    most = least * 10
    while most < high:
        most *= 10
    return least, most


def scale(axis, label, low, high):
    return ["set logscale %s" % axis, "set %srange [%g:%g]" % (axis, low, high), "set %slabel %s noenhanced" % (axis, quoted(label)),
            "set format %s '%%.10g'" % axis]


def boxes(rows, title):
    """Quartiles as boxes, fences as whiskers, the largest value as a point; a line of the plot for each row."""
    data = []
    for index, row in enumerate(rows):
        m = {name: value * 1000 for name, value in vars(row.moobench).items()}
        reach = 1.5 * (m["q3"] - m["q1"])
        data.append("%d %.6g %.6g %.6g %.6g %.6g %.6g 0x%s" % (
            index, max(m["min"], m["q1"] - reach), m["q1"], m["median"], m["q3"], min(m["max"], m["q3"] + reach), m["max"],
            colour(row)[1:]))
    low = min(row.moobench.min for row in rows) * 1000
    high = max(row.moobench.max for row in rows) * 1000
    return heading(title, "box: quartiles; whiskers: 1.5 times the box; point: the largest") + \
        rows_downwards([row.label for row in rows]) + scale("x", "ns a call, untraced call included", *decades(low, high)) + \
        block("boxes", data) + [
            "plot $boxes using 2:1:($6-$2):(0):8 with vectors nohead lw 1 lc rgb variable notitle,"
            " '' using 4:1:3:5:($1-0.3):($1+0.3):8 with boxxyerror lc rgb variable notitle,"
            " '' using 4:($1-0.3):(0):(0.6) with vectors nohead lw 2 lc rgb 'black' notitle,"
            " '' using 7:1:8 with points pt 7 ps 0.4 lc rgb variable notitle"]


def bars(rows, title):
    """Net cost of a call, sorted, with intervals and the figure beside."""
    rows = sorted(rows, key=lambda row: row.net_ns.value)
    most = max(max(row.net_ns.value, row.net_ns.high) for row in rows)
    data = []
    for index, row in enumerate(rows):
        value, low, high = (max(getattr(row.net_ns, name), LEAST_NS) for name in ("value", "low", "high"))
        data.append("%d %.6g %.6g %.6g 0x%s %s" % (
            index, value, low, high, colour(row)[1:], quoted(quantity(row.net_ns.value) + " ns")))
    # Room for the figure behind the longest bar.
    return heading(title, "kprobe blue, Kieker red, others grey; lines: 95 % intervals") + \
        rows_downwards([row.label for row in rows]) + scale("x", "ns added to a call", LEAST_NS, most * 6) + \
        block("bars", data) + [
            "plot $bars using (%g):1:(%g):2:($1-0.35):($1+0.35):5 with boxxyerror lc rgb variable notitle,"
            " '' using 3:1:($4-$3):(0) with vectors nohead lw 1.5 lc rgb 'black' notitle,"
            " '' using ($4*1.1):1:6 with labels left noenhanced notitle" % (LEAST_NS, LEAST_NS)]


def curves(rows, field, title, label):
    """Net cost over a parameter, a line for each configuration."""
    data, plots = [], []
    for index, name in enumerate(cells.unique(row.name for row in rows)):
        points = sorted((row for row in rows if row.name == name), key=lambda row: getattr(row, field))
        data += block("line%d" % index, ["%d %.6g %.6g %.6g" % ((getattr(row, field),) + tuple(
            max(getattr(row.net_ns, part), LEAST_NS) for part in ("value", "low", "high"))) for row in points])
        style = "lc rgb '%s' pt %d dt %d" % (LINES[index % len(LINES)], 4 + index % 10, 1 + index // len(LINES))
        plots += ["$line%d using 1:2 with linespoints lw 1.5 %s title %s noenhanced" % (index, style, quoted(points[0].label)),
                  "$line%d using 1:3:(0):($4-$3) with vectors nohead lw 1.5 lc rgb '%s' notitle" % (index, LINES[index % len(LINES)])]
    values = [max(getattr(row.net_ns, part), LEAST_NS) for row in rows for part in ("low", "high")]
    places = sorted(set(getattr(row, field) for row in rows))
    note = "lines: 95 % intervals; what is below 1 ns stands at 1"
    return heading(title, note) + scale("y", "ns added to a call", *decades(min(values), max(values))) + [
        "set logscale x 2", "set xrange [%g:%g]" % (places[0] * 0.9, places[-1] * 1.1),
        "set xtics (%s)" % ", ".join("%d" % place for place in places), "set xlabel %s" % quoted(label),
        "set grid y lt 1 lc rgb '#dddddd'", "set key outside right top reverse Left noenhanced"] + data + [
            "plot " + ", ".join(plots)]


def with_net(rows):
    return [row for row in rows if row.net_ns]


def pictures(results):
    """Name, size in pixels and gnuplot's commands of each plot that these results are enough for."""
    for name, rows in groups(results, "table", "c"):
        size = (1100, 130 + 26 * len(rows))
        yield "boxes-" + name, size, boxes(rows, "A call of monitored_method, %s, depth %d" % (subject(rows), rows[0].depth))
        if with_net(rows):
            yield "net-" + name, size, bars(with_net(rows), "What monitoring adds to a call, %s, depth %d" % (
                subject(rows), rows[0].depth))
    for suite, field, label in (("depth", "depth", "depth of recursion"), ("threads", "threads", "threads that run the workload")):
        for name, rows in groups(results, suite):
            if with_net(rows):
                lines = len(cells.unique(row.name for row in with_net(rows)))
                yield "%s-%s" % (suite, name), (1100, max(560, 100 + 22 * lines)), curves(
                    with_net(rows), field, "What monitoring adds to a call, over the %s, %s" % (label, subject(rows)), label)


def draw(gnuplot, folder, name, size, commands):
    """None, or what gnuplot said."""
    for kind, terminal in (("svg", "svg size %d,%d dynamic font '%s,12' background 'white'"),
                           ("png", "pngcairo size %d,%d font '%s,10'")):
        path = os.path.join(folder, "%s.%s" % (name, kind))
        script = ["set terminal " + terminal % (size + (FONT,)), "set output %s" % quoted(path)] + commands + ["unset output"]
        done = subprocess.run([gnuplot, "-"], input="\n".join(script) + "\n", stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=120)
        if done.returncode:
            return "%s: %s" % (name, " ".join(done.stderr.split()))
    return None


def write(results, folder):
    gnuplot = shutil.which("gnuplot")
    if not gnuplot:
        return "gnuplot is not installed (Debian: gnuplot-nox)"
    place = os.path.join(folder, "plots")
    os.makedirs(place, exist_ok=True)
    said = [draw(gnuplot, place, *picture) for picture in pictures(results)]
    return "; ".join(filter(None, said)) or None

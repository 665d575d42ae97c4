"""results.yaml as MooBench's statistics.r writes it, which its compile-results reads: microseconds a method call."""
import dataclasses
import math
import os
import re


def number(value):
    """As R's format(value, scientific=TRUE), up to seven digits, no more than needed; but 1.0e-06, not 1e-06, which is no number in
    YAML 1.1."""
    if value is None or not math.isfinite(value):
        return ".NAN"
    mantissa, exponent = ("%.6e" % value).split("e")
    return "%se%s" % (re.sub(r"(\.\d+?)0+$", r"\1", mantissa), exponent)


def labels(rows):
    """A label for each row. Those of the first interpreter's table are the plain ones, the others say what is different."""
    taken = set()
    for row in rows:
        label = row.label
        if label in taken:
            label = "%s (%s%s, depth %d, threads %d)" % (
                row.label, row.language, " " + row.version if row.version else "", row.depth, row.threads)
        if label not in taken:
            taken.add(label)
            yield label, row


def scalar(text):
    """Quoted where plain text would mean something else in YAML."""
    return text if re.fullmatch(r"[A-Za-z][\w ./()+,-]*", text) else '"%s"' % text.replace("\\", "\\\\").replace('"', '\\"')


def write(results, folder):
    with open(os.path.join(folder, "results.yaml"), "w") as out:
        out.write("kind: kprobe\nexperiments:\n- timestamp: %.6f\n  measurements:\n" % results.machine["timestamp"])
        for label, row in labels(results.rows):
            out.write("     %s : [ %s ]\n" % (scalar(label), " , ".join(map(number, dataclasses.astuple(row.moobench)))))

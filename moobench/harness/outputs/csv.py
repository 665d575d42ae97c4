"""results.csv: a line for each row of results. Estimates have three columns, MooBench's statistics eight."""
import csv
import dataclasses
import os
import typing

from harness import model

STRUCTURES = (model.Estimate, model.MooBenchStatistics)


def structure(kind):
    """Of a field's type: the structure it is made of, or may be; None for a plain one."""
    return next((part for part in (kind,) + typing.get_args(kind) if part in STRUCTURES), None)


def columns():
    """Pairs of a heading and a function that takes the value from a row."""
    for field in dataclasses.fields(model.Row):
        parts = structure(field.type)
        if not parts:
            yield field.name, lambda row, name=field.name: getattr(row, name)
            continue
        for part in dataclasses.fields(parts):
            yield "%s_%s" % (field.name, part.name), lambda row, name=field.name, part=part.name: getattr(
                getattr(row, name), part, None)


def text(value):
    if isinstance(value, list):
        return "; ".join(value)
    return "%.6g" % value if isinstance(value, float) else value


def write(results, folder):
    heads, values = zip(*columns())
    with open(os.path.join(folder, "results.csv"), "w", newline="") as out:
        lines = csv.writer(out, lineterminator="\n")
        lines.writerow(heads)
        lines.writerows([text(value(row)) for value in values] for row in results.rows)

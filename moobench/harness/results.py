"""What one run of the benchmark ends with: rows, what is absent, claims, and where it was measured. results.json is this."""
import dataclasses
import json
import os
import typing

from harness import model

FILE = "results.json"


@dataclasses.dataclass
class Results:
    """`machine` is what harness.machine found, with `date` (ISO, UTC) and `timestamp` (seconds) of the start; `options` those of
    moobench/run that decide what was measured."""
    rows: typing.List[model.Row]
    absent: typing.List[model.Absent]
    claims: typing.List[model.Claim]
    machine: dict
    options: dict
    # Of scripts whose measurements are no rows, by name: harness/others.py.
    answers: dict = dataclasses.field(default_factory=dict)
    breakdowns: typing.List[model.Breakdown] = dataclasses.field(default_factory=list)
    counted: typing.List[model.Counted] = dataclasses.field(default_factory=list)

    def row(self, name, suite="table", **wanted):
        """The first row of that configuration where all of `wanted` (version, depth, threads) is so; None without one."""
        return next(iter(self.select(suite, name=name, **wanted)), None)

    def select(self, suite, **wanted):
        return [row for row in self.rows
                if row.suite == suite and all(getattr(row, name) == value for name, value in wanted.items())]


def save(results, folder):
    with open(os.path.join(folder, FILE), "w") as out:
        json.dump(dataclasses.asdict(results), out, indent=1)
        out.write("\n")


def load(path):
    """Of a file, or of the folder that run wrote."""
    with open(os.path.join(path, FILE) if os.path.isdir(path) else path) as text:
        return _read(Results, json.load(text))


def _read(wanted, value):
    """What dataclasses.asdict made of a `wanted`, as that again."""
    if value is None:
        return None
    if dataclasses.is_dataclass(wanted):
        kinds = typing.get_type_hints(wanted)
        return wanted(**{name: _read(kinds[name], part) for name, part in value.items()})
    inner = typing.get_args(wanted)
    if typing.get_origin(wanted) is list:
        return [_read(inner[0], part) for part in value]
    if typing.get_origin(wanted) is typing.Union:
        return _read(inner[0], value)
    return value

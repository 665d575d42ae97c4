"""What is finished, on disk: a JSON object a line, so that a benchmark that was ended goes on where it was.

The first line is the header, with what must be the same to go on. A line that was cut by the end of the process is dropped.
Of several lines about the same thing the last counts.
"""
import dataclasses
import fcntl
import json
import os

from harness import model, speed, summary

FILE = "journal.jsonl"
FORMAT = 1


class Refused(Exception):
    """The journal cannot be gone on with, and why."""


def read_lines(path):
    """The objects, and the length of the file up to the end of the last whole one."""
    found, size = [], 0
    with open(path, "rb") as text:
        for number, line in enumerate(text, 1):
            if not line.endswith(b"\n"):
                break
            try:
                found.append(json.loads(line))
            except ValueError:
                raise Refused("%s is damaged in line %d: start over with --fresh" % (path, number)) from None
            size += len(line)
    return found, size


def describe(facts):
    return ", ".join("%s %s" % (name.replace("_", " "), value) for name, value in facts.items())


def cell_of(line):
    return model.Cell(suite=line["suite"], configuration=model.Configuration(**line["configuration"]),
                      parameters=model.Parameters(**line["parameters"]), python=line["python"], version=line["version"])


class Journal:
    """`fixed` is what was measured with and how: the same in all sessions. None: whatever it was (only to report). `retried`: what
    failed in earlier sessions has its turn again."""

    def __init__(self, folder, fixed, fresh=False, retried=False):
        self.path = os.path.join(folder, FILE)
        self._out = None
        self._cells, self._absent, self._pilots, self._floors, self._runs, self._failures, self._counts = {}, {}, {}, {}, {}, {}, {}
        self._answers, self._counted, self._breakdowns = {}, {}, {}
        self.sessions = []
        lines, size = ([], 0) if fresh or not os.path.exists(self.path) else read_lines(self.path)
        if lines:
            self._check(lines[0], fixed)
        elif fixed is None:
            raise Refused("%s has no results of a benchmark" % folder)
        for line in lines[1:]:
            self._take(line)
        if retried:
            self._failures.clear()
        self.resumed = bool(self._runs)
        if fixed is not None:
            self._out = open(self.path, "ab")
            try:
                fcntl.flock(self._out, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Refused("%s is being written by another run" % self.path) from None
            self._out.truncate(size)
            if not lines:
                self._write({"kind": "header", "format": FORMAT, "fixed": fixed})
        self.fixed = lines[0]["fixed"] if lines else fixed

    def _check(self, header, fixed):
        if not isinstance(header, dict) or header.get("kind") != "header" or header.get("format") != FORMAT:
            raise Refused("%s is no journal of this version of the benchmark: start over with --fresh" % self.path)
        was = header["fixed"]
        if fixed is not None and was != fixed:
            changed = [name for name in dict(was, **fixed) if was.get(name) != fixed.get(name)]
            raise Refused("%s was made with %s, now it is %s: take another folder (-o) or start over with --fresh" % (
                self.path, describe({name: was.get(name) for name in changed}), describe({name: fixed.get(name) for name in changed})))

    def _write(self, line):
        self._out.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
        self._out.flush()

    def add(self, kind, **facts):
        line = dict(facts, kind=kind)
        self._write(line)
        self._take(line)

    def _take(self, line):
        kind = line["kind"]
        if kind == "cell":
            cell = cell_of(line)
            self._cells[cell.suite, cell.key] = cell
        elif kind == "absent":
            one = model.Absent(line["name"], line["label"], line["version"], line["reason"])
            self._absent[one.name, one.version] = one
        elif kind == "pilot":
            self._pilots[line["pilot"]] = line
        elif kind == "floor":
            self._floors[line["group"], line["round"]] = line["ns"]
        elif kind == "run":
            self._runs.setdefault(line["key"], {})[line["round"]] = summary.Summary(**line["summary"])
            self._failures.pop(line["key"], None)
        elif kind == "failure":
            self._failures.setdefault(line["key"], {})[line["round"]] = line["reason"]
        elif kind == "counts":
            self._counts[line["name"], line["version"]] = (line["instructions"], line["clock_reads"])
        elif kind == "counted":
            self._counted.setdefault(line["version"], []).append(line.get("only"))
            for one in line["breakdowns"]:
                made = model.Breakdown(**one)
                self._breakdowns[made.name, made.version] = made
        elif kind == "answer":
            self._answers[line["script"]] = line["answer"]
        elif kind == "session":
            self.sessions.append(line)
        else:
            raise Refused("%s has a line of the unknown kind %s: start over with --fresh" % (self.path, kind))

    def add_cell(self, cell):
        if self._cells.get((cell.suite, cell.key)) != cell:
            self.add("cell", **dataclasses.asdict(cell))

    def add_absent(self, absent):
        if self._absent.get((absent.name, absent.version)) != absent:
            self.add("absent", **dataclasses.asdict(absent))

    def add_run(self, key, number, made):
        self.add("run", key=key, round=number, summary=dataclasses.asdict(made))

    def cells(self):
        return list(self._cells.values())

    def absent(self):
        """Those that were absent once and are there now have runs."""
        there = {(cell.configuration.name, cell.version) for cell in self._cells.values()}
        return [one for key, one in self._absent.items() if key not in there]

    def pilot(self, name):
        return self._pilots.get(name)

    def calm_floor_ns(self):
        """The floor of the calm machine, as the other figures are. None where none was measured."""
        return speed.best(self._floors.values()) if self._floors else None

    def runs(self, key):
        return self._runs.get(key, {})

    def is_done(self, key, number):
        return number in self._runs.get(key, {}) or self.has_failed(key)

    def has_failed(self, key):
        """No more of its rounds are tried: it failed twice."""
        return key in self._failures

    def failures(self, key):
        return ["Round %d failed, no more were run: %s" % (number, reason)
                for number, reason in sorted(self._failures.get(key, {}).items())]

    def add_counted(self, version, only, counts, breakdowns):
        """All that was counted with an interpreter, or ("") of functions in C; `only` is the choice of --only, None: everything.
        The last line says that the others are there."""
        for name, made in counts:
            self.add("counts", name=name, version=version, instructions=made.instructions, clock_reads=made.clock_reads)
        self.add("counted", version=version, only=only, breakdowns=[dataclasses.asdict(one) for one in breakdowns])

    def counts(self):
        return self._counts

    def has_counted(self, version, only):
        found = self._counted.get(version, [])
        return None in found or only in found

    def breakdowns(self):
        return list(self._breakdowns.values())

    def answers(self):
        """Of other scripts, by name."""
        return self._answers

    def baseline(self, cell):
        """The untraced cell that belongs to it, of the same group; None where that is absent."""
        wanted = cell.configuration.baseline
        return next((other for other in self._cells.values() if other.group == cell.group and other.configuration.kind == "none"
                     and wanted in ("", other.configuration.name)), None)

    def close(self):
        if self._out:
            self._out.close()

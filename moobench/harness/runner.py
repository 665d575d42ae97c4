"""Runs cells in rounds. In a round all cells of a group take their turns, in an order that is another in each round, after the
untraced ones; rounds of all groups alternate, so that an hour of bad weather on the machine is in one round of each."""
import dataclasses
import os
import shutil
import statistics
import subprocess
import tempfile
import time

import measuring
import peers
from harness import children, context, driver, model, plan, raw, summary

TRIES = 2


class Stopped(BaseException):
    """By a signal; no part of the benchmark may take it for a failure of its own."""


@dataclasses.dataclass
class Planned:
    cell: model.Cell
    expected_s: float

    @property
    def is_base(self):
        return self.cell.configuration.kind == "none"


class Runner:
    """`base` is the Context that runs get, with a folder of their own each."""

    def __init__(self, journal, base, progress, raw_folder=None):
        self.journal, self.base, self.progress, self.raw_folder = journal, base, progress, raw_folder
        self._floor = None

    def once(self, cell):
        """One process. Raises whatever the peer raises."""
        folder = tempfile.mkdtemp(prefix="run-", dir=self.base.work)
        try:
            configuration = cell.configuration
            return peers.module(configuration.peer).run(configuration, cell, dataclasses.replace(self.base, folder=folder))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def attempt(self, cell, take):
        """take(run, seconds) of the first run that succeeds; None, and the reason of the last failure, if none does."""
        reason = None
        for _ in range(TRIES):
            begun = time.monotonic()
            try:
                return take(self.once(cell), time.monotonic() - begun), None
            except Exception as failure:  # of a peer, of any kind: an unattended benchmark goes on without it
                reason = one_line(failure)
                children.end_all()
        return None, reason

    def pilot(self, cell):
        """How long an invocation takes, and a run without any. None, if the configuration does not work; the journal knows why."""
        name = plan.pilot_name(cell.configuration, cell.python)
        if self.journal.pilot(name) is None:
            self.progress.now("trying %s" % title(cell))
            facts, reason = self.attempt(cell, lambda run, seconds: times(run, cell, seconds))
            if reason:
                self.journal.add("absent", name=cell.configuration.name, label=cell.configuration.label, version=cell.version,
                                 reason=reason)
                self.progress.say("%s: %s" % (title(cell), reason))
                return None
            self.journal.add("pilot", pilot=name, **facts)
        return self.journal.pilot(name)

    def due(self, number, group):
        """`group` is a list of Planned. A round that was begun and not finished is done anew: what is compared is run together."""
        cells = [planned for planned in group if not self.journal.has_failed(planned.cell.key)]
        return cells if not all(self.journal.is_done(planned.cell.key, number) for planned in cells) else []

    def round(self, number, group):
        cells = self.due(number, group)
        if cells:
            self.floor(number, group[0].cell.group)
        for planned in ordered(cells, number):
            self.step(number, planned)
        return bool(cells)

    def step(self, number, planned):
        cell, begun = planned.cell, time.monotonic()
        self.progress.now("round %d · %s" % (number, title(cell)))
        made, reason = self.attempt(cell, lambda run, _: self.taken(run, cell, number))
        if reason:
            self.journal.add("failure", key=cell.key, round=number, reason=reason)
            self.progress.say("%s, round %d: %s" % (title(cell), number, reason))
        else:
            self.journal.add_run(cell.key, number, made)
        self.progress.finished(planned.expected_s, time.monotonic() - begun)

    def taken(self, run, cell, number):
        made = summary.of_run(run, cell.configuration)
        if self.raw_folder:
            raw.write(run, cell, number, self.raw_folder)
        return made

    def floor(self, number, group):
        if self._floor is None:
            self._floor = self.built_floor()
        if self._floor:
            said = subprocess.run([self._floor], env=measuring.environment(), check=True, stdout=subprocess.PIPE, text=True,
                                  preexec_fn=children.die_with_us).stdout
            self.journal.add("floor", group=group, round=number, ns=float(said))

    def built_floor(self):
        """The program; empty where there is no compiler, and then no floors."""
        compiler, program = shutil.which("cc") or shutil.which("gcc"), os.path.join(self.base.work, "floor")
        if not compiler:
            self.progress.say("there is no C compiler: nothing is said in floors")
            return ""
        subprocess.run([compiler, "-O2", "-o", program, os.path.join(context.MOOBENCH, "floor.c")], check=True)
        return program


def ordered(group, number):
    """The untraced ones first, then the others, each round beginning with another."""
    base = [planned for planned in group if planned.is_base]
    others = [planned for planned in group if not planned.is_base]
    if others:
        # Rounds are few: steps that spread over the group, not always the same neighbours before.
        start = (number - 1) * max(1, len(others) // 3) % len(others)
        others = others[start:] + others[:start]
    return base + others


def times(run, cell, seconds):
    """Of a pilot."""
    made = summary.of_run(run, cell.configuration)
    medians = [block[2] for block in made.blocks]
    spent_s = sum(sum(durations) for durations in run.durations) * 1e-9
    # The mean: some peers work now and then, and long. It is above what later invocations take, so runs do not get too long.
    mean_ns = spent_s * 1e9 / sum(len(durations) for durations in run.durations)
    return {"invocation_ns": max(statistics.median(medians), mean_ns, 1.0), "method_time_ns": cell.parameters.method_time_ns,
            "fixed_s": max(seconds - spent_s, 0.0)}


def one_line(failure):
    if isinstance(failure, subprocess.CalledProcessError):
        return "%s ended with status %d" % (os.path.basename(str(failure.cmd[0])), failure.returncode)
    text = " ".join(str(failure).split())
    known = isinstance(failure, (peers.Failure, driver.DriverFailure))
    return text if known and text else "%s: %s" % (type(failure).__name__, text)


def place(cell):
    return title(cell).split(", ", 1)[1]


def title(cell):
    p = cell.parameters
    return ", ".join([cell.configuration.label, "CPython " + cell.version if cell.version else "C", "depth %d" % p.depth]
                     + (["%d threads" % p.threads] if p.threads > 1 else []))

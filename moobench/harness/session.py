"""One sitting of the benchmark: measures what is not yet in the journal of what was asked for; and results of all sittings."""
import dataclasses
import os
import time
import typing

import peers
from harness import (breakdown, callgrind, children, claims, counting, machine, model, others, plan, progress, results, runner,
                     summary)


@dataclasses.dataclass(frozen=True)
class Limits:
    """`run_s` is what the workload of one run may take. No round is begun that would not end within `budget_s`, but the first."""
    rounds: int
    run_s: float
    budget_s: typing.Optional[float]


# What follows the rounds in the full run, instructions and promises, takes some ten minutes more.
FULL = Limits(rounds=7, run_s=1.2, budget_s=1500)
QUICK = Limits(rounds=3, run_s=0.35, budget_s=160)


def limits_of(options):
    usual = QUICK if options.quick else FULL
    return dataclasses.replace(usual, rounds=options.rounds, budget_s=None) if options.rounds else usual


def world_of(options, base):
    """`base` is the context of what is asked whether it is there."""
    def is_absent(configuration, cell):
        return peers.module(configuration.peer).absent(configuration, cell, base)

    references = options.pythons if options.python else plan.default_references(options.pythons)
    return plan.World(options.pythons, references[:1] if options.quick else references, options.only, is_absent,
                      options.method_time)


def suites_of(options):
    return options.suite or [name for name, suite in plan.SUITES.items() if suite.quick or not options.quick]


class Session:
    def __init__(self, options, base, book):
        self.options, self.base, self.book = options, base, book
        self.limits, self.suites, self.world = limits_of(options), suites_of(options), world_of(options, base)
        self.shown = progress.Progress()
        self.runner = runner.Runner(book, base, self.shown, os.path.join(options.output, "raw") if options.raw else None)

    def run(self):
        """False where a signal ended it."""
        facts = machine.facts(self.base.tools)
        self.book.add("session", time=time.time(), load=machine.load(), machine=facts)
        try:
            self.measure()
            self.shown.say("measured in %s" % progress.duration(self.shown.elapsed_s()))
            return True
        except runner.Stopped as signaled:
            self.shown.say("run: ended by %s; the same command goes on" % signaled)
            return False
        finally:
            children.end_all()
            self.book.add("session", time=time.time(), load=machine.load(), machine=facts)

    def measure(self):
        groups = self.planned_groups()
        for absent in self.world.all_absent():
            self.book.add_absent(absent)
        due = [planned for number in self.numbers() for group in groups for planned in self.runner.due(number, group)]
        self.shown.plan(len(due), sum(planned.expected_s for planned in due))
        self.shown.say("%d runs, about %s" % (len(due), progress.duration(self.shown.left_s())))
        self.rounds(groups)
        if "instructions" in self.suites:
            self.count()
        if "claims" in self.suites:
            self.ask_others()

    def numbers(self):
        return range(1, self.limits.rounds + 1)

    def planned_groups(self):
        """After the pilots: lists of Planned that are run together, and the journal knows the cells."""
        groups = {}
        for suite in self.suites:
            for choice in plan.choices(self.world, suite):
                planned = self.planned(suite, choice)
                if planned:
                    # The same measurement may be of several suites.
                    groups.setdefault(planned.cell.group, {})[planned.cell.key] = planned
        return [list(group.values()) for group in groups.values()]

    def planned(self, suite, choice):
        """None where the configuration does not work."""
        pilot = self.runner.pilot(self.world.cell(suite, plan.Choice(choice.configuration, choice.python), plan.PILOT))
        if not pilot:
            return None
        parameters = plan.parameters(choice, pilot, self.limits.run_s, self.options.invocations)
        cell = self.world.cell(suite, choice, parameters)
        self.book.add_cell(cell)
        return runner.Planned(cell, plan.expected_s(choice, pilot, parameters))

    def rounds(self, groups):
        for number in self.numbers():
            if number > 1 and not self.is_time_for(number):
                self.shown.say("round %d is left out: it would not end within %s; the same command goes on" % (
                    number, progress.duration(self.limits.budget_s)))
                return
            for group in groups:
                if self.runner.round(number, group):
                    self.shown.group("round %d, %s" % (number, runner.place(group[0].cell)))

    def is_time_for(self, number):
        a_round_s = self.shown.left_s() / (self.limits.rounds - number + 1)
        return not self.limits.budget_s or self.shown.elapsed_s() + a_round_s <= self.limits.budget_s

    def count(self):
        """With each reference interpreter, and then of functions in C; each is in the journal when it is done."""
        references, only = self.world.references, self.options.only
        due = {self.world.version(python): lambda bench, python=python: counting.of_interpreter(bench, python, self.base, only)
               for python in references}
        if references:
            due[""] = lambda bench: (counting.native_counts(bench, references[0], only=only), [])
        due = {version: count for version, count in due.items() if not self.book.has_counted(version, only)}
        if not due or not callgrind.folder_of_tool():
            return
        with counting.Bench(self.base.tools) as bench:
            for version, count in due.items():
                where = "CPython " + version if version else "C"
                self.shown.now("counting instructions, %s" % where)
                try:
                    ours, others = count(bench)
                    self.book.add_counted(version, only, counting.configurations(ours, others), self.broken_down(ours, bench.shim))
                except Exception as failure:  # of valgrind, or of a peer under it: what was timed is worth no less
                    self.shown.say("instructions, %s: not counted: %s" % (where, runner.one_line(failure)))

    def broken_down(self, counts, library):
        try:
            return breakdown.of_counts(counts, library)
        except callgrind.Failure as failure:
            self.shown.say("parts of instructions: %s" % failure)
            return []

    def ask_others(self):
        due = [name for name in others.SCRIPTS if name not in self.book.answers()]
        self.shown.plan(len(due), sum(others.SCRIPTS[name].expected_s for name in due))
        for name in due:
            script, begun = others.SCRIPTS[name], time.monotonic()
            self.shown.now(script.subject)
            try:
                self.book.add("answer", script=name, answer=others.ask(name, self.base.tools))
            except others.Failure as failure:
                self.shown.say("%s: not measured: %s" % (script.subject, failure))
            self.shown.finished(script.expected_s, time.monotonic() - begun)
            self.shown.group(script.subject)


def results_of(book):
    """Of everything in the journal, whichever session measured it."""
    rows, unfinished = summary.rows(book)
    first, last = book.sessions[0], book.sessions[-1]
    facts = dict(first["machine"], date=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(first["time"])), timestamp=first["time"],
                 load_start=round(first["load"], 2), load_end=round(last["load"], 2))
    promised = claims.judge(rows, book.answers()) if book.answers() else []
    return results.Results(rows=rows, absent=book.absent() + unfinished, claims=promised, machine=facts, options=book.fixed,
                           answers=book.answers(), breakdowns=book.breakdowns(), counted=counted(book))


def counted(book):
    """A builtin called from Python is counted, and no configuration."""
    labels = {one.name: one.label for one in peers.configurations()}
    return [model.Counted(name, labels.get(name, name), version, instructions, clock_reads)
            for (name, version), (instructions, clock_reads) in book.counts().items()]

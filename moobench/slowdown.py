#!/usr/bin/env python3
"""How much slower programs run under kprobe's engines, VizTracer and cProfile, as ratios to the untraced run.

    slowdown.py                         every interpreter found, as tables
    slowdown.py --markdown              docs/cost.md, whose tables README.md quotes
    slowdown.py --python 3.12 --quick   a first look, in two minutes

All configurations of a workload run once a round, one after the other, on processor time of the program's thread; ratios are
taken inside a round, and the table has their medians. Runs are processes of their own; each makes the loops twice and counts
the second pass. What is recorded is complete in all of them, or the run fails: kprobe waits for its writer when a ring is full
(no processor time), VizTracer's buffer holds all entries.

The verdict compares what tracing adds to the untraced time with what VizTracer without functions in C adds, because kprobe
records the same calls by default.
"""
import argparse
import collections
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile

import measuring
import workloads

HERE = os.path.dirname(os.path.abspath(__file__))
RUNNER = os.path.join(HERE, "workloads")
PACKAGES = os.path.join(HERE, "..", "scripts", "python-packages")

# Column titles of what is not an engine.
PEERS = collections.OrderedDict([
    ("viztracer", "VizTracer, no C"),
    ("viztracer-c", "VizTracer"),
    ("cprofile", "cProfile"),
])
LIKE_WITH_LIKE = "viztracer"

# A second untraced run in each round: how far its ratio is from 1 is what the machine adds by itself.
AGAIN = "untraced"

# An addition is one that can be compared from so many times that on, and in any case from this much on.
NOISE_FACTOR, NOISE_LEAST = 2, 0.02


class Bench:
    """One interpreter: its configurations, and how each is run."""

    def __init__(self, python, tools, wanted):
        self.python = python
        self.shim = measuring.library(tools)
        self.kprobe = os.path.join(os.path.dirname(self.shim), "kprobe")
        self.version = measuring.version_of(python)
        self.notes = []
        self.engines = measuring.engines_of(python, self.shim, wanted)
        self.peers_folder = None
        self.configurations = self.engines + [name for name in PEERS if (not wanted or name in wanted) and self.has_peer(name)]

    def has_peer(self, name):
        if name != "cprofile" and not self.peers_folder:
            self.install_peers()
        return name == "cprofile" or self.peers_folder is not None

    def install_peers(self):
        done = subprocess.run([PACKAGES, "peers", self.python], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            reason = "VizTracer cannot be installed: " + (done.stderr.strip().splitlines() or ["?"])[-1]
            self.notes = [reason]
            return
        self.peers_folder = done.stdout.strip()
        name = next(name for name in os.listdir(self.peers_folder) if re.fullmatch(r"viztracer-.*\.dist-info", name))
        self.notes = ["VizTracer " + name[len("viztracer-"):-len(".dist-info")]]

    def calibrate(self, name, seconds):
        return self.ask([name, "--calibrate", str(seconds)], measuring.environment())

    def ask(self, arguments, environment):
        done = subprocess.run([self.python, RUNNER] + arguments, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True)
        if done.returncode:
            sys.exit("slowdown: %s %s: %s" % (self.python, " ".join(arguments), done.stderr.strip()))
        return json.loads(done.stdout)

    def run(self, configuration, name, size):
        arguments = [name, "--loops", str(size["loops"])]
        if configuration in self.engines:
            return self.run_traced(arguments, configuration)
        environment = measuring.environment()
        if configuration == "cprofile":
            arguments += ["--tracer", "cprofile"]
        elif configuration in PEERS:
            environment["PYTHONPATH"] = self.peers_folder
            arguments += ["--tracer", "viztracer", "--entries", str(size["calls"] + 1000)]
            arguments += ["--c-functions"] if configuration == "viztracer-c" else []
        return self.ask(arguments, environment)

    def run_traced(self, arguments, engine):
        with tempfile.TemporaryDirectory(prefix="kprobe-slowdown-") as folder:
            trace = os.path.join(folder, "trace.kpt")
            answer = self.ask(arguments, measuring.environment(self.shim, ENGINE=engine, OUTPUT="file:" + trace, ON_FULL="block"))
            facts = json.loads(subprocess.run([self.kprobe, "info", "--json", trace], check=True, capture_output=True).stdout)
        if facts["calls_lost"] or facts["processes"][0]["engine"] != engine:
            sys.exit("slowdown: engine %s: %d calls lost, traced by %s"
                     % (engine, facts["calls_lost"], facts["processes"][0]["engine"]))
        answer["calls"] = facts["calls"]
        return answer


def measure(bench, name, rounds, seconds):
    """For each configuration the ratios to the untraced run of the same round."""
    size = bench.calibrate(name, seconds)
    order = [None, AGAIN] + bench.configurations
    ratios = {configuration: [] for configuration in order[1:]}
    whole = {configuration: [] for configuration in order[1:]}
    for number in range(rounds):
        answers = {}
        for configuration in order[number % len(order):] + order[:number % len(order)]:
            answers[configuration] = bench.run(configuration, name, size)
        plain = answers.pop(None)
        for configuration, answer in answers.items():
            if answer["result"] != plain["result"]:
                sys.exit("slowdown: %s returned %s under %s, not %s" % (name, answer["result"], configuration, plain["result"]))
            ratios[configuration].append(answer["thread_ns"] / plain["thread_ns"])
            whole[configuration].append(answer["process_ns"] / plain["process_ns"])
    noise = NOISE_FACTOR * statistics.median(abs(ratio - 1) for ratio in ratios[AGAIN])
    return {"workload": name, "loops": size["loops"], "noise": max(noise, NOISE_LEAST), "rounds": ratios,
            "slowdown": {c: statistics.median(r) for c, r in ratios.items()},
            "slowdown_process": {c: statistics.median(r) for c, r in whole.items()}}


def added_ratio(row, engine, peer):
    """How many times more the peer adds to the untraced time; None: what the engine adds is below the noise.

    Of the medians: in a single round a small addition can be anything, and a ratio to it even more.
    """
    ours, theirs = row["slowdown"][engine] - 1, row["slowdown"][peer] - 1
    return theirs / ours if ours >= row["noise"] else None


def compare(bench, rows):
    """Workload to the ratio, for the engine that `auto` takes; None if there is nothing to compare."""
    if not bench.engines or LIKE_WITH_LIKE not in bench.configurations:
        return None
    return {row["workload"]: added_ratio(row, bench.engines[0], LIKE_WITH_LIKE) for row in rows}


def is_slower(compared):
    return any(ratio is not None and ratio < 1 for ratio in (compared or {}).values())


def verdict(bench, compared):
    """The statement: where VizTracer is faster, and where it is less than 2 times slower."""
    if compared is None:
        return ["No verdict on CPython %s: %s." % (bench.version, "; ".join(bench.notes) or "an engine and VizTracer are needed")]
    named = {name: "%s (%.2f)" % (name, ratio) for name, ratio in compared.items() if ratio is not None}
    slower = [text for name, text in named.items() if compared[name] < 1]
    near = [text for name, text in named.items() if 1 <= compared[name] < 2]
    nothing = [name for name in compared if name not in named]
    lines = ["CPython %s, `%s` against VizTracer without C, by added time: %s." % (
        bench.version, bench.engines[0], "slower in " + ", ".join(slower) if slower else "nowhere slower"),
        "Less than 2 times better: %s." % (", ".join(near) or "none")]
    if nothing:
        lines.append("What is added is below the noise of the machine, not compared: %s." % ", ".join(nothing))
    return lines


def mean(rows, what, configuration):
    return statistics.geometric_mean([row[what][configuration] for row in rows])


def table(bench, rows):
    """Lines of cells, the title first."""
    columns = [AGAIN] + bench.configurations
    titles = dict(PEERS, **{engine: "`%s`" % engine for engine in bench.engines}, **{AGAIN: "untraced again"})
    yield ["CPython " + bench.version] + [titles[c] for c in columns]
    for row in rows:
        yield [row["workload"]] + ["%.2f" % row["slowdown"][c] for c in columns]
    yield ["geometric mean"] + ["%.2f" % mean(rows, "slowdown", c) for c in columns]
    yield ["… with kprobe's thread"] + ["%.2f" % mean(rows, "slowdown_process", c) for c in columns]


def print_text(bench, rows, said):
    lines = list(table(bench, rows))
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for line in lines:
        print(line[0].ljust(widths[0]) + "".join("  " + cell.rjust(width) for cell, width in zip(line[1:], widths[1:])))
    print("\n".join(said + bench.notes) + "\n", flush=True)


def print_markdown(bench, rows, said):
    lines = list(table(bench, rows))
    lines.insert(1, ["---"] + ["---:"] * (len(lines[0]) - 1))
    print("## CPython %s\n" % bench.version)
    print("\n".join("| %s |" % " | ".join(line) for line in lines))
    print("\n" + " ".join(said) + (" (%s)" % ", ".join(bench.notes) if bench.notes else "") + "\n", flush=True)


def show_progress(text):
    if sys.stderr.isatty():
        print("\r%-40s%s" % (text, "" if text else "\r"), end="", file=sys.stderr, flush=True)


HEADING = """# How much slower programs run

What `moobench/slowdown.py --markdown%s` prints: processor time of the program's thread relative to the untraced run, medians of
the ratios of %d rounds, in each of which all configurations ran, the untraced one twice (what it differs from 1 is noise). kprobe
writes its trace to a file, complete. VizTracer's buffer holds all entries and has been touched before; nothing is written. "no C" is
its `--ignore_c_function`: it records the calls that kprobe records by default, and costs it least; cProfile and plain VizTracer see
functions in C as well. The last row has the time of kprobe's writer thread in it, which runs on another core if there is one.

| workload | what it is about |
| --- | --- |
%s"""


def print_heading(asked):
    extra = " --quick" if asked.quick else ""
    rows = "\n".join("| %s | %s |" % (name, about) for name, (_, _, about) in workloads.TABLE.items())
    print(HEADING % (extra, asked.rounds, rows) + "\n")


def options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], epilog="workloads: " + "; ".join(
        "%s: %s" % (name, about) for name, (_, _, about) in workloads.TABLE.items()))
    parser.add_argument("--python", action="append", help="a path or a version (3.12); may be given several times")
    parser.add_argument("--tools", default=measuring.DEFAULT_TOOLS, help="folder of libkprobe.so and kprobe (a release build)")
    parser.add_argument("--workload", action="append", choices=workloads.TABLE, metavar="NAME", help="only this one")
    parser.add_argument("--config", action="append", choices=measuring.ENGINES + list(PEERS), metavar="NAME",
                        help="only this engine or peer: " + ", ".join(measuring.ENGINES + list(PEERS)))
    parser.add_argument("--rounds", type=int, help="(5, quick 3)")
    parser.add_argument("--seconds", type=float, help="of each untraced pass (0.2, quick 0.05)")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--check", action="store_true", help="fail where kprobe is slower than VizTracer")
    answers = parser.parse_args()
    rounds, seconds = (3, 0.05) if answers.quick else (5, 0.2)
    answers.rounds, answers.seconds = answers.rounds or rounds, answers.seconds or seconds
    return answers


def main():
    asked = options()
    everything, status = [], 0
    if asked.markdown:
        print_heading(asked)
    for python in measuring.chosen_pythons(asked.python):
        bench = Bench(python, asked.tools, asked.config)
        rows = []
        for name in asked.workload or workloads.TABLE:
            show_progress("CPython %s, %s" % (bench.version, name))
            rows.append(measure(bench, name, asked.rounds, asked.seconds))
        show_progress("")
        compared = compare(bench, rows)
        said = verdict(bench, compared)
        status |= is_slower(compared)
        everything.append({"python": python, "version": bench.version, "notes": bench.notes, "verdict": said,
                           "better_than_viztracer": compared, "rows": rows})
        if not asked.json:
            (print_markdown if asked.markdown else print_text)(bench, rows, said)
    if asked.json:
        json.dump(everything, sys.stdout, indent=1)
        print()
    return status if asked.check else 0


if __name__ == "__main__":
    sys.exit(main())

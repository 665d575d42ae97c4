"""Peers that measure nothing: their durations are known, and some fail. `run` is moobench/run with these in place of the real."""
import array
import importlib.machinery
import importlib.util
import os
import subprocess
import sys
import time
import types

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(TOP, "moobench"))
import peers  # noqa: E402
from harness import children, model, plan  # noqa: E402

UNTRACED_NS, SWITCHED_NS, SLOW_NS = 1000, 1500, 4000


def configuration(name, kind, **more):
    return model.Configuration(name=name, label="fake, %s" % name, language="python", peer="fake", kind=kind, **more)


CONFIGURATIONS = [
    configuration("untraced", "none"),
    configuration("switched", "null", switchable=True, engine="opcode"),
    configuration("slow", "file"),
    configuration("broken", "text"),
    configuration("flaky", "binary"),
    configuration("missing", "tcp"),
    configuration("sleeping", "tcp"),
]
failed_once = set()


def absent(asked, cell, context):
    if asked.name == "sleeping":
        return None if os.environ.get("FAKE_SLEEPS") else "is not asked for"
    return "needs what is not there" if asked.name == "missing" else None


def fill(cell, duration_ns, switchable, traced=True):
    """Blocks of one duration each, so that all estimates are known; the warm-up is slower."""
    p = cell.parameters
    durations, blocks = [array.array("q") for _ in range(p.threads)], []
    for thread in range(p.threads):
        for i in range(p.blocks):
            is_traced = i % 2 == 1 if switchable else traced
            blocks.append(model.Block(thread, is_traced, i * p.invocations, p.invocations, 100.0, 101.0))
            warm = 0 if i >= p.blocks // 2 else 100
            durations[thread].extend([(duration_ns if is_traced else UNTRACED_NS) + warm] * p.invocations)
    calls = sum(block.count for block in blocks if block.traced) * p.depth
    return model.Run(durations=durations, blocks=blocks, calls_made=calls, calls_recorded=calls, calls_lost=0,
                     recorded_bytes=3 * calls, workload_cpu_ns=1000, process_cpu_ns=1000 + (2 * calls if traced else 0),
                     peak_bytes=5000 if traced else 1000)


def run(asked, cell, context):
    if asked.name == "broken":
        raise peers.Failure("recorded nothing")
    if asked.name == "flaky" and not failed_once:
        failed_once.add(asked.name)
        raise peers.Failure("did not start")
    if asked.name == os.environ.get("FAKE_FAILS") and cell.parameters.invocations != plan.PILOT.invocations:
        raise peers.Failure("has no more room")
    log(asked.name, cell)
    if asked.name == "sleeping":
        subprocess.run(["sleep", "300"], preexec_fn=children.die_with_us)
    if os.environ.get("FAKE_PAUSE"):
        time.sleep(float(os.environ["FAKE_PAUSE"]))
    duration = {"untraced": UNTRACED_NS, "switched": SWITCHED_NS}.get(asked.name, SLOW_NS)
    return fill(cell, duration, asked.switchable, traced=asked.name != "untraced")


def log(name, cell):
    if os.environ.get("FAKE_LOG"):
        with open(os.environ["FAKE_LOG"], "a") as out:
            out.write("%s %d\n" % (name, cell.parameters.invocations))


def install():
    sys.modules["peers.fake"] = sys.modules[__name__] if __name__ != "__main__" else _copy()
    peers.MODULES[:] = ["fake"]


def _copy():
    made = types.ModuleType("peers.fake")
    made.__dict__.update((name, value) for name, value in globals().items() if not name.startswith("__"))
    return made


def moobench_run():
    """The program, as a module."""
    loader = importlib.machinery.SourceFileLoader("moobench_run", os.path.join(TOP, "moobench", "run"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("moobench_run", loader))
    loader.exec_module(module)
    return module


if __name__ == "__main__":
    install()
    program = moobench_run()
    sys.exit(program.to_a_reader(program.main))

"""Starts a driver and reads what it says. The drivers, in Python and in C, have one protocol:

    DRIVER --invocations N --blocks B --depth D --method-time NS --threads K --report FILE --durations FILE [MORE]

They call monitored_method(method_time, depth) B times N times in each thread and keep every duration in memory. Blocks alternate,
untraced first, where the probe can be switched by the driver; otherwise all are traced. When the last block is done the
driver writes the durations (64-bit integers in the machine's order, thread after thread) and its report, one JSON object:

    {"blocks": [{"thread": 0, "traced": true, "first": 0, "count": N, "speed_before_ns": 1.0, "speed_after_ns": 1.0}, ...],
     "workload_cpu_ns": 0, "process_cpu_ns": 0, "peak_bytes": 0}

The first invocations of a run are a warm-up: MooBench drops the first half, and so does the reader of the blocks, so drivers write
all of them.
"""
import array
import json
import os
import subprocess

from harness import children, model


class DriverFailure(Exception):
    """The driver ended otherwise than by itself, or said what cannot be."""


def arguments(parameters, folder):
    return ["--invocations", str(parameters.invocations), "--blocks", str(parameters.blocks), "--depth", str(parameters.depth),
            "--method-time", str(parameters.method_time_ns), "--threads", str(parameters.threads),
            "--report", os.path.join(folder, "report.json"), "--durations", os.path.join(folder, "durations")]


def run(command, parameters, folder, environment, more=(), timeout_s=300):
    """`command` is what comes before the driver's arguments, `more` what comes after them. Returns a model.Run whose facts about
    what was recorded are still unknown (None); the peer fills them in."""
    try:
        done = subprocess.run(command + arguments(parameters, folder) + list(more), env=environment, cwd=folder,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout_s,
                              preexec_fn=children.die_with_us)
    except subprocess.TimeoutExpired:
        raise DriverFailure("the driver did not end within %d s" % timeout_s) from None
    if done.returncode:
        lines = done.stdout.decode(errors="replace").strip().splitlines()
        raise DriverFailure("the driver ended with status %d: %s" % (done.returncode, lines[-1] if lines else ""))
    return read(parameters, folder)


def read(parameters, folder):
    with open(os.path.join(folder, "report.json")) as text:
        report = json.load(text)
    flat = array.array("q")
    with open(os.path.join(folder, "durations"), "rb") as raw:
        flat.frombytes(raw.read())
    each = parameters.blocks * parameters.invocations
    if len(flat) != each * parameters.threads:
        raise DriverFailure("the driver wrote %d durations, not %d" % (len(flat), each * parameters.threads))
    blocks = [model.Block(**block) for block in report["blocks"]]
    if len(blocks) != parameters.blocks * parameters.threads:
        raise DriverFailure("the driver reported %d blocks, not %d" % (len(blocks), parameters.blocks * parameters.threads))
    traced = sum(block.count for block in blocks if block.traced)
    return model.Run(durations=[flat[i * each:(i + 1) * each] for i in range(parameters.threads)], blocks=blocks,
                     calls_made=traced * parameters.depth, calls_recorded=None, calls_lost=None, recorded_bytes=None,
                     workload_cpu_ns=report["workload_cpu_ns"], process_cpu_ns=report["process_cpu_ns"],
                     peak_bytes=report["peak_bytes"])

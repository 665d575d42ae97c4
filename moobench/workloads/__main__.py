"""Runs one workload and prints, as JSON: the processor time of this thread and of the process, the time on the clock, the result.

    python moobench/workloads NAME --loops N [--tracer viztracer|cprofile ...]
    python moobench/workloads NAME --calibrate SECONDS      how many loops take so long, and how many calls they make

The loops are made twice, and the second pass is what counts: caches and specialised code are warm, buffers have been touched.
Tracers that live in the program are started and stopped here, around each pass.
"""
import argparse
import gc
import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import workloads  # noqa: E402


def nothing():
    pass


def viztracer(entries, functions_in_c):
    from viztracer import VizTracer

    tracer = VizTracer(tracer_entries=entries, ignore_c_function=not functions_in_c, verbose=0)
    return tracer.start, tracer.stop, tracer.clear


def cprofile():
    import cProfile

    profiler = cProfile.Profile()
    return profiler.enable, profiler.disable, profiler.clear


def peer(options):
    """What starts it, what stops it, and what makes it forget."""
    if options.tracer == "viztracer":
        return viztracer(options.entries, options.c_functions)
    if options.tracer == "cprofile":
        return cprofile()
    return nothing, nothing, nothing


def measure(function, loops, start=nothing, stop=nothing):
    gc.collect()
    start()
    wall, process, thread = time.perf_counter_ns(), time.process_time_ns(), time.thread_time_ns()
    result = function(loops)
    thread, process, wall = time.thread_time_ns() - thread, time.process_time_ns() - process, time.perf_counter_ns() - wall
    stop()
    return {"thread_ns": thread, "process_ns": process, "wall_ns": wall, "result": repr(result)}


def calibrate(function, seconds):
    """Loops for that time."""
    loops = 1
    while True:
        took = measure(function, loops)["thread_ns"] / 1e9
        if took >= seconds / 4:
            return max(1, round(loops * seconds / took))
        loops *= 4 if took < seconds / 16 else 2


def calls_of(function, loops):
    """Calls and resumptions, of functions in C too, as cProfile counts them: what a peer's buffer has to hold."""
    import cProfile

    def counted():
        profiler = cProfile.Profile()
        profiler.enable()
        function(count)
        profiler.disable()
        return sum(entry.callcount for entry in profiler.getstats())

    count = 1
    once = counted()
    count = 3
    return once + (counted() - once) * (loops - 1) // 2


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=workloads.TABLE)
    parser.add_argument("--loops", type=int, default=1)
    parser.add_argument("--calibrate", type=float, metavar="SECONDS")
    parser.add_argument("--tracer", choices=["viztracer", "cprofile"])
    parser.add_argument("--entries", type=int, default=1000000, help="of VizTracer's buffer")
    parser.add_argument("--c-functions", action="store_true", help="VizTracer records functions in C, too")
    options = parser.parse_args()
    function = workloads.find(options.name)
    if options.calibrate:
        loops = calibrate(function, options.calibrate)
        print(json.dumps({"loops": loops, "calls": calls_of(function, loops)}))
        return
    start, stop, forget = peer(options)
    measure(function, options.loops, start, stop)
    forget()
    print(json.dumps(measure(function, options.loops, start, stop)))


if __name__ == "__main__":
    main()

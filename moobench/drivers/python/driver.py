"""The workload of MooBench in Python; what it is told and what it leaves is said in harness/driver.py.

    driver.py --invocations N --blocks B --depth D --method-time NS --threads K --report FILE --durations FILE
              --probe NAME [--with KEY=VALUE]...

NAME is a module in probes/, which can switch monitoring. All threads do the same blocks, and start each one together; the main
thread is the first of them. After each switch there are some invocations that are not timed, so that an interpreter that
rewrites its code has done so; the report says how many of them were monitored ("warm_up_calls"), as probes record them too.

While it times, the driver allocates nothing but integers, and writes nothing. The collector of garbage stays on, as in MooBench: the workload
gives it nothing to do, but a probe that keeps objects in memory may, and that is a cost of the probe.

Runs on every CPython from 3.8.
"""
import argparse
import array
import json
import threading
import time

import probes

# The speed check: one call of a function in C that no probe for Python sees into. Small integers from the free list: it fills
# no cache, and holds the GIL. About a millisecond.
SPEED_RANGE = range(60000)
# Method calls that are not timed after a switch: interpreters specialise code within some tens of calls.
WARM_UP_CALLS = 1000


def time_speed():
    """Processor time of this thread, so that threads that wait for each other do not look slow."""
    begin = time.thread_time_ns()
    sum(SPEED_RANGE)
    return time.thread_time_ns() - begin


def time_block(method, durations, first, count, method_time, depth):
    clock = time.perf_counter_ns
    for index in range(first, first + count):
        begin = clock()
        method(method_time, depth)
        end = clock()
        durations[index] = end - begin


class Workload:
    def __init__(self, arguments, probe, plain):
        self.invocations, self.blocks, self.threads = arguments.invocations, arguments.blocks, arguments.threads
        self.call = (arguments.method_time, arguments.depth)
        self.warm_up = max(2, min(self.invocations, WARM_UP_CALLS // arguments.depth))
        self.probe = probe
        self.methods = probe.methods(plain)
        self.durations = [array.array("q", bytes(8 * self.invocations * self.blocks)) for _ in range(self.threads)]
        self.reports = [[] for _ in range(self.threads)]
        self.cpu_ns = [0] * self.threads
        self.errors = []
        self.barrier = threading.Barrier(self.threads)

    def is_traced(self, block):
        return block % 2 == 1 if self.probe.switchable else self.probe.traces

    def switch(self, thread, traced):
        """All threads at once: the probe, then what it does in each thread."""
        self.barrier.wait()
        if thread == 0:
            (self.probe.on if traced else self.probe.off)()
        self.barrier.wait()
        if traced:
            self.probe.thread_on()

    def do_block(self, thread, block):
        traced = self.is_traced(block)
        method, durations, first = self.methods[traced], self.durations[thread], block * self.invocations
        if block == 0 or self.probe.switchable:
            self.switch(thread, traced)
        for _ in range(self.warm_up):
            method(*self.call)
        before = time_speed()
        self.barrier.wait()
        time_block(method, durations, first, self.invocations, *self.call)
        after = time_speed()
        if traced and (self.probe.switchable or block == self.blocks - 1):
            self.probe.thread_off()
        self.reports[thread].append({"thread": thread, "traced": traced, "first": first, "count": self.invocations,
                                     "speed_before_ns": before, "speed_after_ns": after})

    def work(self, thread):
        try:
            for block in range(self.blocks):
                self.do_block(thread, block)
            self.barrier.wait()
            if thread == 0:
                self.probe.off()
            self.cpu_ns[thread] = time.thread_time_ns()
        except BaseException as error:
            self.errors.append(error)
            self.barrier.abort()

    def run(self):
        others = [threading.Thread(target=self.work, args=(number,)) for number in range(1, self.threads)]
        for thread in others:
            thread.start()
        self.work(0)
        for thread in others:
            thread.join()
        for error in self.errors:
            if not isinstance(error, threading.BrokenBarrierError):
                raise error

    def warm_up_calls(self):
        return sum(self.warm_up * self.call[1] for blocks in self.reports for block in blocks if block["traced"])


def peak_bytes():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("invocations", "blocks", "depth", "method-time", "threads"):
        parser.add_argument("--" + name, type=int, required=True)
    for name in ("report", "durations", "probe"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--with", dest="settings", action="append", default=[], metavar="KEY=VALUE")
    return parser.parse_args()


def main():
    arguments = parse()
    probe = probes.load(arguments.probe)(dict(setting.split("=", 1) for setting in arguments.settings))
    # After the probe, which may have to see it imported.
    import monitored_application
    workload = Workload(arguments, probe, monitored_application.monitored_method)
    workload.run()
    probe.finish()
    report = {"blocks": [block for blocks in workload.reports for block in blocks], "warm_up_calls": workload.warm_up_calls(),
              "workload_cpu_ns": sum(workload.cpu_ns), "process_cpu_ns": time.process_time_ns(), "peak_bytes": peak_bytes()}
    report["probe"] = probe.facts(monitored_application.monitored_method.__code__)
    with open(arguments.durations, "wb") as file:
        for durations in workload.durations:
            durations.tofile(file)
    with open(arguments.report, "w") as file:
        json.dump(report, file)


main()

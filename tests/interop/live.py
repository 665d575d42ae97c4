"""Our live stream into original Kieker's receiver, which writes a log."""
import glob
import os
import re
import subprocess
from collections import Counter, defaultdict, deque

import exports
import kieker_log
import originals
from originals import TOP, run
from packs import Tee


RECEIVER_PATIENCE_S = 0.5


class Receiver:
    """Kieker's receiver and its log."""

    def __init__(self, java, folder):
        self.folder, self.port = folder, originals.free_port()
        command = java.command("Receiver", str(self.port), folder)
        self.errors = open(folder + ".errors", "w+", encoding="utf-8")  # pylint: disable=consider-using-with
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors)
        assert self.process.stdout.readline() == b"ready\n"
        originals.wait_for_listener(self.process, self.port)

    def finish(self):
        """The log, and how many records came."""
        printed, _ = self.process.communicate(timeout=originals.TIMEOUT_S)
        self.errors.seek(0)
        complaints = [line for line in self.errors if " ERROR " in line or "Exception" in line]
        self.errors.close()
        assert not complaints and not self.process.returncode, complaints[:20]
        found = re.fullmatch(rb"records (\d+)\n", printed)
        log, = glob.glob(os.path.join(self.folder, "kieker-*"))
        return log, int(found.group(1))


def stream_to(tools, port, program):
    """Runs the program with its events sent to this port; what it printed to stderr must be nothing."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("KPROBE_")}
    env.update(KPROBE_OUTPUT="kieker-tcp://127.0.0.1:%d" % port, PYTHONDONTWRITEBYTECODE="1", PYTHONHASHSEED="0", PYTHONNOUSERSITE="1")
    if program.rules:
        env["KPROBE_FILTER"] = program.rules
    done = run([exports.PYTHON, *program.command], env={**env, "LD_PRELOAD": os.path.join(tools, "libkprobe.so")}, cwd=exports.PROGRAMS)
    assert re.search(program.expected, done.stdout.decode()), done.stdout
    assert not done.stderr, done.stderr.decode()


def as_sent(record):
    """Kieker's receiver drops the logging time, its writer cannot escape."""
    return record.name, record.values


def in_order_sent(written, sent):
    """What the log has, connection after connection. Which of two connections a receiver reads first is its own affair: what a parent
    sends for a dead child may overtake the child's."""
    found = defaultdict(deque)
    for record in written:
        found[as_sent(record)].append(record)
    return [found[as_sent(record)].popleft() for records in sent for record in records]


def shapes(records):
    """What does not differ from run to run of a program with one thread: by traces, class, order and signatures."""
    order, traces = {}, []
    for record in records:
        if record.name == exports.TRACE + "TraceMetadata":
            order[record.values[0]] = len(traces)
            traces.append([])
        elif record.name.startswith(exports.OPERATION):
            traces[order[record.values[1]]].append((record.name, *record.values[2:]))
    return traces


def check_live(name, options, folder):
    """One program: what was sent, what Kieker's log has, what trace analysis says of it."""
    program, java = exports.PROGRAMS_BY_NAME[name], originals.Java(options.work)
    kprobe = os.path.join(options.tools, "kprobe")
    layout = kieker_log.layouts(kprobe, os.path.join(TOP, "irl", "models"))
    receiver = Receiver(java, os.path.join(folder, "received"))
    tee = Tee(receiver.port, RECEIVER_PATIENCE_S)
    stream_to(options.tools, tee.port, program)
    streams = tee.finish()
    log, received = receiver.finish()
    sent = [list(kieker_log.read_stream(layout, stream)) for stream in streams]
    written = list(kieker_log.read_log(layout, log))
    assert received == len(written) == sum(map(len, sent)), (received, len(written), list(map(len, sent)))
    assert Counter(map(as_sent, written)) == Counter(as_sent(record) for records in sent for record in records)
    for records in sent:
        assert all(record.logging_ns > 10**18 for record in records)
    if len(sent) == 1:
        assert list(map(as_sent, written)) == list(map(as_sent, sent[0])), "Kieker's log has another order"
    analysis, = originals.analyse_2(java, [(log, os.path.join(folder, "analysed"), False)])
    assert not analysis.invalid, analysis.invalid[:3000]
    exports.check_lines(log)
    classes = exports.check_records(in_order_sent(written, sent))
    befores = classes[exports.OPERATION + "BeforeOperationEvent"]
    assert befores == len(analysis.executions) > 1000, (classes, len(analysis.executions))
    print("%s: %d records over %d connections are in Kieker's log, %d traces with %d executions, none invalid"
          % (name, received, len(sent), analysis.traces, len(analysis.executions)))
    return layout, written


def threads(options, folder):
    check_live("web_server", options, folder)


def processes(options, folder):
    """A connection each."""
    check_live("command_runner", options, folder)


def pool(options, folder):
    """Workers that end without their exit handlers: what they had not sent yet is sent by their parent, and nothing twice."""
    check_live("process_pool", options, folder)


def sequence(options, folder):
    """With one thread, the stream is what convert makes of a trace file of the same program."""
    layout, streamed = check_live("documents", options, folder)
    kprobe = os.path.join(options.tools, "kprobe")
    os.environ["PYTHONHASHSEED"] = "0"
    traces = exports.PROGRAMS_BY_NAME["documents"].record(options.tools, folder)
    log = exports.Export(kprobe, folder, traces).log("text")
    live, later = shapes(streamed), shapes(kieker_log.read_log(layout, log))
    assert len(live) == len(later), "%d traces sent, %d recorded" % (len(live), len(later))
    for number, (left, right) in enumerate(zip(live, later)):
        differing = [pair for pair in zip(left, right) if pair[0] != pair[1]][:3]
        assert left == right, "trace %d: %d events and %d, %s" % (number, len(left), len(right), differing)
    print("the same %d traces as in the converted trace" % len(live))

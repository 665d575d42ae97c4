#!/usr/bin/env python3
"""Traces on their way to a collector that is not as it should be.

    faults.py KIND|all

After each fault what the collector wrote, with the spool where something had to stay there, must be a good trace
(`kprobe verify`) with exactly the calls that the program made; the program's output and status are those without kprobe.
"""
import glob
import inspect
import json
import os
import shutil
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "stress"))
import tracing  # noqa: E402
from tracing import Failure, kprobe  # noqa: E402
import kieker  # noqa: E402
from receiver import Receiver  # noqa: E402

CALLS = 20000
CHUNK = 32768  # slots that a chunk has at most


def check(condition, text, *values):
    if not condition:
        raise Failure(text % values if values else text)


class Run:
    """A folder with a spool, and programs under trace in it."""

    def __init__(self, python, folder):
        self.python, self.folder = python, folder
        self.spool = os.path.join(folder, "spool")
        self.made = {}
        os.mkdir(self.spool)
        os.mkdir(os.path.join(folder, "got"))

    def file(self, name):
        return os.path.join(self.folder, name)

    def receiver(self, address=None, **manners):
        return Receiver(self.file("got"), address, manners)

    def start(self, output, *arguments, **options):
        options = dict({"spool": self.spool, "linger": "10s"}, **options)
        env = tracing.environment(output=output, **options)
        with open(self.file("messages"), "ab") as messages:
            return subprocess.Popen([self.python, "-S", os.path.join(HERE, "program.py"), *map(str, arguments)], env=env,
                                    stdout=subprocess.PIPE, stderr=messages)

    def end(self, process, status=0):
        """Wait for it and take what it says of its calls."""
        output = process.communicate(timeout=60)[0].decode()
        check(process.returncode == status, "it ended with %d: %s", process.returncode, self.messages())
        for line in output.splitlines():
            pid, calls = map(int, line.split())
            self.made.setdefault(pid, []).append(calls)
        return output

    def run(self, output, *arguments, **options):
        return self.end(self.start(output, *arguments, **options))

    def messages(self):
        with open(self.file("messages"), encoding="utf-8") as file:
            return file.read()

    def spools(self):
        return sorted(glob.glob(os.path.join(self.spool, "*")))

    def traced(self, *traces):
        """Calls of step() by process, after all that must hold for good traces."""
        calls = {}
        for trace in traces:
            process = json.loads(kprobe("verify", "--json", trace))["processes"][0]
            rows = json.loads(kprobe("report", "--filter", "__main__.step", "--json", trace))["functions"]
            calls.setdefault(process["pid"], []).append(sum(row["calls"] for row in rows))
            check(not process["calls_lost"], "%s calls are lost", process["calls_lost"])
        return calls

    def check_all(self, *traces):
        got = {pid: sorted(calls) for pid, calls in self.traced(*traces).items()}
        made = {pid: sorted(calls) for pid, calls in self.made.items()}
        check(got == made, "made %s, traced %s", made, got)

    def check_received(self, receiver, count=1):
        self.check_all(*(section.path for section in receiver.wait(count)))
        check(not self.spools(), "left in the spool: %s", self.spools())


def enters(trace, good=True):
    """Calls of step() as dump shows them; every event has a name."""
    rows = [line.split("\t") for line in kprobe("dump", trace, check=good).splitlines()]
    check(not any(row[5].startswith("?") and row[5][1] != "." for row in rows), "an event without a name")
    return sum(row[3] == "enter" and row[5] == "__main__.step" for row in rows)


def healthy(run):
    for address in (None, run.file("socket")):
        receiver = run.receiver(address)
        run.made.clear()
        run.run(receiver.output, CALLS)
        run.check_received(receiver)
        check(not run.messages(), "said: %s", run.messages())
        check(os.stat(receiver.wait()[0].path).st_size > 1000, "nothing came")
        receiver.stop()


def absent(run):
    """Nobody is there at the start; somebody comes."""
    receiver = run.receiver()
    receiver.stop()
    process = run.start(receiver.output, "--stop", run.file("stop"), "--pause", 0.01, 500)
    time.sleep(0.7)
    check(len(run.spools()) == 1, "no spool while the collector is away")
    check(os.stat(run.spools()[0]).st_mode & 0o777 == 0o600, "the spool is not private")
    receiver = receiver.restart()
    time.sleep(0.5)
    open(run.file("stop"), "w").close()
    run.end(process)
    run.check_received(receiver)
    check(run.messages().count("refused") == 1 and "connected again" in run.messages(), "said: %s", run.messages())


def returns(run):
    """It dies in the middle, twice, and comes back."""
    receiver = run.receiver(ack_every=3)
    process = run.start(receiver.output, "--stop", run.file("stop"), "--pause", 0.005, 2000)
    for _ in range(2):
        time.sleep(0.4)
        receiver.stop()
        time.sleep(0.4)
        receiver = receiver.restart({"ack_every": 3})
    time.sleep(0.3)
    open(run.file("stop"), "w").close()
    run.end(process)
    run.check_received(receiver)
    check(receiver.wait()[0].jumps == 0, "chunks are missing")


def never_returns(run):
    """It dies and stays away: the rest is in the spool, and says so."""
    receiver = run.receiver(ack_every=2)
    process = run.start(receiver.output, "--stop", run.file("stop"), "--pause", 0.01, 1000)
    time.sleep(0.5)
    receiver.stop()
    open(run.file("stop"), "w").close()
    before = time.monotonic()
    run.end(process)
    check(time.monotonic() - before < 5, "the program waited for a collector that is not there")
    check(len(run.spools()) == 1 and run.spools()[0] in run.messages(), "said: %s", run.messages())
    # Nothing was dropped from a spool so small: it has the whole trace.
    run.check_all(run.spools()[0])
    # It is brought there later, and nothing of it twice.
    receiver = receiver.restart()
    kprobe("send", "--to", receiver.output, run.spools()[0])
    check(len(run.spools()) == 1, "it was removed without being asked for")
    kprobe("send", "--to", receiver.output, "--remove", run.spools()[0])
    run.check_received(receiver)


def closes_inside(run):
    """Every connection ends in the middle of a chunk, but some chunks come through each time."""
    receiver = run.receiver(die_after=60000)
    run.run(receiver.output, "--threads", 2, 100000)
    run.check_received(receiver)
    check(receiver.connections > 2, "only %d connections", receiver.connections)


def stalls(run):
    """It accepts and never reads: the program ends as soon as it would, plus what it may wait."""
    receiver = run.receiver(stall=60)
    before = time.monotonic()
    run.run(receiver.output, 200000, linger="300ms")
    check(time.monotonic() - before < 8, "the program waited")
    check(len(run.spools()) == 1, "no spool")
    run.check_all(run.spools()[0])


def late(run):
    """Acknowledgements come late, one for many chunks."""
    receiver = run.receiver(ack_every=50, ack_late=0.2)
    run.run(receiver.output, "--threads", 3, CALLS, buffer="64K")
    run.check_received(receiver)


def garbage(run):
    receiver = run.receiver(garbage=True)
    run.run(receiver.output, CALLS)
    check(run.messages().count("no kprobe collector") == 1, "said: %s", run.messages())
    run.check_all(run.spools()[0])


def token(run):
    with open(run.file("token"), "w", encoding="utf-8") as file:
        file.write("open sesame\n")
    receiver = run.receiver(token="open sesame")
    run.run(receiver.output, CALLS, token_file=run.file("token"))
    run.check_received(receiver)
    run.made.clear()
    run.run(receiver.output, CALLS)
    check(receiver.refused >= 1 and run.messages().count("refuses us") == 1, "said: %s", run.messages())
    run.check_all(run.spools()[0])


def replaced(run):
    """After it another one listens there that knows nothing: names come again, events do not."""
    receiver = run.receiver()
    process = run.start(receiver.output, "--stop", run.file("stop"), "--pause", 0.01, 1000)
    time.sleep(0.6)
    # What the first one has and could not acknowledge the second would get as well: there is nothing of that.
    process.send_signal(signal.SIGSTOP)
    time.sleep(0.2)
    receiver.stop(orderly=True)
    os.mkdir(run.file("got2"))
    other = receiver.restart(forget=True, folder=run.file("got2"))
    process.send_signal(signal.SIGCONT)
    time.sleep(0.6)
    open(run.file("stop"), "w").close()
    run.end(process)
    second = other.wait()[0]
    first = list(receiver.sections.values())[0]
    check(second.jumps, "it has all chunks")
    calls = sum(enters(section.path, good=False) for section in (first, second))
    check([[calls]] == list(run.made.values()), "made %s, both have %d together", run.made, calls)


def forks(run):
    receiver = run.receiver()
    run.run(receiver.output, "--fork", 3, CALLS)
    run.check_received(receiver, 4)
    # Children that end by _exit: their parent finishes and delivers what they left.
    run.made.clear()
    first = set(section.path for section in receiver.wait(4))
    run.run(receiver.output, "--fork", 3, "--hard", CALLS)
    ended = receiver.wait(8)
    run.check_all(*(section.path for section in ended if section.path not in first))
    check(not run.spools(), "left in the spool: %s", run.spools())


def execs(run):
    receiver = run.receiver()
    run.run(receiver.output, "--exec", CALLS)
    run.check_received(receiver, 2)


def threads(run):
    receiver = run.receiver()
    run.run(receiver.output, "--threads", 20, CALLS)
    run.check_received(receiver)


def quick(run):
    """Programs shorter than a connection takes, and names that nobody knows."""
    receiver = run.receiver()
    for _ in range(5):
        run.run(receiver.output, 10)
    run.check_received(receiver, 5)
    run.made.clear()
    before = time.monotonic()
    run.run("tcp://no-such-host.invalid", 10, linger="300ms")
    check(time.monotonic() - before < 3, "the program waited for a name")
    run.check_all(run.spools()[0])


def wait_for(run, text, seconds=20):
    limit = time.monotonic() + seconds
    while text not in run.messages() and time.monotonic() < limit:
        time.sleep(0.05)
    check(text in run.messages(), "no '%s' was said: %s", text, run.messages())


def full(run):
    """The spool is full: events are dropped, and counted exactly; with room again the trace goes on."""
    receiver = run.receiver()
    receiver.stop()
    process = run.start(receiver.output, "--stop", run.file("stop"), "--pause", 0.001, 100000, spool_bytes="1M",
                        compress="none", buffer="64K")
    wait_for(run, "no room")
    time.sleep(0.5)
    check(os.stat(run.spools()[0]).st_size <= 1 << 20, "the spool is larger than allowed")
    receiver = receiver.restart()
    wait_for(run, "there is room again")
    open(run.file("stop"), "w").close()
    run.end(process)
    check("there is room again" in run.messages(), "said: %s", run.messages())
    path = receiver.wait()[0].path
    verdict = json.loads(kprobe("verify", "--json", path))["processes"][0]
    read = json.loads(kprobe("report", "--filter", "__main__.step", "--json", path))["functions"][0]["calls"]
    made = list(run.made.values())[0][0]
    lost = verdict["calls_lost"]
    check(lost > 0, "nothing was lost of %d calls in 1 MiB", made)
    # Nearly all calls are step's: the others that may be among the lost are a few.
    check(made - lost <= read <= made and made - read >= lost - 10000 / 100, "made %d, read %d, lost %d", made, read, lost)


def kill_counting(run, output):
    """A program that is killed after a while; how many calls it made, at least, and one portion more at most."""
    process = run.start(output, "--stop", run.file("stop"), "--count", run.file("count"), "--pause", 0.001, 100)
    time.sleep(0.6)
    process.send_signal(signal.SIGKILL)
    process.wait()
    with open(run.file("count"), encoding="ascii") as file:
        return process.pid, int(file.read())


def killed(run):
    """SIGKILL while it is there, slow, and away: spool and shared memory have everything, once."""
    for manners in ({}, {"stall": 60}, {"ack_every": 4, "ack_late": 0.01}, None):
        receiver = run.receiver(**(manners or {}))
        if manners is None:
            receiver.stop()
        pid, made = kill_counting(run, receiver.output)
        receiver.stop()
        check(len(run.spools()) == 1, "no spool")
        spool, left = run.spools()[0], glob.glob("/dev/shm/kprobe.%d.*" % pid)
        check(len(left) == 1, "shared memory: %s", left)
        # Nothing was dropped from a spool so small: with the shared memory it has the whole trace.
        calls = run.traced(spool)
        check(made <= calls[pid][0] <= made + 100, "%d calls or a few more made, %d traced", made, calls[pid][0])
        kprobe("recover", "--output", run.file("whole.kpt"), spool)
        check(run.traced(run.file("whole.kpt")) == calls, "recover makes something else of it")
        os.unlink(run.file("whole.kpt"))
        # What the collector has it keeps; the rest is delivered from both places.
        receiver = receiver.restart()
        kprobe("send", "--to", receiver.output, "--remove", spool)
        check(run.traced(receiver.wait()[0].path) == calls, "it was sent something else")
        check(not run.spools() and not os.path.exists(left[0]), "something is left")
        receiver.stop()


# --- Kieker's logs and streams --------------------------------------------------------------------------------------

STEP = "object __main__.step(object)"


def steps(*logs, **options):
    """Calls of step() in the records of logs, or of connections one after the other."""
    return kieker.check_traces([record for log in logs for record in log], **options)[STEP]


def made_in_all(run):
    return sum(sum(calls) for calls in run.made.values())


def check_streams(run, receiver, **options):
    calls = steps(*receiver.wait(), **options)
    check(calls == made_in_all(run), "%d calls made, %d came", made_in_all(run), calls)
    check(not run.spools(), "left in the spool: %s", run.spools())


def kieker_logs(run):
    for form in ("text", "binary"):
        output = "kieker-%s:%s" % (form, run.file(form))
        for name, arguments in (("", ["--threads", 3, "--exec", CALLS // 4]), (".2", ["--fork", 2, CALLS // 4])):
            # Four logs: of a program, of that which takes its place, of a further one, and of its children.
            run.made.clear()
            run.run(output, *arguments)
            logs = [run.file(form) + suffix for suffix in (["", ".1"] if not name else [".2", ".3", ".4"])]
            calls = sum(steps(kieker.read_log(log)) for log in logs)
            check(calls == made_in_all(run), "%s: %d calls made, %d in the logs", form, made_in_all(run), calls)
        check(sorted(glob.glob(run.file(form) + "*")) == [run.file(form) + s for s in ("", ".1", ".2", ".3", ".4")],
              "other files: %s", os.listdir(run.folder))
    check(not run.messages(), "said: %s", run.messages())


def kieker_killed(run):
    """The log ends in the middle, and what it has not is in shared memory."""
    for form in ("text", "binary"):
        pid, made = kill_counting(run, "kieker-%s:%s" % (form, run.file(form)))
        calls = steps(kieker.read_log(run.file(form), cut=True), ended=False)
        check(calls >= made * 0.5, "%d of %d calls are in the log", calls, made)
        kprobe("recover", "--output", run.file(form + ".rest"), "--remove", run.file(form + ".kpt"), check=False)
        calls += enters(run.file(form + ".rest"), good=False)
        # What was just being written is in both then: at most a chunk.
        check(made <= calls <= made + CHUNK, "%d calls or a few more made, %d in log and shared memory", made, calls)
        check(not glob.glob("/dev/shm/kprobe.%d.*" % pid), "shared memory is left")


def kieker_children(run):
    """Children that end by _exit: what is not in their logs is in traces beside them."""
    run.run("kieker-text:" + run.file("log.%p"), "--fork", 2, "--hard", CALLS)
    logs, rests = glob.glob(run.file("log.*[0-9]")), glob.glob(run.file("log.*.kpt"))
    check(1 <= len(logs) <= 3 and len(rests) == 2, "made: %s", os.listdir(run.folder))
    # A child that was quick has no log yet, or an empty one: all that it did is in the trace then.
    records = [kieker.read_log(log, cut=True) for log in logs]
    calls = sum(steps(log, ended=False) for log in records if log)
    calls += sum(enters(rest, good=False) for rest in rests)
    check(made_in_all(run) <= calls <= made_in_all(run) + 2 * CHUNK, "%d calls made, %d in logs and rests", made_in_all(run), calls)


def kieker_full(run):
    """No room on the disk for a while."""
    disk = run.file("disk")
    os.mkdir(disk)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", disk], check=False, stderr=subprocess.DEVNULL).returncode:
        print("skipped: no mounts for this user")
        sys.exit(77)
    try:
        process = run.start("kieker-binary:" + disk + "/log", "--stop", run.file("stop"), "--pause", 0.01, 1000)
        wait_for(run, "no room")
        subprocess.run(["mount", "-o", "remount,size=200m", disk], check=True)
        wait_for(run, "there is room again")
        open(run.file("stop"), "w").close()
        run.end(process)
        # Rings hold much more than was made meanwhile: nothing was lost.
        check(steps(kieker.read_log(disk + "/log")) == made_in_all(run), "calls are missing, or there twice")
    finally:
        subprocess.run(["umount", "-l", disk], check=False)


def kieker_healthy(run):
    receiver = kieker.Receiver()
    run.run(receiver.output, "--threads", 3, CALLS // 2)
    check_streams(run, receiver)
    check(not run.messages(), "said: %s", run.messages())


def kieker_absent(run):
    receiver = kieker.Receiver()
    receiver.stop()
    process = run.start(receiver.output, "--stop", run.file("stop"), "--pause", 0.01, 500)
    time.sleep(0.6)
    receiver = kieker.Receiver(receiver.port)
    time.sleep(0.3)
    open(run.file("stop"), "w").close()
    run.end(process)
    check_streams(run, receiver)


def kieker_returns(run):
    """It ends in the middle and comes back: all strings again, and nothing is missing."""
    receiver = kieker.Receiver()
    process = run.start(receiver.output, "--stop", run.file("stop"), "--pause", 0.005, 200)
    streams = []
    for _ in range(3):
        time.sleep(0.4)
        # What its kernel has taken and it has not read would be lost with it: nobody acknowledges that.
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.2)
        receiver.stop()
        streams += receiver.wait()
        receiver = kieker.Receiver(receiver.port)
        process.send_signal(signal.SIGCONT)
    time.sleep(0.4)
    open(run.file("stop"), "w").close()
    run.end(process)
    calls = steps(*streams, *receiver.wait(), repeated=True)
    check(calls == made_in_all(run), "%d calls made, %d came", made_in_all(run), calls)


def kieker_away(run):
    """It never reads, or answers, or dies and stays away: what it did not take is in the spool."""
    for manners in ({"stall": 60}, {"answer": b"HTTP/1.1 400 Bad Request"}, {"die_after": 100000}):
        receiver = kieker.Receiver(**manners)
        before = time.monotonic()
        run.made.clear()
        run.run(receiver.output, 10 * CALLS, linger="500ms")
        check(time.monotonic() - before < 10, "the program waited")
        receiver.stop()
        check(len(run.spools()) == 1 and run.spools()[0] in run.messages(), "said: %s", run.messages())
        check(b"__main__.step" in open(run.spools()[0], "rb").read(), "no names in the spool")
        os.unlink(run.spools()[0])


def kieker_forks(run):
    receiver = kieker.Receiver()
    run.run(receiver.output, "--fork", 3, CALLS // 4)
    check_streams(run, receiver)
    receiver = kieker.Receiver()
    run.made.clear()
    run.run(receiver.output, "--fork", 3, "--hard", "--exec", CALLS // 4)
    # The rest of a child that ended by _exit begins a stream, and traces, of its own.
    check(not run.spools(), "left in the spool: %s", run.spools())
    receiver.wait()


KINDS = {function.__name__: function for function in (
    healthy, absent, returns, never_returns, closes_inside, stalls, late, garbage, token, replaced, forks, execs, threads, quick,
    full, killed, kieker_logs, kieker_killed, kieker_children, kieker_full, kieker_healthy, kieker_absent, kieker_returns, kieker_away,
    kieker_forks)}


def main():
    wanted = KINDS if sys.argv[1:] == ["all"] else sys.argv[1:]
    python = tracing.cells()[0][0]
    failed = 0
    for name in wanted:
        before = time.monotonic()
        with tracing.Folder() as folder:
            try:
                KINDS[name](Run(python, folder.path))
                print("fine %s (%.1f s)" % (name, time.monotonic() - before), flush=True)
            except (Failure, AssertionError, subprocess.TimeoutExpired) as failure:
                failed += 1
                print("FAIL %s: %s" % (name, failure), flush=True)
                shutil.rmtree(folder.path + ".failed", ignore_errors=True)
                shutil.copytree(folder.path, folder.path + ".failed", ignore=lambda *_: ["socket"])
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Sections in parts: --rotate-size and --rotate-every cut the section of a long-running program into files that are good alone,
and nothing is missing or there twice, whatever happens to the server in between."""
import io
import os
import re
import signal
import struct
import subprocess
import sys
import time

from native import DEFS, EVENTS, FULL, PROCESS, Section, Sender, deliver, read_trace
from server import files, kprobe, run, scene, verify, wait_until

SHIM = os.environ.get("SHIM", "")
NEXT = 7


def parts(folder):
    """The files in the order of the parts: without a number, then by number."""
    def number(path):
        found = re.search(r"\.(\d+)\.kpt$", path)
        return int(found.group(1)) if found and len(found.group(1)) < 4 else 0
    return sorted(files(folder), key=number)


def chunks(path):
    """(type, number, bytes) of each chunk of a file with one section."""
    with open(path, "rb") as file:
        data = file.read()
    at, found = 16, []
    while at < len(data):
        _, kind, _, count, number = struct.unpack_from("<IHHII", data, at)
        found.append((kind, number, data[at:at + 32 + count]))
        at += 32 + count
    assert at == len(data), path
    return found


def own_chunks(path):
    """Without what is repeated from earlier parts, and without NEXT."""
    found = chunks(path)
    told = re.search(rb"\npart=(\d+)\nfirst_chunk=(\d+)\n$", found[0][2])
    first = int(told.group(2)) if told else 0
    if told:
        assert found[0][0] == PROCESS and all(kind != EVENTS for kind, number, _ in found if number < first)
    return [data for kind, number, data in found if number >= first and kind != NEXT]


def check(paths, section):
    """All parts together are the section, byte by byte; each is good alone; the format's own reader agrees."""
    assert b"".join(data for path in paths for data in own_chunks(path)) == b"".join(section.chunks)
    for index, path in enumerate(paths):
        is_last = index == len(paths) - 1
        said = verify("--strict", path)
        assert "part %d" % index in said and ("ended in order" if is_last else "goes on in the next part") in said, said
        kind, _, data = chunks(path)[-1]
        assert is_last or (kind == NEXT and data[32:] == struct.pack("<I", index + 1))
    assert sum(data[0] == DEFS for data in chunks(paths[-1])) >= 1
    assert "%s calls" % format(section.pairs, ",") in kprobe("report", *paths)
    same_text(paths)


def same_text(paths):
    out = io.BytesIO()
    for path in paths:
        with open(path, "rb") as file:
            reader = read_trace.Reader(path, file.read())
        reader.read(out)
        assert not reader.damage, path
    assert out.getvalue().decode("utf-8", "replace") == "".join(kprobe("dump", path) for path in paths)


def send_slowly(sender, until, step=3):
    """In small turns: a file is cut between two of them."""
    for at in range(sender.following, until, step):
        sender.send(min(at + step, until))
        sender.wait(min(at + step, until))


def test_by_size():
    with scene() as start:
        server, section = start("--rotate-size", "10K"), Section(20000, pairs_a_chunk=200)
        sender = Sender(server.address(), section)
        send_slowly(sender, len(section.chunks))
        sender.close()
        paths = parts(server.output)
        assert len(paths) > 5 and server.metric("rotations") == len(paths) - 1
        assert server.metric("sections_ended") == 1
        server.stop()
        assert all(os.path.getsize(path) < 20000 for path in paths)
        check(paths, section)


def test_by_time():
    with scene() as start:
        server, section = start("--rotate-every", "300ms"), Section(2000, pairs_a_chunk=200)
        sender = Sender(server.address(), section)
        for at in (3, 6, 9):
            send_slowly(sender, at)
            time.sleep(0.4)
        send_slowly(sender, len(section.chunks) - 1)
        sender.send()
        sender.wait()
        server.stop()
        paths = parts(server.output)
        assert len(paths) == 4, paths
        check(paths, section)


def test_killed_in_between():
    """SIGKILL again and again; the peer comes back, to a chunk that it sends a second time."""
    with scene() as start:
        options = ("--rotate-size", "10K")
        server, section = start(*options), Section(20000, pairs_a_chunk=200)
        for until in (20, 40, 41, 60, 85):
            sender = Sender(server.address(), section)
            assert sender.following == 0 or sender.following >= until - 25, "it begins again"
            sender.following = max(0, sender.following - 2)
            send_slowly(sender, until)
            sender.send(until + 3)  # not waited for
            server.kill()
            server = start(*options)
        deliver(server.address(), section)
        server.stop()
        paths = parts(server.output)
        assert len(paths) > 4, paths
        check(paths, section)


def test_killed_while_turning():
    """The old part says that another one follows, and the server is killed before that has its name; then it cannot be made, twice."""
    with scene() as start:
        options = ("--rotate-size", "10K")
        server, section = start(*options), Section(20000, pairs_a_chunk=200)
        sender = Sender(server.address(), section)
        while len(files(server.output)) < 3:
            send_slowly(sender, sender.following + 3)
        server.kill()
        paths = parts(server.output)
        blocker = paths[1] + ".new"
        os.unlink(paths[2])
        os.mkdir(blocker)
        before = chunks(paths[1])
        server = start(*options)
        for _ in range(2):
            again = Sender(server.address(), section)
            again.send(again.following + 3)
            assert again.wait() == FULL and chunks(paths[1]) == before
        server.kill()
        os.rmdir(blocker)
        with open(blocker, "wb") as file:
            file.write(section.file()[:100])
        server = start(*options)
        assert not [name for name in os.listdir(server.output) if name.endswith(".new")]
        deliver(server.address(), section)
        server.stop()
        check(parts(server.output), section)


def test_kept_files():
    """The oldest parts go, the one that is written never does; what is left is good."""
    with scene() as start:
        server, section = start("--rotate-size", "10K", "--keep-files", "3"), Section(20000, pairs_a_chunk=200)
        sender = Sender(server.address(), section)
        send_slowly(sender, len(section.chunks) - 2, 2)
        server.wait_metric("files_removed", 4)
        wait_until(lambda: len(files(server.output)) == 3, "three files are left")
        sender.send()
        sender.wait()
        server.stop()
        paths = parts(server.output)
        assert "ended in order" in verify(paths[-1])
        verify("--strict", *paths)
        data = b"".join(data for path in paths for data in own_chunks(path))
        assert b"".join(section.chunks).endswith(data)


def test_no_room_for_a_part():
    """Without a next part the section stays in the file it has; with room again it goes on in a new one."""
    with scene() as start:
        server, section = start("--rotate-size", "10K"), Section(20000, pairs_a_chunk=200)
        sender = Sender(server.address(), section)
        send_slowly(sender, 3)
        blocker = files(server.output)[0] + ".new"
        os.mkdir(blocker)
        send_slowly(sender, 80)
        assert len(files(server.output)) == 1
        os.rmdir(blocker)
        time.sleep(1.1)
        send_slowly(sender, len(section.chunks))
        said = server.stop()
        assert "no next part" in said, said
        paths = parts(server.output)
        assert len(paths) > 1
        check(paths, section)


def test_merged_is_not_cut():
    with scene() as start:
        server, section = start("--rotate-size", "10K", "--merge"), Section(20000, pairs_a_chunk=200)
        sender = Sender(server.address(), section)
        send_slowly(sender, len(section.chunks))
        sender.close()
        wait_until(lambda: files(server.output), "it is merged")
        server.stop()
        path, = files(server.output)
        with open(path, "rb") as file:
            assert file.read() == section.file()


# --- a program that runs on ---

PROGRAM = """
import os, sys, threading, time
calls = 0
def leaf(n): return n
def numbers():
    for i in range(10): yield leaf(i)
def turn(n):
    global calls
    for i in range(n): leaf(i)
    calls += n + sum(1 for _ in numbers())
def first(): turn(1000)
def main():
    thread = threading.Thread(target=first)
    thread.start()
    thread.join()
    while not os.path.exists(sys.argv[1]):
        turn(2000)
        time.sleep(0.002)
main()
sys.stdout.write(str(calls))
"""


def leaves(*paths):
    return sum(line.split("\t")[3] == "enter" and line.split("\t")[5] == "__main__.leaf"
               for line in kprobe("dump", *paths).splitlines())


def test_running_program():
    """Parts of a real program with calls and generators open all the time, its collector killed three times: the calls in all parts
    are those it made, exactly."""
    with scene() as start:
        options = ("--rotate-size", "40K")
        server = start(*options)
        address = "tcp://%s:%d" % server.address()
        go_on = os.path.join(start.folder, "go-on")
        environment = dict(os.environ, LD_PRELOAD=SHIM, KPROBE_OUTPUT=address, KPROBE_ON_FULL="block", KPROBE_LOG="error",
                           KPROBE_FILTER="+__main__.*", KPROBE_LINGER="20s", KPROBE_SPOOL=start.folder,
                           KPROBE_COMPRESS="none")  # the format's own reader may have no zstd here
        program = subprocess.Popen([sys.executable, "-c", PROGRAM, go_on], env=environment, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        for count in (3, 5, 7):
            wait_until(lambda: len(files(server.output)) >= count, "there are %d parts" % count)  # noqa: B023
            server.kill()
            server = start(*options, listen=(address,))
        wait_until(lambda: len(files(server.output)) >= 9, "there are 9 parts")
        server.wait_metric("peers", 1)
        with open(go_on, "w"):
            pass
        made, errors = program.communicate(timeout=60)
        assert program.returncode == 0 and not errors, (program.returncode, errors.decode())
        wait_until(lambda: server.metric("peers") == 0, "all is over")
        server.stop(signal.SIGTERM)
        paths = parts(server.output)
        for path in paths:
            verify(path)
        said = verify(*paths)
        assert "part %d" % (len(paths) - 1) in said and "begun in an earlier part" in said, said
        assert leaves(*paths) == int(made), said
        same_text(paths)
        for form in ("chrome", "kieker", "collapsed"):
            kprobe("convert", "-t", form, "-o", os.path.join(start.folder, form), *paths[1:3])


tests = [value for name, value in list(globals().items()) if name.startswith("test_")]
if not os.path.exists(SHIM):
    print("no shim (SHIM): without a program")
    tests.remove(test_running_program)
run(tests)

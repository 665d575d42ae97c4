#!/usr/bin/env python3
"""Little room: old files go when they may, and a full disk loses nothing."""
import os
import resource
import shutil
import subprocess
import tempfile
import time

import kieker
import native
from kieker import START, Stream
from native import FULL, GOOD, Section, Sender, deliver
from server import files, kprobe, run, scene, wait_until


def test_kept_files():
    with scene() as start:
        server = start("--keep-files", "3")
        busy = Sender(server.address(), Section(10))
        busy.send(3)
        busy.wait(3)
        sections = [Section(10) for _ in range(8)]
        for section in sections:
            time.sleep(0.02)
            deliver(server.address(), section)
        server.wait_metric("files_removed", 6)
        assert len(files(server.output)) == 3
        names = " ".join(files(server.output))
        assert all(section.uuid.hex in names for section in (busy.section, *sections[-2:]))
        busy.send()
        assert busy.wait() == GOOD
        server.stop()


def test_removed_section_begins_again():
    with scene() as start:
        server, section = start(), Section(100, pairs_a_chunk=10)
        sender = Sender(server.address(), section)
        sender.send(5)
        sender.wait(5)
        sender.close()
        wait_until(lambda: server.metric("peers") == 0, "it is gone")
        os.unlink(files(server.output)[0])
        deliver(server.address(), section)
        with open(files(server.output)[0], "rb") as file:
            assert file.read() == section.file()
        server.stop()


def test_kept_bytes_of_logs():
    with scene() as start:
        out = os.path.join(start.folder, "logs")
        server = start("--keep-bytes", "60K", "--rotate-size", "10K", output="kieker-text:" + out)
        for i in range(6):
            stream = Stream()
            for trace in range(1, 60):
                stream.trace(trace)
            peer = native.connect(server.address())
            peer.sendall(stream.take())
            peer.close()
        server.wait_metric("streams_ended", 6)
        server.wait_metric("files_removed", 10)
        server.stop()
        total = sum(os.path.getsize(path) for folder in kieker.logs(out) for path in files(folder, ".dat"))
        assert 30000 < total <= 61440, total
        assert 1 <= len(kieker.logs(out)) < 6


def test_files_of_others_are_kept():
    for form, names in (("trace:", ("photo.kpt",)), ("kieker-binary:", ("a.dat", "db/b.dat", "db/c.bin", "kieker-1-KIEKER/d.bin"))):
        with scene() as start:
            out = os.path.join(start.folder, "out")
            for name in names:
                path = os.path.join(out, name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "w") as file:
                    file.write("somebody else's")
                os.utime(path, (1, 1))
            server = start("--keep-files", "1", "--keep-age", "1h", output=form + out)
            for _ in range(3):
                deliver(server.address(), Section(10))
            server.wait_metric("files_removed", 1)
            server.stop()
            assert all(os.path.exists(os.path.join(out, name)) for name in names)


# --- a full disk: a tmpfs of 1 MiB in a namespace of our own ---

def mounted(folder):
    return ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
            'mount -t tmpfs -o size=1m none "$0" && exec "$@"', folder]


def can_mount():
    folder = tempfile.mkdtemp()
    try:
        return shutil.which("unshare") and not subprocess.run([*mounted(folder), "true"], stderr=subprocess.DEVNULL).returncode
    finally:
        os.rmdir(folder)


def small_disk(start, *options, form="trace:"):
    disk = os.path.join(start.folder, "disk")
    os.mkdir(disk)
    server = start(*options, output=form + disk + "/out", command=mounted(disk))
    server.disk = "/proc/%d/root%s/out" % (server.process.pid, disk)
    return server


def fill(server, left):
    """A file that leaves so many bytes of the disk."""
    with open(server.disk + "/fill", "wb") as file:
        room = os.statvfs(server.disk)
        try:
            file.write(bytes(room.f_bavail * room.f_bsize - left))
        except OSError:
            pass


def free(server):
    os.unlink(server.disk + "/fill")


def test_native_disk_full():
    """The peer is told to keep its chunks; when there is room again it goes on, and nothing is missing or there twice."""
    with scene() as start:
        server, section = small_disk(start), Section(20000, pairs_a_chunk=200)
        fill(server, 65536)
        sender = Sender(server.address(), section)
        sender.send()
        assert sender.wait() == FULL
        assert 1 < sender.safe < len(section.chunks)
        assert server.metric("output_full") == 1
        again = Sender(server.address(), section)
        assert again.status == GOOD and again.following == sender.safe
        again.send(sender.safe + 20)
        assert again.wait(sender.safe + 20) == FULL
        free(server)
        deliver(server.address(), section)
        path, = files(server.disk)
        with open(path, "rb") as file:
            assert file.read() == section.file()
        assert server.metric("output_full") == 0
        said = server.stop()
        assert said.count("no room left") == 1 and said.count("room again") == 1, said


def test_log_disk_full():
    for form, read in (("kieker-binary:", kieker.read_binary), ("kieker-text:", kieker.read_text)):
        with scene() as start:
            server, stream = small_disk(start, form=form), Stream()
            fill(server, 65536)
            for trace in range(1, 1001):
                stream.trace(trace, start=START + 1000000 * trace)
            data, peer = stream.take(), native.connect(server.address())
            peer.sendall(data[:-2000])
            wait_until(lambda: server.metric("output_full") == 1, "the disk is full")
            before = server.metric("records")
            peer.sendall(data[-2000:])
            time.sleep(0.3)
            assert server.metric("records") == before, "it is read although there is no room"
            free(server)
            peer.close()
            server.wait_metric("streams_ended", 1)
            assert server.metric("records") == stream.records and server.metric("records_lost") == 0
            wait_until(lambda: server.metric("records_written") == stream.records, "all is written")
            copy = os.path.join(start.folder, "copy")
            shutil.copytree(server.disk, copy)
            server.stop()
            records = read(kieker.logs(copy)[0])
            assert len(records) == stream.records and len(kieker.check_traces(records)) == 1000


def test_stopped_while_full():
    """What cannot be kept is counted and said, and the status is 1."""
    with scene() as start:
        server, stream = small_disk(start, "--stop-wait", "500ms", form="kieker-text:"), Stream()
        fill(server, 16384)
        for trace in range(1, 2001):
            stream.trace(trace)
        peer = native.connect(server.address())
        peer.sendall(stream.take())
        wait_until(lambda: server.metric("output_full") == 1, "the disk is full")
        said = server.stop(expected=1)
        assert "could not be written any more" in said, said


def test_limit_of_file_size():
    """RLIMIT_FSIZE: as a full disk, and no signal."""
    with scene() as start:
        server = start(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000)))
        section = Section(20000, pairs_a_chunk=200)
        sender = Sender(server.address(), section)
        sender.send()
        assert sender.wait() == FULL
        assert sender.safe > 1
        verify_status = kprobe("info", *files(server.output))
        assert "tester" in verify_status
        server.stop()


tests = [value for name, value in list(globals().items()) if name.startswith("test_")]
if not can_mount():
    print("no tmpfs can be mounted here: without the tests of a full disk")
    tests = [test for test in tests if "full" not in test.__name__]
run(tests)

#!/usr/bin/env python3
"""Who may send: tokens, TLS, certificates, addresses that others reach, sockets passed by systemd; and what a server tells."""
import http.client
import os
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time
import warnings

import kieker
import native
from native import GOOD, REFUSED, Section, Sender, deliver
from server import KPROBE, files, run, scene, wait_until

CA = None  # folder of the certificates
warnings.simplefilter("ignore", DeprecationWarning)  # old versions of TLS are to be refused


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], cwd=CA, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def certificate(name, *more):
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", name + ".key", "-out", name + ".csr", "-subj", "/CN=" + name)
    with open(os.path.join(CA, name + ".ext"), "w") as extensions:
        extensions.write("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
            "-extfile", name + ".ext", "-out", name + ".pem")


def make_certificates():
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj",
            "/CN=authority")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "other.key", "-out", "other.pem", "-days", "2",
            "-subj", "/CN=stranger")
    certificate("server")
    certificate("client")


def path(name):
    return os.path.join(CA, name)


def tls(client=None, version=None):
    context = ssl.create_default_context(cafile=path("ca.pem"))
    if version:
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = version
        context.set_ciphers("ALL:@SECLEVEL=0")
    if client:
        context.load_cert_chain(path(client + ".pem"), path(client + ".key"))
    return lambda peer: context.wrap_socket(peer, server_hostname="localhost")


def token_file(start, token="secret", mode=0o600):
    name = os.path.join(start.folder, "token")
    with open(name, "w") as file:
        file.write(token + "\n")
    os.chmod(name, mode)
    return name


TLS = ("--tls-cert", "server.pem", "--tls-key", "server.key")


def tls_options(*more):
    return [path(option) if option.endswith((".pem", ".key")) else option for option in (*TLS, *more)]


def test_token():
    with scene() as start:
        server = start("--token-file", token_file(start))
        for token in (b"", b"secre", b"secret2", b"Secret", b"secret\0"):
            if token != b"secret\0":
                assert Sender(server.address(), Section(1), token).status == REFUSED, token
        deliver(server.address(), Section(10), b"secret")
        assert server.metric("peers_unauthorized") == 4
        server.stop()


def fails(*options, said, listen=("tcp://127.0.0.1:0",)):
    folder = tempfile.mkdtemp()
    try:
        done = subprocess.run([KPROBE, "serve", "--control", folder + "/c", "-o", folder + "/out",
                               *[part for address in listen for part in ("-l", address)], *options],
                              stderr=subprocess.PIPE, timeout=20)
        text = done.stderr.decode()
        assert done.returncode == 2 and said in text, (done.returncode, text)
    finally:
        shutil.rmtree(folder)


def test_refused_to_start():
    with scene() as start:
        token = token_file(start)
        elsewhere = ("tcp://0.0.0.0:0",)
        fails(listen=elsewhere, said="can be reached from elsewhere")
        fails("--token-file", token, listen=elsewhere, said="can be reached from elsewhere")
        fails(*tls_options(), listen=("tls://0.0.0.0:0",), said="can be reached from elsewhere")
        fails(listen=("tls://127.0.0.1:0",), said="--tls-cert")
        fails("--token-file", token_file(start, mode=0o644), said="others may use it")
        fails("--token-file", token_file(start, token=""), said="token")
        fails(*tls_options("--tls-cert", "ca.pem"), said="key")
        fails("--metrics", "tcp://0.0.0.0:0", said="can be reached from elsewhere")
        fails(listen=("tcp://127.0.0.1:99999",), said="port")
        fails(listen=("udp://127.0.0.1:1",), said="allowed: tcp://")
        fails("-o", "/nonexistent/folder", said="/nonexistent/folder")
        fails("--forward", "ftp://x", said="allowed: tcp://")


def test_allowed_to_start():
    with scene() as start:
        start("--insecure", listen=("tcp://0.0.0.0:0",)).stop()
        start("--token-file", token_file(start), *tls_options(), listen=("tls://0.0.0.0:0",)).stop()
        start(*tls_options("--tls-ca", "ca.pem"), listen=("tls://0.0.0.0:0",)).stop()


def test_tls():
    with scene() as start:
        server = start("--token-file", token_file(start), *tls_options("--tls-ca", "ca.pem"), listen=("tls://0.0.0.0:0",))
        address = ("127.0.0.1", server.address()[1])
        section = Section(100000)
        deliver(address, section, b"secret", tls())
        with open(files(server.output)[0], "rb") as file:
            assert file.read() == section.file()
        assert Sender(address, Section(1), b"wrong", tls()).status == REFUSED
        deliver(address, Section(10), b"", tls("client"))  # a certificate is as good as a token
        for bad in (tls("other"), tls(version=ssl.TLSVersion.TLSv1_1)):
            try:
                deliver(address, Section(1), b"secret", bad)
            except (OSError, EOFError):
                continue
            raise AssertionError("that should not have been taken")
        plain = native.connect(address)
        plain.sendall(native.hello(section) + bytes(1000))
        assert not plain.recv(1000).startswith(native.MAGIC)
        # Kieker's streams: with a certificate only.
        stream = kieker.Stream()
        stream.trace(1)
        for client, dropped in ((None, True), ("client", False)):
            peer = tls(client)(native.connect(address))
            before = server.metric("peers_dropped")
            peer.sendall(bytes(stream.data))
            if dropped:
                wait_until(lambda: server.metric("peers_dropped") == before + 1, "it is dropped")
            else:
                peer.unwrap()
            peer.close()
        wait_until(lambda: server.metric("streams_ended") == 1, "the stream is over")
        server.stop()


def test_forwarded_over_tls():
    with scene() as start:
        folder = start.folder
        start.folder = os.path.join(folder, "next")
        os.mkdir(start.folder)
        following = start("--token-file", token_file(start), *tls_options(), listen=("tls://127.0.0.1:0",))
        target = "tls://localhost:%d" % following.address()[1]
        token = os.path.join(start.folder, "token")
        start.folder = folder
        section = Section(50000)
        server = start("--forward", target, "--forward-token", token, "--tls-ca", path("ca.pem"))
        deliver(server.address(), section)
        with open(files(following.output)[0], "rb") as file:
            assert file.read() == section.file()
        server.stop()
        stranger = start("--forward", target, "--forward-token", token, "--tls-ca", path("other.pem"))
        assert Sender(stranger.address(), Section(1)).status == native.FULL
        assert "certificate" in stranger.stop()
        following.stop()


def test_socket_activation():
    with scene() as start:
        passed = [socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_UNIX)]
        passed[1].bind(os.path.join(start.folder, "passed.sock"))
        passed[1].listen()
        starter = ("import os, sys\n"
                   "os.dup2(%d, 13); os.dup2(%d, 14); os.dup2(13, 3); os.dup2(14, 4)\n"
                   "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='2', LISTEN_FDNAMES='one:two')\n"
                   "os.execv(sys.argv[1], sys.argv[1:])\n" % tuple(peer.fileno() for peer in passed))
        early = Section(10)
        peer = native.connect(passed[0].getsockname())
        peer.sendall(native.hello(early))  # before the server runs: it waits in the socket's backlog
        notify = os.path.join(start.folder, "notify")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        listener.bind(notify)
        server = start(listen=(), command=[sys.executable, "-c", starter], close_fds=False,
                       env=dict(os.environ, NOTIFY_SOCKET=notify), pass_fds=[peer.fileno() for peer in passed])
        assert listener.recv(100) == b"READY=1"
        assert native.reply(peer) == (GOOD, 0)
        deliver(os.path.join(start.folder, "passed.sock"), Section(10))
        server.stop()
        assert listener.recv(100) == b"STOPPING=1"
        assert os.path.exists(os.path.join(start.folder, "passed.sock")), "a passed socket is not ours to remove"


def get(address, target):
    connection = http.client.HTTPConnection(*address, timeout=10)
    connection.request("GET", target)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def test_status():
    with scene() as start:
        server = start("--metrics", "tcp://127.0.0.1:0")
        assert os.stat(server.control).st_mode & 0o777 == 0o600
        deliver(server.address(), Section(10))
        peer = Sender(server.address(), Section(10))
        peer.send(3)
        peer.wait(3)
        status = server.status()
        assert status["metrics"]["peers"] == status["metrics"]["peers_native"] == 1
        assert [p["chunks"] for p in status["peers"]] == [3]
        text = subprocess.run([KPROBE, "serve", "-s", "--control", server.control], stdout=subprocess.PIPE, check=True)
        assert b"chunks taken" in text.stdout
        text = subprocess.run([KPROBE, "serve", "-s", "--prometheus", "--control", server.control], stdout=subprocess.PIPE,
                              check=True).stdout.decode()
        address = re.search(r"metrics at http://([0-9.]+):(\d+)/", server.said()).groups()
        code, same = get((address[0], int(address[1])), "/metrics")
        assert code == 200 and "kprobe_serve_sections_ended_total 1\n" in same
        for line in text.splitlines():
            assert re.fullmatch(r"# (HELP|TYPE) kprobe_serve_\w+ .+|kprobe_serve_\w+ [0-9.]+", line), line
        assert get((address[0], int(address[1])), "/else")[0] == 404
        noise = native.connect((address[0], int(address[1])))
        noise.sendall(b"x" * 100000)
        noise.close()
        assert get((address[0], int(address[1])), "/status.json")[0] == 200
        server.stop()
        done = subprocess.run([KPROBE, "serve", "-s", "--control", server.control], stderr=subprocess.PIPE)
        assert done.returncode == 1 and b"no server answers" in done.stderr


def test_silent_askers():
    """Connections to the metrics that say nothing keep neither `--status` nor the server's end waiting."""
    with scene() as start:
        server = start("--metrics", "tcp://127.0.0.1:0")
        host, port = re.search(r"metrics at http://([0-9.]+):(\d+)/", server.said()).groups()
        askers = [native.connect((host, int(port))) for _ in range(40)]
        askers.append(native.connect(server.control))
        assert server.metric("peers") == 0
        server.stop()
        for asker in askers:
            asker.close()


def test_told_to_stop():
    """Under load: all that was acknowledged is there, all that was sent before is read, and the peers may come again."""
    with scene() as start:
        server = start(output="kieker-binary:" + os.path.join(start.folder, "logs"))
        section = Section(2000, pairs_a_chunk=2)
        sender = Sender(server.address(), section)
        stream = kieker.Stream()
        for trace in range(1, 2001):
            stream.trace(trace)
        peer = native.connect(server.address())
        peer.sendall(stream.take())
        peer.close()
        sender.send(900)
        server.process.send_signal(signal.SIGTERM)
        assert sender.wait() == native.STOPPING
        assert sender.safe == 900
        server.stop(number=None)
        records = [record for folder in kieker.logs(os.path.join(start.folder, "logs")) for record in kieker.read_binary(folder)]
        kieker.check_traces(records)
        assert sum(record[0] == kieker.BEFORE and 0 < record[3] <= 2000 for record in records) == 6000
        assert sum(record[0] == kieker.TRACE for record in records) >= 2000


def test_told_twice():
    with scene() as start:
        server = start("--stop-wait", "20s")
        peer = Sender(server.address(), Section(100, pairs_a_chunk=1))
        server.process.send_signal(signal.SIGTERM)
        begin = time.monotonic()
        time.sleep(0.02)
        peer.peer.sendall(struct.pack("<I", 0x4b43504b))
        server.stop(signal.SIGINT, expected=None)
        assert time.monotonic() - begin < 5


if not shutil.which("openssl"):
    print("openssl is missing")
    sys.exit(77)
CA = tempfile.mkdtemp(prefix="kprobe-serve-ca-")
try:
    make_certificates()
    run([value for name, value in list(globals().items()) if name.startswith("test_")])
finally:
    shutil.rmtree(CA)

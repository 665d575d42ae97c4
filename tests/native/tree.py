#!/usr/bin/env python3
"""One tree: functions in Python, builtins and exported functions in C, nested in one another as they were called.

    tree.py --python /usr/bin/python3.11 json        one case on one interpreter; without names all on one of each version

Each program runs plainly and under the shim: output and status are the same, `kprobe verify` is content, the events of
each thread nest, and somewhere in the trace each chain of CASES is open at once, from the outside in. Other calls may be between.

Exit status: 0 all fine, 1 something differs, 77 nothing could run.
"""
import argparse
import fnmatch
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
from collections import namedtuple

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.dirname(HERE))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "oracle"))
import compare  # noqa: E402
from interpreters import one_of_each_minor  # noqa: E402

TIMEOUT_S = 100

JSON = """
import json
def dump(value):
    return json.dumps(value)
def load(text):
    return json.loads(text)
print(len(dump({"a": ["y" * 50000, 1, None], "b": 2.5})), len(load(dump(["z" * 100000, {}]))))
"""
# Exceptions that builtins raise, and Python functions that builtins call.
CALLBACKS = """
import functools, json, _json
class Odd:
    def __lt__(self, other):
        return NotImplemented
def key(n):
    return -n
def fails():
    try:
        _json.scanstring('"abc', 1)
    except ValueError as error:
        return type(error).__name__
def ordered():
    return sorted([3, 1, 2], key=key), functools.reduce(lambda a, b: max(a, b), [1, 5, 2])
print(fails(), ordered())
"""
HTTPS = """
import http.client, ssl, sys
def fetch(port, certificate):
    context = ssl.create_default_context(cafile=certificate)
    connection = http.client.HTTPSConnection("localhost", port, context=context, timeout=20)
    connection.request("GET", "/")
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, len(body)
print(*fetch(int(sys.argv[1]), sys.argv[2]))
"""

# `chains`: patterns of names, the outermost call first. `module`: what the interpreter must be able to import. `library`: what the
# interpreter or one of its modules must be linked to, else the last levels cannot be there.
Case = namedtuple("Case", "name code rules chains module server", defaults=(False,))
CASES = [
    Case("json", JSON, "+__main__.*,+json.*,+c:_json.*,+libc.so.6:malloc,+libc.so.6:mem*", [
        ["__main__.dump", "json.dumps", "json.encoder.JSONEncoder.iterencode", "_json.Encoder.__call__", "libc.so.6:malloc"],
        ["__main__.load", "json.loads", "json.decoder.JSONDecoder.raw_decode", "_json.Scanner.__call__", "libc.so.6:mem*"],
    ], "_json"),
    Case("callbacks", CALLBACKS, "+__main__.*,+c:*,+libc.so.6:*", [
        ["__main__.ordered", "builtins.sorted", "__main__.key"],
        ["__main__.ordered", "_functools.reduce", "__main__.ordered.<locals>.<lambda>", "builtins.max"],
        ["__main__.fails", "_json.scanstring"],
    ], "_json"),
    Case("https", HTTPS, "+__main__.*,+http.client.*,+ssl.*,+socket.*,+c:_ssl.*,+c:_socket.*,+libssl.so*:*,+libcrypto.so*:BIO_*,+libc.so.6:re*,+libc.so.6:se*,+libc.so.6:wr*,+libc.so.6:get*", [
        ["__main__.fetch", "http.client.HTTPSConnection.connect", "ssl.SSLSocket.do_handshake", "_ssl._SSLSocket.do_handshake",
         "libssl.so*:SSL_do_handshake", "libcrypto.so*:BIO_read*", "libc.so.6:re*"],
        ["__main__.fetch", "http.client.*", "ssl.SSLSocket.send*", "_ssl._SSLSocket.write", "libssl.so*:SSL_write*", "libc.so.6:*"],
        ["__main__.fetch", "http.client.HTTPResponse.*", "ssl.SSLSocket.read", "_ssl._SSLSocket.read", "libssl.so*:SSL_read*"],
        ["__main__.fetch", "_socket.getaddrinfo", "libc.so.6:getaddrinfo"],
    ], "_ssl", True),
]


class Server:
    """HTTPS on loopback, with a certificate of its own."""

    def __init__(self, folder):
        self.certificate = os.path.join(folder, "certificate.pem")
        key = os.path.join(folder, "key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", self.certificate, "-days", "30",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        import socket
        self.socket = context.wrap_socket(socket.create_server(("127.0.0.1", 0)), server_side=True)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        body = b"hello " * 10000
        while True:
            try:
                connection, _ = self.socket.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)
                    connection.unwrap()
            except OSError:  # a client that leaves early is its own business
                if self.socket.fileno() < 0:
                    return


def open_chains(events, chains):
    """The chains that are never open in these events of a thread."""
    left, stack = list(chains), []
    for kind, _, name, _, _ in events:
        if kind in compare.BEGINS:
            stack.append(name)
            left = [chain for chain in left if not (fnmatch.fnmatchcase(name, chain[-1]) and contains(stack, chain))]
        elif kind in compare.ENDS and stack:
            stack.pop()
    return left


def contains(stack, chain):
    names = iter(stack)
    return all(any(fnmatch.fnmatchcase(name, pattern) for name in names) for pattern in chain)


def run(python, case, folder, **extra):
    env = compare.environment(PYTHONNOUSERSITE="1", **extra)
    words = [str(case.server.port), case.server.certificate] if case.server else []
    return compare.run([python, "-c", case.code] + words, env, os.devnull, folder, TIMEOUT_S)


class Unfit(Exception):
    """The program does not even run without the shim."""


def check(python, case, options):
    """What is wrong, as text."""
    problems, folder = compare.Problems(), tempfile.mkdtemp(prefix="kprobe-tree-")
    kprobe = os.path.join(options.tools, "kprobe")
    try:
        plain = run(python, case, folder)
        if plain.status:
            raise Unfit(plain.err.decode("utf-8", "replace").strip().split("\n")[-1])
        traced = run(python, case, folder, LD_PRELOAD=os.path.join(options.tools, "libkprobe.so"), KPROBE_FILTER=case.rules,
                     KPROBE_ENGINE=options.engine, KPROBE_ON_FULL="block", KPROBE_OUTPUT="file:" + os.path.join(folder, "kprobe.%p.kpt"))
        compare.compare_output(plain, traced, problems, "traced")
        traces = [path for path in compare.find_traces(folder) if path.endswith(".kpt")]
        verify = subprocess.run([kprobe, "verify"] + traces, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if verify.returncode:
            problems.add("kprobe verify: status %d\n%s" % (verify.returncode, verify.stdout.decode()[-1500:]))
        left = case.chains
        for trace in traces:
            for key, events in compare.dump_events(kprobe, trace, problems).items():
                compare.check_nesting(key, events, problems)
                left = open_chains(events, left)
        for chain in left:
            problems.add("never seen: " + " > ".join(chain))
        return problems.lines
    finally:
        for mapping, _ in compare.leftovers(folder):
            os.unlink(mapping)
        if options.keep:
            print("  kept: " + folder)
        else:
            shutil.rmtree(folder)


def has_module(python, module):
    return subprocess.run([python, "-c", "import " + module], stderr=subprocess.DEVNULL).returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--tools", default=os.path.join(TOP, "build/dev/bin"), help="folder of kprobe and libkprobe.so")
    parser.add_argument("--python", action="append", help="only this interpreter (may be given several times)")
    parser.add_argument("--some", action="store_true", help="only the oldest, the newest and the system's")
    parser.add_argument("--engine", default="auto", help="KPROBE_ENGINE")
    parser.add_argument("--keep", action="store_true", help="leave the traces")
    parser.add_argument("cases", nargs="*", help="only these")
    options = parser.parse_args()
    options.tools = os.path.abspath(options.tools)
    folder = tempfile.mkdtemp(prefix="kprobe-tree-server-")
    results = []
    try:
        server = Server(folder) if shutil.which("openssl") else None
        found = one_of_each_minor((3, 8))
        if options.some:
            found = [python for python in found if python in (found[0], found[-1]) or python.startswith("/usr/bin/")]
        for python in options.python or found:
            for case in CASES:
                if options.cases and case.name not in options.cases:
                    continue
                title, why = "%s on %s" % (case.name, python), None
                if not has_module(python, case.module):
                    why = "no module " + case.module
                elif case.server and not server:
                    why = "openssl is not installed"
                if why:
                    print("skipped: %s: %s" % (title, why))
                    continue
                try:
                    results.append(check(python, case._replace(server=case.server and server), options))
                except Unfit as error:
                    print("skipped: %s: fails without the shim: %s" % (title, error))
                    continue
                print("%-6s %s" % ("FAIL" if results[-1] else "ok", title), flush=True)
                for line in results[-1]:
                    print("  " + line.replace("\n", "\n  "))
    finally:
        shutil.rmtree(folder)
    return 1 if any(results) else 0 if results else 77


if __name__ == "__main__":
    sys.exit(main())

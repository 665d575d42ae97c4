#!/usr/bin/env python3
"""Extension modules of all kinds do what they do without the shim, and what is to be seen of each (docs/builtins.md has the
table) is seen, below the program's own functions. Modules of the standard library on every interpreter; packages, which
scripts/python-packages installs, on one interpreter of each version from 3.11 on.
"""
import os
import subprocess

import tracing
from interpreters import interpreters, one_of_each_minor

# A program with use(), and functions that must be among the calls below it: name and how often (None: at least once).
STANDARD = {
    "_json": ("""
import json
def use():
    data = json.loads('{"a": [1, "x"]}')
    assert json.dumps(data) == '{"a": [1, "x"]}'
""", {"_json.Scanner.__call__": 1, "_json.Encoder.__call__": 1}),
    "_sqlite3": ("""
import sqlite3
def use():
    db = sqlite3.connect(":memory:")
    cursor = db.cursor()
    cursor.execute("create table t(a)")
    cursor.executemany("insert into t values (?)", [(1,), (2,)])
    print(cursor.execute("select a from t").fetchall())
    try: cursor.execute("nonsense")
    except sqlite3.OperationalError as error: print(error)
    db.close()
""", {"sqlite3.Cursor.execute": 3, "sqlite3.Cursor.executemany": 1, "sqlite3.Cursor.fetchall": 1, "sqlite3.Connection.close": 1}),
    "_ssl": ("""
import ssl
def use():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ALL")
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    try: tls.do_handshake()
    except ssl.SSLWantReadError: print("wants to read")
    print(outgoing.pending > 0, len(outgoing.read()) > 100)
""", {"_ssl._SSLContext.set_ciphers": 1, "_ssl._SSLSocket.do_handshake": 1, "_ssl.MemoryBIO.read": 1}),
    "zlib": ("""
import zlib
def use():
    c = zlib.compressobj()
    print(zlib.decompress(c.compress(b"abc" * 100) + c.flush()) == b"abc" * 100, zlib.crc32(b"a"))
""", {"zlib.compressobj": 1, "zlib.Compress.compress": 1, "zlib.Compress.flush": 1, "zlib.decompress": 1, "zlib.crc32": 1}),
    "_sre": ("""
import re
pattern = re.compile("(a+)b")
def use():
    match = pattern.search("xaab")
    print(match.group(1), match.span(), pattern.sub("y", "ab"), pattern.findall("ab aab"))
""", {"re.Pattern.search": 1, "re.Match.group": 1, "re.Match.span": 1, "re.Pattern.sub": 1, "re.Pattern.findall": 1}),
    "_datetime, _collections, _hashlib": ("""
import collections, datetime, hashlib
def use():
    print(datetime.datetime(2000, 1, 2).strftime("%Y"), datetime.timedelta(1).total_seconds())
    d = collections.deque([1]); d.appendleft(0); print(d.pop())
    h = hashlib.sha256(b"a"); h.update(b"b"); print(h.hexdigest()[:8])
""", {"datetime.timedelta.total_seconds": 1, "collections.deque.appendleft": 1, "collections.deque.pop": 1, "_hashlib.HASH.update": 1}),
}

PACKAGES = {
    "numpy": ("""
import numpy
a = numpy.arange(10.)
def use():
    b = a.reshape(2, 5)
    c = numpy.add(a, 1)
    print(a.sum(), numpy.concatenate([a, c]).shape, numpy.sin(a)[0], numpy.add.reduce(c), b.dot(b.T).tolist()[0])
    try: numpy.dot(a, b)
    except ValueError as error: print(error)
""", {"numpy.ndarray.reshape": 1, "numpy.ndarray.sum": 1, "numpy._core._multiarray_umath.add": 1,
      "numpy._core._multiarray_umath.concatenate": 1, "numpy._core._multiarray_umath.sin": 1, "numpy.ufunc.reduce": None,
      "numpy.ndarray.dot": 1, "numpy.ndarray.tolist": 1}),
    "protobuf": ("""
from google.protobuf import descriptor, descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.internal import api_implementation
def use():
    print(api_implementation.Type())
    file = descriptor_pb2.FileDescriptorProto(name="x.proto", package="x")
    message = file.message_type.add()
    message.name = "M"
    field = message.field.add()
    field.name, field.number, field.type, field.label = "f", 1, 5, 1
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    found = pool.FindMessageTypeByName("x.M")
    print(isinstance(found, descriptor.Descriptor), found.full_name, [f.name for f in found.fields])
    m = message_factory.GetMessageClass(found)(f=7)
    print(type(m).FromString(m.SerializeToString()).f, m.HasField("f"))
""", {"google._upb._message.Message.SerializeToString": 2, "google._upb._message.Message.FromString": 1,
      "google._upb._message.Message.HasField": 1, "google._upb._message.DescriptorPool.AddSerializedFile": 1,
      "google._upb._message.DescriptorPool.FindMessageTypeByName": 1}),
    "lxml (Cython)": ("""
from lxml import etree
def use():
    root = etree.fromstring("<a><b>x</b></a>")
    root.append(etree.Element("c"))
    print(etree.tostring(root), root.find("b").text, [e.tag for e in root.iter()])
    try: etree.fromstring("<a>")
    except etree.XMLSyntaxError as error: print(type(error).__name__)
""", {"lxml.etree.fromstring": 2, "lxml.etree._Element.append": 1, "lxml.etree._Element.find": 1, "lxml.etree.tostring": 1}),
    "PyYAML (Cython)": ("""
import yaml
def use():
    print(yaml.load("a: [1, 2]", Loader=yaml.CSafeLoader), yaml.dump({"b": 1}, Dumper=yaml.CSafeDumper))
""", {"yaml._yaml.CParser.get_single_node": 1, "yaml._yaml.CEmitter.serialize": None}),
    "contourpy (pybind11)": ("""
import contourpy, numpy
z = numpy.array([[0., 1.], [1., 2.]])
def use():
    generator = contourpy.contour_generator(z=z)
    print([line.tolist() for line in generator.lines(0.5)])
    try: generator.lines("x")
    except TypeError as error: print(str(error)[:30])
""", {"contourpy._contourpy.ContourGenerator.lines": None}),
    "rpds (Rust, PyO3)": ("""
import rpds
def use():
    m = rpds.HashTrieMap({"a": 1}).insert("b", 2)
    print(sorted(m.keys()), m.get("b"), rpds.List([1, 2]).push_front(0), len(m))
    try: m.remove("z")
    except KeyError as error: print(error)
""", {"rpds.HashTrieMap.insert": 1, "rpds.HashTrieMap.keys": None, "rpds.HashTrieMap.get": None, "rpds.List.push_front": 1,
      "rpds.HashTrieMap.remove": 1}),
    "orjson (Rust)": ("""
import orjson
def use():
    print(orjson.loads(orjson.dumps({"a": [1, None]})))
    try: orjson.loads("[")
    except ValueError: print("error")
""", {"orjson.dumps": 1, "orjson.loads": 2}),
}


def check_program(python, name, program, wanted, path):
    traced = tracing.Traced(python, "auto", program + "use()\n", "*,+c:*", path=path)
    if traced.problem:
        return "%s: %s" % (name, traced.problem)
    below = [node.name for node in traced.trace.walk(traced.trace.find("__main__.use"))]
    wrong = ["%s was called %d times, not %s" % (function, below.count(function), count or "at least once")
             for function, count in wanted.items()
             if (below.count(function) != count if count else function not in below)]
    return "%s: %s" % (name, "; ".join(wrong)) if wrong else None


def packages(python):
    script = os.path.join(tracing.TOP, "scripts", "python-packages")
    done = subprocess.run([script, "--find", "builtins", python], stdout=subprocess.PIPE, universal_newlines=True)
    return done.stdout.strip() or None


def main():
    failed = 0
    for programs, pythons in ((STANDARD, interpreters()), (PACKAGES, one_of_each_minor((3, 11)))):
        for python in pythons:
            path = packages(python) if programs is PACKAGES else None
            if programs is PACKAGES and not path:
                print("skipped: scripts/python-packages builtins %s has not been run" % python)
                continue
            wrong = [check_program(python, name, *row, path) for name, row in programs.items()]
            failed += any(wrong)
            print("%s, %d modules: %s" % (python, len(programs), "\n    ".join(filter(None, wrong)) or "as they must be"), flush=True)
    raise SystemExit(failed > 0)


if __name__ == "__main__":
    main()

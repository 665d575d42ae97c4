#!/usr/bin/env python3
"""Real programs with every exported function traced: what they print, write and return is as ever.

    programs.py                   those that are quick, as a table
    programs.py --all             all
    programs.py --twice           two plain runs against each other: whether an invocation is fit for the comparison
    programs.py --inside          calls inside of objects, too
    programs.py perl git          only these

Each runs plainly and under the shim with `+*:*` (--rules), in a folder made anew each time. Standard output, error output, status and the
files in the folder afterwards must be equal, `kprobe verify` must be content with every trace, and there must be calls.

Exit status: 0 all fine, 1 something differs, 77 none of the programs is installed.
"""
import argparse
import hashlib
import http.server
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import namedtuple

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "oracle"))
import compare  # noqa: E402

TIMEOUT_S = 100

# `command`: the first word is looked up; SERVER is a loopback server, INPUT a text. `slow`: only with --all. `ignore`: names of
# files that are never the same twice.
Program = namedtuple("Program", "name command slow stdin ignore needs", defaults=(False, None, None, None))
PERL = r"""
use strict; use POSIX qw(floor); use List::Util qw(sum);
my %h; while (<>) { $h{$_}++ for split /\W+/ } print join("\n", map { "$_ $h{$_}" } sort keys %h), "\n";
print floor(3.7), " ", sum(1..100), " ", sprintf("%.10f", sqrt 2), "\n"; eval { die { code => 7 } }; print $@->{code}, "\n";
my $out = `echo from a child`; print $out; exit 3;
"""
NODE = r"""
const text = require('fs').readFileSync('text.txt', 'utf8'), hash = require('crypto').createHash('sha256');
console.log(hash.update(text).digest('hex'), require('zlib').gzipSync(text).length > 100);
console.log(JSON.stringify(Object.entries({a: [1, 2, {b: 3}]})), text.split(/\W+/).length);
setTimeout(() => { console.log('later'); process.exitCode = 4; }, 10);
Promise.reject(new Error('thrown')).catch(e => console.log(e.message));
"""
JAVA = r"""
import java.util.*; import java.util.stream.*;
public class Main { public static void main(String[] a) throws Exception {
  Map<String, Integer> m = new TreeMap<>();
  for (String s : java.nio.file.Files.readString(java.nio.file.Path.of("text.txt")).split("\\W+")) m.merge(s, 1, Integer::sum);
  System.out.println(m); Thread t = new Thread(() -> System.out.println(IntStream.range(0, 1000).sum())); t.start(); t.join();
  try { Object o = null; o.hashCode(); } catch (NullPointerException e) { System.out.println("null"); }
  System.gc(); System.exit(5); } }
"""
SQL = """
create table t(a integer primary key, b text, c real); begin;
with recursive n(i) as (select 1 union all select i + 1 from n where i < 5000) insert into t select i, 'row ' || i, i * 0.5 from n;
commit; create index i on t(b); select count(*), sum(c), max(b) from t where b like '%7%'; select json_object('a', avg(c)) from t;
select * from nothing;
"""
SHELL = r"""
f() { local x=$1; echo $((x * 2)); }; for i in 1 2 3; do f $i; done | sort -rn; a=($(seq 1 50)); echo ${#a[@]} ${a[@]:3:4}
(cd sub && ls | wc -l); [[ abc =~ ^a(.)c$ ]] && echo ${BASH_REMATCH[1]}; trap 'echo trapped' USR1; kill -USR1 $$; cat <<< here
while read -r line; do echo "${line:0:10}"; done < text.txt | head -n 5; sleep 0 & wait $!; echo $?; exit 6
"""
PYTHON = """
import json, zlib, hashlib, sqlite3, re, subprocess, threading, decimal
text = open('text.txt').read(); print(hashlib.sha256(text.encode()).hexdigest(), len(zlib.compress(text.encode(), 9)))
print(json.dumps(json.loads('{"a": [1, 2.5, null, "x"]}'), sort_keys=True), len(re.findall(r'[a-m]+', text)))
print(sqlite3.connect(':memory:').execute('select 1 + 2').fetchall(), decimal.Decimal(2).sqrt())
print(subprocess.run(['echo', 'child'], stdout=subprocess.PIPE).stdout)
t = threading.Thread(target=print, args=('thread',)); t.start(); t.join(); raise SystemExit(8)
"""
NUMPY = """
import numpy as np
a = np.arange(10000.0).reshape(100, 100); print(a.sum(), np.linalg.norm(a), np.sort(a[::-1].ravel())[:3], (a @ a)[3, 4])
print(np.fft.fft(np.ones(8)), np.array(['b', 'a']).argsort(), np.random.default_rng(1).integers(0, 100, 5))
try: np.zeros(3) + np.zeros(4)
except ValueError as e: print(e)
"""
TCL = 'set l {}; foreach w {c a b} {lappend l $w}; puts [lsort $l]; puts [expr {sqrt(2)}]; puts [regexp {a.c} abc]; exit 2'
LUA = "local t={} for i=1,1000 do t[i]=i*i end table.sort(t,function(a,b) return a>b end) print(t[1],string.rep('x',5)) " \
      "print(pcall(error,'oops')) local c=coroutine.wrap(function() coroutine.yield(1) coroutine.yield(2) end) print(c(),c()) os.exit(3)"
GIT = "git init -q r && cd r && git config user.name n && git config user.email e@x && cp ../text.txt . && git add . && git commit -qm one " \
      "&& sort text.txt > s && git add s && git commit -qm two && git log --stat && git diff HEAD~1 | tail -n 3 && git gc -q && git fsck " \
      "&& git rev-parse HEAD && git blame text.txt | tail -n 1"
PROGRAMS = [
    Program("perl", ["perl", "-e", PERL, "text.txt"]),
    Program("git", ["bash", "-c", GIT], needs="git", ignore=r"\.git/(index|objects/pack/.*|objects/info/.*)$"),
    Program("gcc", ["gcc", "-O2", "-g", "-c", "hello.c", "-o", "hello.o"]),
    Program("g++", ["g++", "-O1", "hello.cpp", "-o", "hello++"], slow=True),
    Program("gcc error", ["gcc", "-Wall", "-c", "broken.c"], needs="gcc"),
    Program("gcc link", ["gcc", "hello.c", "-o", "hello", "-static-libgcc"], needs="gcc"),
    Program("clang", ["clang", "-O1", "-c", "hello.c", "-o", "hello.o"]),
    Program("node", ["node", "-e", NODE]),
    Program("java", ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "Main.java"], slow=True),
    Program("java version", ["java", "-version"], needs="java"),
    Program("sqlite3", ["sqlite3", "db.sqlite"], stdin="db.sql"),
    Program("curl", ["curl", "-sS", "-D", "headers", "SERVER/text.txt"]),
    Program("curl refused", ["curl", "-sS", "http://127.0.0.1:1/"], needs="curl"),
    Program("wget", ["wget", "-q", "-O", "-", "SERVER/text.txt"], slow=True),
    Program("openssl digest", ["openssl", "dgst", "-sha3-256", "text.txt"], needs="openssl"),
    Program("openssl cipher", ["openssl", "enc", "-aes-256-cbc", "-pbkdf2", "-S", "0102030405060708", "-k", "secret", "-in", "text.txt", "-base64"],
            needs="openssl"),
    Program("openssl key", ["openssl", "pkey", "-in", "key.pem", "-text", "-noout"], needs="openssl"),
    Program("tar", ["tar", "--sort=name", "--mtime=@0", "--owner=0", "--group=0", "-czf", "out.tgz", "sub", "text.txt"]),
    Program("find", ["find", ".", "-name", "*.t*", "-size", "+1", "-exec", "basename", "{}", ";"]),
    Program("xz", ["xz", "-9", "-c", "text.txt"]),
    Program("xz threads", ["xz", "-T2", "--block-size=20000", "-k", "text.txt"], needs="xz"),
    Program("gzip", ["gzip", "-nc", "text.txt"]),
    Program("bzip2", ["bzip2", "-k", "text.txt"]),
    Program("zstd", ["zstd", "-q", "-12", "-k", "text.txt"]),
    Program("mawk", ["mawk", "{ n[$1]++; s += length($0) } END { for (k in n) c++; print c, s, substr(\"abc\", 2), sin(1) }", "text.txt"]),
    Program("gawk", ["gawk", "{ n[$1]++ } END { PROCINFO[\"sorted_in\"] = \"@ind_str_asc\"; for (k in n) print k, n[k] }", "text.txt"]),
    Program("sed", ["sed", "-nE", "s/([a-m]+) ([n-z]+)/\\2-\\1/gp; 100q5", "text.txt"]),
    Program("sort", ["sort", "-S", "64K", "--parallel=2", "-k2", "-u", "text.txt"]),
    Program("bash", ["bash", "-c", SHELL]),
    Program("dash", ["dash", "-c", "for i in 1 2 3; do echo $((i * i)); done | tac; cat text.txt | wc -c; exit 4"]),
    Program("cmake", ["cmake", "-P", "script.cmake"]),
    Program("make", ["make", "-j2", "-s", "all"]),
    Program("ninja", ["ninja", "-C", ".", "--quiet"], ignore=r"\.ninja_(log|deps)$"),
    Program("python3", ["/usr/bin/python3", "-c", PYTHON]),
    Program("python3 numpy", ["/usr/bin/python3", "-c", NUMPY], needs="numpy"),
    Program("vim", ["vim", "-es", "-u", "NONE", "-i", "NONE", "-c", "%s/a/b/g", "-c", "sort", "-c", "wq!", "text.txt"]),
    Program("ed", ["ed", "-s", "text.txt"], stdin="ed.txt"),
    Program("gdb", ["gdb", "-q", "-nx", "-batch", "-ex", "info functions main", "-ex", "disassemble main", "prepared"]),
    Program("gdb version", ["gdb", "--version"], needs="gdb"),
    Program("ssh-keygen", ["ssh-keygen", "-y", "-f", "id"]),
    Program("ssh-keygen list", ["ssh-keygen", "-l", "-f", "id.pub"], needs="ssh-keygen"),
    Program("bc", ["bc", "-lq"], stdin="bc.txt"),
    Program("jq", ["jq", "-S", "[.[] | {k: .a, n: (.b | length)}] | group_by(.n) | map(length)", "data.json"]),
    Program("diff", ["diff", "-u", "--label", "a", "--label", "b", "text.txt", "sub/sorted.txt"]),
    Program("grep", ["grep", "-nE", "^(a|b).*[xyz]{1,2}", "text.txt"]),
    Program("objdump", ["objdump", "-d", "prepared"]),
    Program("readelf", ["readelf", "-aW", "prepared"]),
    Program("strip", ["strip", "-o", "stripped", "prepared"]),
    Program("zip", ["zip", "-qX", "-", "sub/sorted.txt"], slow=True),
    Program("file", ["file", "prepared", "text.txt", "db.sql"]),
    Program("tclsh", ["tclsh"], stdin="tcl.txt"),
    Program("lua", ["lua5.4", "-e", LUA]),
    Program("ls", ["ls", "-lR", "--time-style=+", "sub"]),
    Program("m4", ["m4", "-D", "X=3"], stdin="m4.txt"),
    Program("groff", ["groff", "-Tutf8", "-man", "page.1"]),
    Program("dpkg", ["dpkg", "-l", "bash", "coreutils"]),
    Program("kprobe", ["KPROBE", "--help"]),
]
FILES = {
    "hello.c": "#include <stdio.h>\n#include <math.h>\nstatic int f(int n) { return n < 2 ? n : f(n - 1) + f(n - 2); }\n"
               "int main(void) { printf(\"%d %f\\n\", f(20), 1.5); return 0; }\n",
    "broken.c": "int main(void) { int unused; return nothing; }\n",
    "hello.cpp": "#include <iostream>\n#include <map>\n#include <string>\nint main() { std::map<std::string, int> m; m[\"a\"] = 1;\n"
                 "for (auto &p : m) std::cout << p.first << p.second << std::endl; }\n",
    "Main.java": JAVA,
    "db.sql": SQL,
    "script.cmake": "set(l c a b)\nlist(SORT l)\nmessage(\"${l}\")\nfile(SHA256 text.txt h)\nmessage(${h})\n"
                    "execute_process(COMMAND echo child OUTPUT_VARIABLE o)\nmessage(${o})\nstring(REGEX MATCHALL \"[a-c]+\" m abxbcx)\n"
                    "message(\"${m}\")\nmessage(FATAL_ERROR the end)\n",
    "Makefile": "all: a b c\na: text.txt\n\tsort text.txt > a\nb: a\n\thead -n 3 a > b\nc:\n\techo $(words 1 2 3) $(shell echo 5) > c\n",
    "build.ninja": "rule sort\n  command = sort $in > $out\nbuild one: sort text.txt\nbuild two: sort one\n",
    "ed.txt": "1,5p\n/b/s//X/p\n$d\nw\nq\n",
    "bc.txt": "scale=30\ns(1)\ne(1)\n2^200\ndefine f(x) { if (x < 2) return 1; return x * f(x - 1) }\nf(30)\nquit\n",
    "tcl.txt": TCL + "\n",
    "m4.txt": "define(`f', `ifelse($1, 0, done, `$1 f(decr($1))')')f(20) X\n",
    "page.1": ".TH PAGE 1\n.SH NAME\npage \\- a page\n.SH TEXT\n" + "Some words that fill lines. " * 50 + "\n",
}


class Handler(http.server.BaseHTTPRequestHandler):
    """The same answer for all."""
    body = b""

    def do_GET(self):
        self.send_response_only(200)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_):
        pass


def text():
    """Lines of words, always the same."""
    state, lines = 1, []
    for _ in range(1500):
        words = []
        for _ in range(8):
            state = (state * 1103515245 + 12345) % 2 ** 31
            words.append("".join(chr(97 + (state >> shift) % 26) for shift in range(3, 3 + state % 6 + 2)))
        lines.append(" ".join(words))
    return "\n".join(lines) + "\n"


def prepare(folder):
    """What the programs read; made by programs that are not traced."""
    files = dict(FILES, **{"text.txt": text(), "sub/sorted.txt": "\n".join(sorted(text().split("\n"))),
                           "data.json": "[" + ",".join('{"a": %d, "b": "%s"}' % (i, "x" * (i % 7)) for i in range(500)) + "]"})
    os.mkdir(os.path.join(folder, "sub"))
    for name, content in files.items():
        with open(os.path.join(folder, name), "w") as file:
            file.write(content)
    for command in (["gcc", "-O1", "hello.c", "-o", "prepared"],
                    ["openssl", "genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024", "-out", "key.pem"],
                    ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", "id"]):
        if shutil.which(command[0]):
            subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def missing(program, kprobe):
    """What is not installed, or None."""
    if program.needs == "numpy":
        found = subprocess.run(["/usr/bin/python3", "-c", "import numpy"], stderr=subprocess.DEVNULL).returncode == 0
        return None if found else "numpy"
    name = program.needs or program.command[0]
    return None if shutil.which(name.replace("KPROBE", kprobe)) else name


def snapshot(folder, ignore):
    """Contents of all files."""
    found = {}
    for at, _, names in os.walk(folder):
        for name in names:
            path = os.path.relpath(os.path.join(at, name), folder)
            if not ignore or not re.search(ignore, path):
                with open(os.path.join(folder, path), "rb") as file:
                    found[path] = hashlib.sha256(file.read()).hexdigest()
    return found


class Runner:
    def __init__(self, options, base, server):
        self.kprobe, self.shim = os.path.join(options.tools, "kprobe"), os.path.join(options.tools, "libkprobe.so")
        self.base, self.server = base, server
        self.tracing = dict({"KPROBE_INLINE": "1"} if options.inside else {}, LD_PRELOAD=self.shim, KPROBE_FILTER=options.rules)
        self.template, self.work = os.path.join(base, "template"), os.path.join(base, "work")
        os.mkdir(self.template)
        prepare(self.template)

    def run(self, program, **extra):
        """Always in the same place, whose name may be printed."""
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.copytree(self.template, self.work)
        command = [word.replace("SERVER", self.server).replace("KPROBE", self.kprobe) for word in program.command]
        env = compare.environment(HOME=self.work, GIT_AUTHOR_DATE="@1700000000 +0000", GIT_COMMITTER_DATE="@1700000000 +0000",
                                  GIT_CONFIG_NOSYSTEM="1", SOURCE_DATE_EPOCH="0", TZ="UTC", PYTHONNOUSERSITE="1", **extra)
        stdin = os.path.join(self.work, program.stdin) if program.stdin else os.devnull
        begin = time.monotonic()
        result = compare.run(command, env, stdin, self.work, TIMEOUT_S)
        return result, snapshot(self.work, program.ignore), time.monotonic() - begin

    def check(self, program, twice):
        """Row of the table, and what is wrong."""
        problems = compare.Problems()
        plain, files, seconds = self.run(program)
        traces = os.path.join(self.base, "traces")
        shutil.rmtree(traces, ignore_errors=True)
        os.mkdir(traces)
        extra = {} if twice else dict(self.tracing, KPROBE_OUTPUT="file:" + os.path.join(traces, "kprobe.%p.kpt"))
        other, other_files, other_seconds = self.run(program, **extra)
        compare.compare_output(plain, other, problems, "second" if twice else "traced")
        for name in sorted(files.keys() | other_files.keys()):
            if files.get(name) != other_files.get(name):
                problems.add("the file %s differs" % name)
        calls, processes = ("", "") if twice else self.check_traces(traces, problems)
        return (program.name, str(plain.status), processes, calls, "%.2f" % seconds, "%.2f" % other_seconds), problems.lines

    def check_traces(self, folder, problems):
        calls, lost, traces = 0, 0, compare.find_traces(folder)
        for trace in traces:
            verify = subprocess.run([self.kprobe, "verify", trace], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            said = verify.stdout.decode("utf-8", "replace")
            if verify.returncode:
                problems.add("kprobe verify: status %d\n%s" % (verify.returncode, said[-1000:]))
            calls += sum(int(n.replace(",", "")) for n in re.findall(r"([\d,]+) calls read", said))
            lost += sum(int(n.replace(",", "")) for n in re.findall(r"([\d,]+) (?:calls )?lost", said))
        if not calls:
            problems.add("no call was traced")
        for mapping, _ in compare.leftovers(folder):
            os.unlink(mapping)
        return "{:,}".format(calls) + (" + {:,} lost".format(lost) if lost else ""), str(len(traces))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--tools", default=os.path.join(TOP, "build/dev/bin"), help="folder of kprobe and libkprobe.so")
    parser.add_argument("--all", action="store_true", help="the slow ones as well")
    parser.add_argument("--twice", action="store_true", help="without the shim, two times")
    parser.add_argument("--inside", action="store_true", help="calls inside of objects, too (KPROBE_INLINE=1)")
    parser.add_argument("--rules", default="+*:*", help="instead of +*:*")
    parser.add_argument("--part", help="N/M: only each Mth program, from the Nth on")
    parser.add_argument("names", nargs="*", help="only these")
    options = parser.parse_args()
    options.tools = os.path.abspath(options.tools)
    wanted = [p for p in PROGRAMS if p.name in options.names or (not options.names and (options.all or not p.slow))]
    if options.part:
        number, count = map(int, options.part.split("/"))
        wanted = wanted[number - 1::count]
    base = tempfile.mkdtemp(prefix="kprobe-programs-")
    Handler.body = text().encode()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    ran, failed = 0, 0
    try:
        runner = Runner(options, base, "http://127.0.0.1:%d" % server.server_port)
        print("%-6s %-16s %6s %9s %24s %8s %8s" % ("", "program", "status", "processes", "calls", "plain s", "traced s"))
        for program in wanted:
            absent = missing(program, runner.kprobe)
            if absent:
                print("skipped: %s: %s is not installed" % (program.name, absent))
                continue
            row, problems = runner.check(program, options.twice)
            ran, failed = ran + 1, failed + bool(problems)
            print("%-6s %-16s %6s %9s %24s %8s %8s" % (("FAIL" if problems else "ok",) + row), flush=True)
            for line in problems:
                print("  " + line.replace("\n", "\n  "))
    finally:
        server.shutdown()
        shutil.rmtree(base, ignore_errors=True)
    print("%d programs, %d with differences" % (ran, failed))
    return 1 if failed else 0 if ran else 77


if __name__ == "__main__":
    sys.exit(main())

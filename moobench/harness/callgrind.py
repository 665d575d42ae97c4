"""Instructions and clock reads of a stretch of a program, counted by callgrind: no noise of the machine, so limits can be kept.

The stretch lies between two marks: calls of getpriority, which nothing else in the programs calls (moobench/counted). It is what
one thread ran in user space: callgrind counts threads apart, so a writer's instructions are not in it.

A *clock read* is an executed rdtsc or rdtscp, recognised by its bytes at an address that was executed, or a call of one of the C
library's clock functions (valgrind hides the vDSO, so those are never rdtsc themselves).
"""
import collections
import dataclasses
import functools
import os
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import threading

from harness import children

MARK = "getpriority"
UNKNOWN = "???"

# Parts of valgrind that run a program, for interpreters that bring their own /usr.
VALGRIND_FOLDERS = ["/usr/libexec/valgrind", "/usr/lib/valgrind", "/usr/lib/x86_64-linux-gnu/valgrind"]
VALGRIND_FILES = ["callgrind-amd64-linux", "vgpreload_core-amd64-linux.so", "default.supp"]

CLOCK_FUNCTIONS = {"clock_gettime", "gettimeofday", "time", "clock", "__vdso_clock_gettime"}
CLOCK_BYTES = [b"\x0f\x31", b"\x0f\x01\xf9"]


class Failure(Exception):
    """The program did not run under valgrind, or did not do what it was to do."""


@dataclasses.dataclass
class Profile:
    """Of one thread. Instructions by (object, address in it), the function an address is of, calls by (object, function).
    `foreign`: objects below this folder are others than those that lie there in our world."""
    instructions: collections.Counter
    functions: dict
    calls: collections.Counter
    foreign: str = ""

    @property
    def total(self):
        return sum(self.instructions.values())

    def is_foreign(self, place):
        return bool(self.foreign) and place.startswith(self.foreign)

    def clock_reads(self):
        read = sum(count for (place, address), count in self.instructions.items()
                   if not self.is_foreign(place) and reads_clock(place, address))
        return read + sum(count for (_, name), count in self.calls.items() if name.split("@")[0] in CLOCK_FUNCTIONS)


class Names:
    """Names that callgrind writes once, with a number, and afterwards by the number alone."""

    def __init__(self):
        self.known = {}

    def __call__(self, text):
        number, name = re.fullmatch(r"\((\d+)\)(?: (.*))?", text).groups()
        return self.known.setdefault(number, name)


def read_profile(lines):
    """The profile in lines of a file by --dump-instr=yes --dump-line=no."""
    profile = Profile(collections.Counter(), {}, collections.Counter())
    objects, functions = Names(), Names()
    place = called_place = function = called = None
    address, inclusive = 0, False
    for line in lines:
        key, equals, value = line.rstrip("\n").partition("=")
        if key == "ob":
            place = objects(value)
        elif key == "fn":
            function, called_place = functions(value), None
        elif key == "cob":
            called_place = objects(value)
        elif key == "cfn":
            called = functions(value)
        elif key == "calls":
            profile.calls[called_place or place, called] += int(value.split()[0])
            inclusive, called_place = True, None
        elif not equals and line[:1] in "0123456789+-*" and line.strip():
            position, _, count = key.partition(" ")
            address = next_address(address, position)
            if not inclusive:
                profile.instructions[place, address] += int(count or 0)
                profile.functions[place, address] = function
            inclusive = False
    return profile


def next_address(address, position):
    if position == "*":
        return address
    return address + int(position, 0) if position[0] in "+-" else int(position, 0)


@functools.lru_cache(maxsize=None)
def code_of(path):
    """The executable parts of an ELF file, as (address, offset in the file, bytes); none for what is no such file."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError:
        return []
    if data[:5] != b"\x7fELF\x02":
        return []
    (offset,), (size, count) = struct.unpack_from("<Q", data, 32), struct.unpack_from("<HH", data, 54)
    parts = []
    for i in range(count):
        kind, flags, start, address, _, length = struct.unpack_from("<IIQQQQ", data, offset + i * size)
        if kind == 1 and flags & 1:
            parts.append((address, start, data[start:start + length]))
    return parts


def has_code(place, address):
    """False if the file is known and the address is none of its code's."""
    parts = code_of(place)
    return not parts or any(0 <= address - start < len(code) for start, _, code in parts)


@functools.lru_cache(maxsize=None)
def reads_clock(place, address):
    for start, _, code in code_of(place):
        if 0 <= address - start < len(code):
            return any(code.startswith(read, address - start) for read in CLOCK_BYTES)
    return False


class Maps:
    """What is mapped where, from lines of /proc/PID/maps."""

    def __init__(self, lines):
        self.parts = []
        for line in lines:
            words = line.split()
            if len(words) > 5 and words[5].startswith("/"):
                start, end = (int(text, 16) for text in words[0].split("-"))
                self.parts.append((start, end, int(words[2], 16), words[5]))

    def place(self, address):
        """(object, address in it) of code, or None."""
        for start, end, offset, path in self.parts:
            if start <= address < end:
                offset += address - start
                for first, first_offset, code in code_of(path):
                    if 0 <= offset - first_offset < len(code):
                        return path, first + offset - first_offset
        return None


def resolve(profile, maps, guest):
    """Names the objects that callgrind did not know, or took for the one that it had returned to: a trampoline that puts its own
    return address where the caller's was runs in what callgrind believes to be the caller. `guest` is whose trampolines those
    are."""
    for key in list(profile.instructions):
        place, address = key
        known = maps.place(address) if place == UNKNOWN else None
        if place != UNKNOWN and guest and not profile.is_foreign(place) and not has_code(place, address):
            known = guest, address
        if known and known != key:
            profile.instructions[known] += profile.instructions.pop(key)
            profile.functions.setdefault(known, profile.functions.pop(key))
    return profile


def folder_of_tool():
    """Where the parts of valgrind are that run a program under callgrind; None: it is not installed."""
    folders = [folder for folder in VALGRIND_FOLDERS if os.path.exists(os.path.join(folder, VALGRIND_FILES[0]))]
    return folders[0] if folders else None


@functools.lru_cache(maxsize=None)
def is_elsewhere(program):
    """Whether it starts a Python with a /usr of its own (scripts/interpreters makes such): valgrind would follow the launcher,
    and nothing of what that starts."""
    if "python" not in os.path.basename(program):
        return False
    text = "import os; print(*os.stat('/usr')[1:3])"
    said = subprocess.run([program, "-S", "-c", text], env=clean_environment(), capture_output=True, text=True).stdout
    return said.split() != [str(number) for number in os.stat("/usr")[1:3]]


def clean_environment():
    return {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}


class Counter:
    """Runs programs under callgrind. `folder` keeps what the runs share, as long as the caller wants."""

    def __init__(self, folder):
        self.folder = folder
        self.running, self.stopped, self.lock = set(), False, threading.Lock()
        self.tool = os.path.join(folder, "valgrind")
        os.makedirs(self.tool, exist_ok=True)
        for name in VALGRIND_FILES:
            if not os.path.exists(os.path.join(self.tool, name)):
                shutil.copy2(os.path.join(folder_of_tool(), name), self.tool)

    def run(self, command, environment, timeout_s=600):
        """The profile between the marks, and what the program printed and complained of."""
        place = tempfile.mkdtemp(dir=self.folder)
        counts, maps = os.path.join(place, "callgrind"), os.path.join(place, "maps")
        # smc-check: the library writes code, which valgrind would not see otherwise.
        valgrind = [os.path.join(self.tool, VALGRIND_FILES[0]), "-q", "--separate-threads=yes", "--smc-check=all",
                    "--dump-instr=yes", "--dump-line=no", "--dump-before=" + MARK, "--callgrind-out-file=" + counts]
        environment = dict(environment, VALGRIND_LIB=self.tool, VALGRIND_LAUNCHER=valgrind[0], COUNTED_MAPS=maps)
        elsewhere = is_elsewhere(command[0])
        if elsewhere:
            # The Python in there replaces itself by valgrind, which is linked statically and lies outside of /usr.
            text = "import os, sys; os.execve(%r, %r + [sys.executable] + %r, %r)" % (
                valgrind[0], valgrind, command[1:], environment)
            command, outer = [command[0], "-S", "-c", text], clean_environment()
        else:
            command, outer = valgrind + command, environment
        status, printed, said = self.wait(self.start(command, outer), timeout_s)
        if status or not os.path.exists(counts + ".2-01"):
            raise Failure("%s under valgrind: %s %s" % (command[0], printed, said))
        with open(counts + ".2-01") as lines, open(maps) as mapped:
            profile = read_profile(lines)
            profile.foreign = "/usr/" if elsewhere else ""
            resolve(profile, Maps(mapped), environment.get("LD_PRELOAD"))
        return profile, printed, said

    def start(self, command, environment):
        """In a process group of its own, since some programs are started by others that wait for them."""
        with self.lock:
            if self.stopped:
                raise Failure("counting was ended")
            process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, text=True, start_new_session=True,
                                       preexec_fn=children.die_with_us)
            self.running.add(process)
            return process

    def wait(self, process, timeout_s):
        try:
            printed, said = process.communicate(timeout=timeout_s)
            return process.returncode, printed, said
        except subprocess.TimeoutExpired:
            raise Failure("%s under valgrind did not end within %d s" % (process.args[0], timeout_s)) from None
        finally:
            with self.lock:
                self.running.discard(process)
                if process.returncode is None:
                    end(process)
            process.wait()

    def stop(self):
        """Ends what runs; nothing can be run any more."""
        with self.lock:
            self.stopped = True
            for process in self.running:
                end(process)


def end(process):
    """And what it started. Its number is its own until somebody waited for it."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)

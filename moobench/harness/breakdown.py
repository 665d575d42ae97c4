"""What the instructions of a recorded call pair are for: those that kprobe adds, in PARTS, which together are all of them.

Assembly says it itself, by marks that the library has beside its code, in a section that is not loaded (PART in
shim/arch/*/stack.inc). C is told by the function that an instruction comes from, through all that was inlined: debugging
information has that. So both need a library that was not stripped. Nothing is guessed: what no mark and no function tells is `other`.
"""
import bisect
import collections
import functools
import os
import shutil
import struct
import subprocess
import zlib

import limits
from harness import callgrind, counting, model

MARKS, INLINED = ".debug_kp_parts", ".debug_info"
SHF_COMPRESSED = 0x800

DISPATCH, REGISTERS, LOOKUP, CHECKS, STACK, CLOCK, RING, INTERPRETER, OTHER = PARTS = (
    "dispatch", "registers", "lookup", "checks", "stack", "clock", "ring", "interpreter", "other")

# Of C: what an instruction is for if it comes from this function, or from one that was inlined there and is not in the table. What is
# a callback, or calls one, is dispatch but for what is in it.
FUNCTIONS = {function: part for part, functions in {
    DISPATCH: ["evaluate", "hook_3_8", "on_start", "on_return", "on_event", "nothing", "answer", "kp_method_call", "kp_method_stubs"],
    LOOKUP: ["kp_code_id", "code_of"],
    CHECKS: ["kp_thread_active", "kp_thread_is_recording", "recording", "kp_probe_begin", "kp_probe_try", "kp_probe_end", "kp_emit_room",
             "kp_open_room", "kp_frame_classify", "kp_frame_object_raises", "kp_open_owner", "is_generator", "look_for_threads"],
    STACK: ["enter", "leave", "on_call", "begin", "kp_call_begin", "kp_call_end", "kp_call_tag", "kp_open_push", "kp_open_pop",
            "kp_open_pop_id"],
    CLOCK: ["kp_clock_now"],
    RING: ["kp_emit", "kp_emit_sure", "kp_emit_enter", "kp_emit_enter_sure", "kp_emit_slot", "kp_emit_publish"],
}.items() for function in functions}
# One for each version of CPython, by a macro.
HOOK = "hook_3_"


class Stripped(callgrind.Failure):
    """The library does not tell its parts."""


def section(path, name):
    """Bytes of a section of an ELF file; None if there is none of that name."""
    with open(path, "rb") as file:
        data = file.read()
    (table,), (size, count, names) = struct.unpack_from("<Q", data, 40), struct.unpack_from("<HHH", data, 58)
    headers = [struct.unpack_from("<IIQQQQ", data, table + i * size) for i in range(count)]
    for header in headers:
        start = headers[names][4] + header[0]
        if data[start:data.index(b"\0", start)].decode() == name:
            content = data[header[4]:header[4] + header[5]]
            return zlib.decompress(content[24:]) if header[2] & SHF_COMPRESSED else content
    return None


class Marks:
    """From which address on code is of which part."""

    def __init__(self, content):
        marks, offset = [], 0
        while offset < len(content):
            end = content.index(b"\0", offset + 8)
            marks.append((struct.unpack_from("<Q", content, offset)[0], len(marks), content[offset + 8:end].decode()))
            offset = end + 1
        marks.sort()
        self.starts, self.parts = [mark[0] for mark in marks], [mark[2] for mark in marks]
        unknown = set(self.parts) - set(PARTS)
        if unknown:
            raise ValueError("marks of unknown parts: %s" % ", ".join(sorted(unknown)))

    def part(self, address):
        """OTHER where it is of none."""
        found = bisect.bisect_right(self.starts, address) - 1
        return self.parts[found] if found >= 0 else OTHER


@functools.lru_cache(maxsize=None)
def marks_of(library):
    content = section(library, MARKS)
    if content is None or section(library, INLINED) is None:
        raise Stripped("%s was stripped, or built without debugging information: where instructions go can be told of the library in "
                       "the folder of a build by the preset release only" % library)
    return Marks(content)


def inlined(library, addresses):
    """Of each address the functions it comes from, the innermost first."""
    tool = shutil.which("addr2line")
    if not tool:
        raise callgrind.Failure("addr2line is not installed, which tells the functions of instructions")
    said = subprocess.run([tool, "-a", "-i", "-f", "-e", library], input="".join("0x%x\n" % address for address in addresses),
                          check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    found, lines = {}, iter(said)
    for line in lines:
        if line.startswith("0x"):
            chain = found[int(line, 16)] = []
        else:
            chain.append(line.split(".")[0])    # without .part.0 and the like
            next(lines)                         # the place in the source
    return found


def moves_register(library, address):
    """A push or a pop."""
    for start, _, code in callgrind.code_of(library):
        if 0 <= address - start < len(code):
            code = code[address - start:][:2]
            return 0x50 <= code[code[0] == 0x41] <= 0x5f
    return False


def part_of_chain(chain):
    names = ("hook_3_8" if name.startswith(HOOK) else name for name in chain)
    return next((FUNCTIONS[name] for name in names if name in FUNCTIONS), OTHER)


def parts_of_library(library, addresses):
    """{address: part}"""
    marks = marks_of(library)
    found = {address: marks.part(address) for address in addresses}
    unmarked = [address for address, part in found.items() if part == OTHER]
    for address, chain in inlined(library, unmarked).items():
        part = part_of_chain(chain)
        found[address] = REGISTERS if part != OTHER and moves_register(library, address) else part
    return found


def of_count(made, library):
    """model.Breakdown of a counting.Count with this library."""
    net, sums = collections.Counter(made.profile.instructions), collections.Counter()
    net.subtract(made.plain.instructions)
    name = os.path.basename(library)
    parts = parts_of_library(library, [address for place, address in net if os.path.basename(place) == name])
    # Stubs that the library wrote are in no file. What they took the place of in C is executed in them.
    elsewhere = {callgrind.UNKNOWN: DISPATCH}
    outside = INTERPRETER if made.version else DISPATCH
    for (place, address), count in net.items():
        ours = os.path.basename(place) == name
        sums[parts[address] if ours else elsewhere.get(place, outside)] += count
    if sum(sums.values()) != made.profile.total - made.plain.total:
        raise callgrind.Failure("the parts of %s are not all of it" % made.name)
    return model.Breakdown(made.name, made.version, [[part, sums[part] / counting.CALLS] for part in PARTS])


def of_counts(counts, library):
    """Of those whose calls are recorded; all must be of ours."""
    return [of_count(made, library) for made in counts if made.state == limits.TRACED]


def breakdown(python, name, where):
    """model.Breakdown of an engine with this interpreter, or of a mechanism for functions in C (`python` is then who calls a builtin)."""
    with counting.Bench(where.tools) as bench:
        if name in counting.NATIVE:
            counts = counting.native_counts(bench, python, [name])
        else:
            counts = counting.python_counts(bench, python, [name], states=[limits.TRACED])
        return of_counts(counts, bench.shim)[0]

"""Models made to eat time and memory: each is refused or understood within bounds.

    hostile.py KPROBE
"""
import os
import resource
import subprocess
import sys
import tempfile

MOST_SECONDS = 60  # sanitisers and busy machines included; the slowest takes two
MOST_BYTES = 2 << 30


def chain(count):
    """Each inherits from the one before."""
    return ["event E0 { long a0 }"] + [f"event E{i} extends E{i - 1}" for i in range(1, count)]


def chain_backwards(count):
    return [f"event E{i} extends E{i + 1}" for i in range(count)] + [f"event E{count} {{ long a }}"]


def cycle(count):
    return [f"event E{i} extends E{(i + 1) % count}" for i in range(count)]


def growing_chain(count):
    return ["event E0 { long a0 }"] + [f"event E{i} extends E{i - 1} {{ long a{i} }}" for i in range(1, count)]


def diamonds(count):
    """As many ways as 2 to the power of count."""
    lines = ["template T0 { long a }"]
    for i in range(1, count):
        lines += [f"template A{i} : T{i - 1}", f"template B{i} : T{i - 1}",
                  f"template T{i} : A{i}, B{i} {{ long x{i} alias a as y{i} }}"]
    return lines + [f"event E : T{count - 1}", "model M T0", "sub S M : T0"]


def constants(count):
    return ["event E {"] + [f"const long C{i} = C{i + 1}" for i in range(count)] + [f"const long C{count} = 1 }}"]


def arrays_of_arrays(count):
    """Short text, as many elements as 2 to the power of count."""
    lines = ["event E {", "const int[2] C0 = { 1, 2 }"]
    lines += [f"const int{'[2]' * (i + 1)} C{i} = {{ C{i - 1}, C{i - 1} }}" for i in range(1, count)]
    return lines + ["}"]


def aliases(count):
    return ["event E {", "long a0"] + [f"alias a{i - 1} as a{i}" for i in range(1, count)] + ["}"]


def enums(count):
    return ["enum E0 { L0 }"] + [f"enum E{i} : E{i - 1} {{ L{i} }}" for i in range(1, count)]


def unknown_names(count):
    return [f"event E{i} extends Un{i} : Tx{i} {{ Foo{i} a{i} alias q{i} as r{i} grouped by X{i}.y z{i} }}"
            for i in range(count)]


def subs(count):
    lines = ["event E0 { long a }"] + [f"event E{i} extends E0" for i in range(1, count)] + ["model M E0"]
    return lines + [f"sub S{i} M {{ long b{i} }}" for i in range(count)]


def properties(count):
    lines = ["template T {"] + [f"long a{i}" for i in range(count)] + ["}", "event E : T {"]
    return lines + [f"alias a{i} as b{i}" for i in range(count)] + ["}"]


def deep_payload(count):
    return ["template T { T next int a }", "event E { T t " + "{ next " * count + "{}" + " }" * count + "}"]


def wide_payload(count):
    lines = ["template T {"] + [f"T a{i}" for i in range(count)] + ["}", "event E {"]
    return lines + [f"T t{i} {{}}" for i in range(count)] + ["}"]


def templates(count):
    return [f"template T{i} {{ long a{i} }}" for i in range(count)] + ["event E : " + ", ".join(f"T{i}" for i in range(count))]


def literals(count):
    return ["enum L { " + ", ".join(f"L{i}" for i in range(count)) + f" }} event E {{ L[2] a L b = L{count - 1} }}"]


def same_names(count):
    return ["event E { long a long a }"] * count


UNDERSTOOD = [(chain, 100000), (chain_backwards, 100000), (aliases, 100000), (properties, 20000), (deep_payload, 20),
              (chain, 1), (growing_chain, 300), (diamonds, 300), (enums, 300), (subs, 50), (constants, 300),
              (arrays_of_arrays, 20)]
REFUSED = [(cycle, 100000), (growing_chain, 20000), (diamonds, 3000), (constants, 100000), (arrays_of_arrays, 60),
           (enums, 10000), (unknown_names, 20000), (subs, 1000), (deep_payload, 60), (wide_payload, 3000),
           (same_names, 50000)]
# Code is made of these, in all languages at once.
GENERATED = [(properties, 5000), (diamonds, 100), (growing_chain, 100), (arrays_of_arrays, 18), (enums, 100), (templates, 3000),
             (literals, 30000)]


def limit_memory():
    """Sanitisers reserve more than there is."""
    if not os.environ.get("KP_SANITIZED"):
        resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))


def check(kprobe, folder, make, count, wanted, *more):
    path = os.path.join(folder, "model.irl")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(["package org.example"] + make(count)))
    run = subprocess.run([kprobe, "irl", *(more or ["--check"]), path], capture_output=True, text=True, timeout=MOST_SECONDS,
                         preexec_fn=limit_memory, check=False)
    ended = "understood" if run.returncode == 0 else "refused" if run.returncode == 1 and "[IRL" in run.stderr else "?"
    right = ended == wanted
    print(f"{make.__name__} {count}: {ended}{'' if right else ', not ' + wanted}")
    if not right:
        print(run.returncode, run.stdout[-500:], run.stderr[-1500:])
    return right


def main():
    kprobe = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        right = [check(kprobe, folder, make, count, "understood") for make, count in UNDERSTOOD]
        right += [check(kprobe, folder, make, count, "refused") for make, count in REFUSED]
        languages = "c,java,perl,python"
        right += [check(kprobe, folder, make, count, "understood", "--lang", languages, "-o", os.path.join(folder, make.__name__))
                  for make, count in GENERATED]
    return 0 if all(right) else 1


if __name__ == "__main__":
    sys.exit(main())

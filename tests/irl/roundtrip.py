#!/usr/bin/env python3
"""Records travel between languages: each writes random and extreme values, every other reads them, in binary and in text.

For the models in models/ and for Kieker's own records. Parties: the code that `kprobe irl` makes in C, Java, Perl and Python,
and Kieker's own Java classes for Kieker's own records. A party is a driver in drivers/ (they say how one is called). What is
compared: the values that come out, and the bytes themselves, since all parties must write the same ones.

  roundtrip.py --kprobe PROGRAM [--rounds N] [--seed N] [--keep DIR]
Exit status 77: a language is not there.
"""
import argparse
import json
import math
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
MODELS = os.path.join(HERE, "..", "..", "irl", "models")
DRIVERS = os.path.join(HERE, "drivers")

INTEGER_BITS = {"byte": 8, "short": 16, "int": 32, "long": 64}
TEXTS = ["", "a", "Kieker", "void app.orders.Cart.total(int)", "größer als €", "\U0001f40d snake", " blanks ",
         "\"quotes\" 'and' /slashes/", "$1,", "two\\\\backslashes", "null", "0", "true", "x" * 5000, "\u2028line", "@%{}()"]
# Texts that only the binary form can carry.
WILD_TEXTS = ["a;b", ";", "tab\there", "line\nend\r", "\\", "C:\\file", "\x01\x7f"]
DOUBLES = [0.0, -0.0, 1.0, -1.0, 0.1, 1e7, 9999999.0, 1e-3, 9.99e-4, 1e23, 2e-3, 123456789.125, math.pi, 5e-324, 2.2250738585072014e-308,
           1.7976931348623157e308, math.inf, -math.inf, math.nan, 1 / 3, 4.35, 100.0, 1e21, 1e22, 2.0 ** 53 + 2]
FLOATS = [0.0, -0.0, 1.0, 0.1, 1e7, 1e-3, 3.4028234663852886e38, 1.401298464324817e-45, 1.1754943508222875e-38, math.inf, -math.inf,
          math.nan, 16777216.0, 0.33333334, 1e10]


def run(command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=600, **options)
    if done.returncode:
        sys.exit("%s ended with %d:\n%s" % (" ".join(command[:6]), done.returncode, done.stderr.decode(errors="replace")[-3000:]))
    return done.stdout


# --- values ---

class Values:
    """Random values as the drivers' tokens; every fourth one or so is an extreme of its type."""

    def __init__(self, seed, wild):
        self.random = random.Random(seed)
        self.texts = TEXTS + WILD_TEXTS if wild else TEXTS
        self.forbidden = "" if wild else ";\r\n\t\\"

    def integer(self, bits):
        low, high = -(1 << bits - 1), (1 << bits - 1) - 1
        if self.random.random() < 0.3:
            return self.random.choice([low, high, 0, -1, 1, low + 1, high - 1])
        return self.random.randint(low, high) >> self.random.randrange(bits)

    def character(self):
        while True:
            unit = self.random.choice([self.random.randint(1, 127), self.random.randint(128, 0xffff)])
            # Those that text has no form for: separators of the format, halves of pairs.
            if chr(unit) not in self.forbidden and not 0xd800 <= unit <= 0xdfff:
                return unit

    def text(self):
        if self.random.random() < 0.6:
            return self.random.choice(self.texts)
        alphabet = "abc $äß€\U0001f600\u4e2d,:.'\"<>"
        return "".join(self.random.choice(alphabet) for _ in range(self.random.randrange(40)))

    def real(self, bits):
        layout, extremes = (">d", DOUBLES) if bits == 64 else (">f", FLOATS)
        if self.random.random() < 0.4:
            packed = struct.pack(layout, self.random.choice(extremes))
        else:
            packed = self.random.getrandbits(bits).to_bytes(bits // 8, "big")
        if math.isnan(struct.unpack(layout, packed)[0]):
            return "7ff8000000000000" if bits == 64 else "7fc00000"
        return packed.hex()

    def scalar(self, kind, literals):
        if literals:
            return str(self.random.randrange(literals))
        if kind in INTEGER_BITS:
            return str(self.integer(INTEGER_BITS[kind]))
        return {"boolean": lambda: self.random.choice("01"), "char": lambda: str(self.character()),
                "string": lambda: "s" + self.text().encode().hex(), "float": lambda: self.real(32),
                "double": lambda: self.real(64)}[kind]()

    def tokens(self, field):
        if not field.dimensions:
            return [self.scalar(field.kind, field.literals)]
        lengths, empty = [], False
        for size in field.dimensions:
            lengths.append(size or (0 if empty else self.random.choice([0, 1, 2, 5])))
            empty = empty or not lengths[-1]
        count = math.prod(lengths)
        return ["[%s]" % ",".join(map(str, lengths))] + [self.scalar(field.kind, field.literals) for _ in range(count)]


class Field:
    def __init__(self, described, enums):
        self.kind, self.dimensions = described["type"], described.get("dimensions", [])
        self.literals = enums.get(described.get("enum"), 0)


class Records:
    """The records of models, as --dump-model tells them."""

    def __init__(self, kprobe, models):
        described = json.loads(run([kprobe, "irl", "--dump-model", *models]))
        declared = [declaration for file in described["files"] for declaration in file["declarations"]]
        enums = {each["name"]: len(each["literals"]) for each in declared if each["kind"] == "enum"}
        self.fields = {}
        for each in declared:
            if each["kind"] == "event" and not each["abstract"]:
                of_name = {property["name"]: property for property in each["properties"]}
                self.fields[each["name"]] = [Field(of_name[name], enums) for name in each["wire"]]

    def names(self, prefix):
        return [name for name in self.fields if name.startswith(prefix)]

    def lines(self, names, rounds, seed, wild):
        values = Values(seed, wild)
        lines = []
        for _ in range(rounds):
            for name in names:
                tokens = [token for field in self.fields[name] for token in values.tokens(field)]
                lines.append(" ".join([name, str(values.integer(64))] + tokens))
        return lines


# --- parties ---

class Party:
    def __init__(self, name, command, environment=None):
        self.name, self.command = name, command
        self.environment = dict(os.environ, **(environment or {}))

    def write(self, folder, values):
        files = [os.path.join(folder, "%s.%s" % (self.name, end)) for end in ("bin", "dat", "map")]
        run(self.command + ["write", values] + files, env=self.environment)
        return files

    def read(self, *arguments):
        return run(self.command + list(arguments), env=self.environment).decode().splitlines()


def files_below(folder, ending):
    return sorted(os.path.join(parent, name) for parent, _, names in os.walk(folder) for name in names if name.endswith(ending))


def build_c(folder):
    program = os.path.join(folder, "driver")
    run([os.environ.get("CC", "cc"), "-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-I", folder, "-o", program,
         os.path.join(DRIVERS, "driver.c"), *files_below(folder, ".c"), "-lm"])
    return Party("c", [program])


def kieker_class_path():
    """None when Maven Central was not reached."""
    done = subprocess.run([os.path.join(HERE, "..", "..", "scripts", "kieker-jars")], stdout=subprocess.PIPE, timeout=600)
    return done.stdout.decode().strip() if not done.returncode else None


def build_java(folder, class_path):
    """Two parties: the classes made from the models, and Kieker's own in the place of those that Kieker has."""
    parties = []
    driver = os.path.join(DRIVERS, "Driver.java")
    for name, sources in (("java", files_below(folder, ".java")), ("kieker", [])):
        classes = os.path.join(folder, "classes." + name)
        run(["javac", "-d", classes, "-cp", class_path, driver] + sources)
        parties.append(Party(name, ["java", "-cp", classes + ":" + class_path, "Driver"]))
    return parties


def parties_for(kprobe, folder, models):
    run([kprobe, "irl", "--lang", "c,java,perl,python", "-o", folder, "--index", "records", *models])
    parties = [build_c(os.path.join(folder, "c")),
               Party("python", [sys.executable, os.path.join(DRIVERS, "driver.py")],
                     {"PYTHONPATH": os.path.join(folder, "python"), "PYTHONDONTWRITEBYTECODE": "1"}),
               Party("perl", ["perl", os.path.join(DRIVERS, "driver.pl")], {"PERL5LIB": os.path.join(folder, "perl")})]
    class_path = kieker_class_path()
    missing = [] if class_path else ["Java: Kieker's classes could not be fetched"]
    if class_path:
        parties += build_java(os.path.join(folder, "java"), class_path)
    return parties, missing


# --- comparison ---

def differences(what, expected, found, limit=3):
    if expected == found:
        return 0
    count = sum(a != b for a, b in zip(expected, found)) + abs(len(expected) - len(found))
    print("FAIL: %s: %d of %d records differ" % (what, count, len(expected)))
    for a, b in [(a, b) for a, b in zip(expected, found) if a != b][:limit]:
        print("  expected %s\n  found    %s" % (a[:600], b[:600]))
    return count


def same_bytes(what, one, other, kinds):
    failures = 0
    for a, b, kind in zip(one, other, kinds):
        with open(a, "rb") as first, open(b, "rb") as second:
            if first.read() != second.read():
                print("FAIL: %s: %s and %s have other bytes" % (what, a, b))
                failures += 1
    return failures


def travel(title, lines, parties, folder, wild):
    values = os.path.join(folder, "values")
    with open(values, "w") as file:
        file.write("\n".join(lines) + "\n")
    failures, written = 0, {}
    for writer in parties:
        written[writer.name] = binary, text, map_file = writer.write(folder, values)
        for reader in parties:
            way = "%s: %s to %s" % (title, writer.name, reader.name)
            failures += differences(way + ", binary", lines, reader.read("read-binary", binary))
            if not wild:
                failures += differences(way + ", text", lines, reader.read("read-text", text, map_file))
    first = parties[0].name
    for party in parties[1:]:
        # Java before 19 does not always print the shortest digits, so texts may differ in them; the values do not. And
        # Kieker's text has what cannot be read again where ours is replaced.
        kinds = ("bin",) if wild or party.name in ("java", "kieker") else ("bin", "dat", "map")
        failures += same_bytes(title, written[first], written[party.name], kinds)
    print("%s: %d records of %d types, %d writers, %d readers (%s), binary%s: %s"
          % (title, len(lines), len({line.split(" ", 1)[0] for line in lines}), len(parties), len(parties),
             ", ".join(party.name for party in parties), "" if wild else " and text",
             "same" if not failures else "DIFFERENT"))
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kprobe", default=os.environ.get("KPROBE", "kprobe"))
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", metavar="DIR")
    options = parser.parse_args()
    for tool in ("perl", "javac", "java"):
        if not shutil.which(tool):
            print("skipped: no %s" % tool)
            sys.exit(77)
    own = [os.path.join(HERE, "models", name) for name in ("roundtrip.irl", "more.irl")]
    # Models, and which of their records travel between whom: Kieker's newest jar lacks those of its anomaly detection.
    cases = [(own, [("all types", "", False)]),
             ([MODELS], [("Kieker's records", "kieker.common.", True), ("Kieker's other records", "kieker.tools.", False)])]
    failures, missing = 0, []
    with tempfile.TemporaryDirectory(prefix="kprobe-irl-") as temporary:
        for index, (models, groups) in enumerate(cases):
            folder = os.path.join(options.keep or temporary, str(index))
            records = Records(options.kprobe, models)
            parties, missing = parties_for(options.kprobe, folder, models)
            for title, prefix, with_kieker in groups:
                able = [party for party in parties if with_kieker or party.name != "kieker"]
                for wild in (False, True):
                    lines = records.lines(records.names(prefix), options.rounds, options.seed, wild)
                    failures += travel(title + (", any text" if wild else ""), lines, able, folder, wild)
    for each in missing:
        print("not compared: " + each)
    sys.exit(1 if failures else 77 if missing else 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""The programs of docs/kieker.md, "Probes of your own", do what stands below them. KPROBE, SHIM and CC name the build."""
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "builtins"))
from tracing import TOP, Trace, run  # noqa: E402

EXAMPLE = re.compile(r"^```(c|python)\n(.*?)^```\n\n^```text\n(.*?)^```", re.M | re.S)


def command(folder, language, text):
    path = os.path.join(folder, "shop." + {"c": "c", "python": "py"}[language])
    with open(path, "w") as file:
        file.write(text)
    if language == "python":
        return [os.environ.get("PYTHON", "/usr/bin/python3"), path]
    subprocess.run([os.environ.get("CC", "cc"), "-Wall", "-Werror", "-I", os.path.join(TOP, "shim"), path, "-o",
                    os.path.join(folder, "shop")], check=True)
    return [os.path.join(folder, "shop")]


def main():
    with open(os.path.join(TOP, "docs", "kieker.md"), encoding="utf-8") as file:
        section = file.read().split("## Probes of your own")[1].split("\n## ")[0]
    found = EXAMPLE.findall(section)
    failed = len(found) < 2
    probes = os.path.join(TOP, "shim", "probes", "python")
    for language, text, wanted in found:
        with tempfile.TemporaryDirectory() as folder:
            words, trace = command(folder, language, text), os.path.join(folder, "shop.kpt")
            plain = run(words, path=probes)
            traced = run(words, True, OUTPUT="file:" + trace, FILTER="-*", path=probes)
            lines = "".join("%s %d %s\n" % (kind, depth, name) for _, kind, depth, name, _ in Trace(trace).events
                            if kind != "values")
        if (plain.returncode, plain.stderr, traced.returncode) != (0, "", 0) or lines != wanted:
            print("%s: status %d and %d, %s\nfound:\n%s" % (language, plain.returncode, traced.returncode, traced.stderr, lines))
            failed = True
    print("%d examples" % len(found))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

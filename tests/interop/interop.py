#!/usr/bin/env python3
"""kprobe and original Kieker, both ways:

  export.PROGRAM    a real program, recorded, converted to logs: trace analysis of Kieker 2.0.2 and of 1.13 takes all of its calls
  live.WAY          Kieker's receiver of TCP takes our stream, and its log has what was sent
  import.KIND       logs that Kieker's writers made, read by our commands
  serve.PEER        Kieker's writers and language packs send to `kprobe serve`

    interop.py --tools build/dev/bin --work FOLDER CASE...
    interop.py --list

The originals come from Maven Central and PyPI through scripts/setup (versions: tests/packages/kieker*); main classes that are not
published (trace analysis and collector of Kieker 2) are put together in java/ from stages that are. What a log or a stream holds is
read here a second time, from the specification alone (kieker_log.py). Exit status 77: there is no Java, or no originals.
"""
import argparse
import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import exports  # noqa: E402
import imports  # noqa: E402
import live  # noqa: E402
import originals  # noqa: E402
import serving  # noqa: E402

CASES = {"export." + program.name: (lambda options, folder, program=program: exports.check_program(program, options, folder))
         for program in exports.PROGRAM_TABLE}
CASES.update({"live." + case.__name__: case for case in (live.sequence, live.threads, live.processes, live.pool)})
CASES.update({"import." + case.__name__: case for case in (imports.new_logs, imports.old_logs, imports.probes, imports.every_class)})
CASES.update({"serve." + case.__name__: case for case in (serving.java_records, serving.java_unicode, serving.java_probes,
                                                           serving.python_pack, serving.c_pack, serving.merged, serving.forwarded)})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tools", default=os.path.join(originals.TOP, "build/dev/bin"), help="folder of kprobe and libkprobe.so")
    parser.add_argument("--work", default=os.path.join(originals.TOP, "build/dev/tests/interop"), help="folder for compiled classes")
    parser.add_argument("--keep", metavar="DIR", help="an empty folder for what is written, which stays")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("cases", nargs="*", metavar="CASE")
    options = parser.parse_args()
    if options.list:
        print("\n".join(CASES))
        return 0
    options.tools, options.work = os.path.abspath(options.tools), os.path.abspath(options.work)
    unknown = [name for name in options.cases if name not in CASES]
    if unknown:
        parser.error("no such case: " + " ".join(unknown))
    for name in options.cases or CASES:
        folder = os.path.join(options.keep, name) if options.keep else tempfile.mkdtemp(prefix="kprobe-interop-")
        os.makedirs(folder, exist_ok=True)
        try:
            CASES[name](options, folder)
        finally:
            if not options.keep:
                shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Logs written by original Kieker, read by kprobe's own commands."""
import glob
import json
import os
import re
import subprocess
from collections import Counter

import originals
from originals import run

WRITERS = "kieker.monitoring.writer."
STORAGE = WRITERS + "filesystem.%s.customStoragePath=%s"
NEW_FORMS = {"text": "TextLogStreamHandler", "binary": "BinaryLogStreamHandler"}
COMPRESSIONS = ("None", "GZip", "Deflate", "XZ", "Zip", "BZip2")


def written_log(folder):
    """The folder that a writer made in the folder it was given."""
    made, = glob.glob(os.path.join(folder, "kieker-*"))
    return made


def properties_2(folder, form="text", compression="None", per_file=25000):
    os.makedirs(folder)
    prefix = WRITERS + "filesystem.FileWriter."
    return ["kieker.monitoring.writer=" + WRITERS + "filesystem.FileWriter", STORAGE % ("FileWriter", folder),
            prefix + "logStreamHandler=" + WRITERS + "filesystem." + NEW_FORMS[form],
            prefix + "compression=" + WRITERS + "compression." + compression + "CompressionFilter",
            prefix + "maxEntriesInFile=%d" % per_file]


def properties_1_13(folder, writer, compress):
    os.makedirs(folder)
    return ["kieker.monitoring.writer=" + WRITERS + "filesystem." + writer, STORAGE % (writer, folder),
            WRITERS + "filesystem." + writer + ".shouldCompress=" + compress]


def without_modifiers(signature):
    """`public static int a.B.c(java.lang.String)`: `a.B.c(String)`."""
    name, parameters = signature.split("(", 1)
    return name.split()[-1] + "(" + parameters.replace("java.lang.", "")


def counts_of(printed):
    """Lines `count signature`."""
    pairs = (line.split(" ", 1) for line in printed.splitlines())
    return Counter({without_modifiers(signature): int(count) for count, signature in pairs})


def check_commands(kprobe, log, expected, failed=None):
    """report, tree, dump and verify of a log: calls by name, and how many ended by an exception."""
    report = json.loads(run([kprobe, "report", "--json", log]).stdout)
    found = Counter({function["name"]: function["calls"] for function in report["functions"]})
    assert found == expected, "%s: report has %s instead of %s" % (log, found, expected)
    assert report["calls_lost"] == report["events_lost"] == 0, report
    if failed is not None:
        unwound = sum(function["endings"]["unwind"] for function in report["functions"])
        assert unwound == failed, "%s: %d calls failed instead of %d" % (log, unwound, failed)
    kinds, names = Counter(), Counter()
    for line in run([kprobe, "dump", log]).stdout.decode().splitlines():
        fields = line.split("\t")
        kinds[fields[3]] += 1
        names[fields[5]] += fields[3] == "enter"
    assert +names == expected and kinds["enter"] == kinds["exit"] + kinds["unwind"], "%s: dump has %s, %s" % (log, kinds, +names)
    tree = run([kprobe, "tree", log]).stdout.decode()
    assert all(name in tree for name in expected), "%s: names are missing in the tree" % log
    run([kprobe, "verify", log])
    return sum(expected.values())


def calls_failed(counts):
    return sum(count for name, count in counts.items() if re.search(r"Level[13]", name))


def check_calls(kprobe, java, properties, form, log_folder):
    heap = "1200m" if any("XZ" in name for name in properties) else "512m"  # its encoder takes most of that
    expected = counts_of(java.run("Calls", "20", form, properties=properties, heap=heap))
    assert sum(expected.values()) == 20 * 31
    # Executions do not tell how they ended.
    return check_commands(kprobe, written_log(log_folder), expected, 0 if form == "executions" else calls_failed(expected))


def new_logs(options, folder):
    """Kieker 2: both forms, every compression (in which each has a wrong suffix of its own), several files."""
    java, kprobe, logs = originals.Java(options.work), os.path.join(options.tools, "kprobe"), 0
    for form in NEW_FORMS:
        for compression in COMPRESSIONS:
            place = os.path.join(folder, form + compression)
            check_calls(kprobe, java, properties_2(place, form, compression, per_file=300), "events", place)
            logs += 1
        for records in ("objects", "executions"):
            place = os.path.join(folder, form + records)
            check_calls(kprobe, java, properties_2(place, form), records, place)
            logs += 1
    print("%d logs of Kieker 2.0.2 read" % logs)


def old_logs(options, folder):
    """Kieker 1.13: its compressed files are called .zip, whatever is in them."""
    java = originals.Java(options.work, "kieker-1.13", sources=["Calls.java"])
    kprobe, logs = os.path.join(options.tools, "kprobe"), 0
    for writer in ("AsciiFileWriter", "BinaryFileWriter"):
        for compress, records in (("false", "events"), ("true", "events"), ("false", "executions")):
            place = os.path.join(folder, writer + compress + records)
            check_calls(kprobe, java, properties_1_13(place, writer, compress), records, place)
            logs += 1
    print("%d logs of Kieker 1.13 read" % logs)


def probes(options, folder):
    """Kieker's probes in a program with threads: ApplicationTraceMetadata, text that is no ASCII and has a semicolon."""
    place = os.path.join(folder, "probes")
    agent, command = originals.with_probes(options, folder, ["Shop", "20", "3"], properties_2(place))
    printed = run(command).stdout.decode()
    methods = {"serve": "Shop.serve(int)", "add": "Shop$Cart.add(Shop$Article)", "total": "Shop$Cart.total(int)",
               "price": "Shop$Article.price(int)", "isRefused": "Shop$Cart.isRefused()"}
    expected = {methods[name]: int(count) for name, count in (line.split() for line in printed.splitlines())}
    kprobe = os.path.join(options.tools, "kprobe")
    report = json.loads(run([kprobe, "report", "--json", written_log(place)]).stdout)
    found = {function["name"]: function["calls"] for function in report["functions"]}
    assert {name: found.get(name) for name in expected} == expected, "%s: %s instead of %s" % (agent, found, expected)
    assert found["Shop.main(String[])"] == 1 and found["Shop.lambda$main$0(int)"] == 3, found
    assert report["threads"] == 4, report["threads"]
    refused = sum(function["endings"]["unwind"] for function in report["functions"])
    assert refused == expected[methods["isRefused"]], refused
    tree = run([kprobe, "tree", written_log(place)]).stdout.decode()
    assert "Shop.serve(int)" in tree
    print("%d calls of Kieker's probes read" % report["calls"])


def check_counted(kprobe, log, records):
    info = subprocess.run([kprobe, "info", "--json", log], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60)
    counted = {entry["key"]: int(entry["value"]) for process in json.loads(info.stdout)["processes"]
               for entry in process["metadata"] if entry["value"].isdigit()}
    assert counted["kieker records"] == records, "%d records instead of %d" % (counted["kieker records"], records)
    for name in ("system.CPUUtilizationRecord", "system.MemSwapUsageRecord", "jvm.GCRecord", "misc.EmptyRecord"):
        assert counted["kieker: kieker.common.record." + name] == 3, "%s: %s" % (log, counted)


def every_class(options, folder):
    """A record of each class: what is no call is counted by class and harms nothing."""
    kprobe = os.path.join(options.tools, "kprobe")
    for jars, sources, ways in (("kieker", None, [lambda place, form=form: properties_2(place, form) for form in NEW_FORMS]),
                                ("kieker-1.13", ["Records.java", "RecordSource.java"],
                                 [lambda place, writer=writer: properties_1_13(place, writer, "false")
                                  for writer in ("AsciiFileWriter", "BinaryFileWriter")])):
        java = originals.Java(options.work, jars, sources=sources)
        classes = originals.record_classes(java.jars)
        for number, properties in enumerate(ways):
            place = os.path.join(folder, "%s-%d" % (jars, number))
            java.run("Records", "1", "3", "unicode", *classes, properties=properties(place))
            for verb in ("info", "dump", "report"):
                done = subprocess.run([kprobe, verb, written_log(place)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
                assert done.returncode in (0, 1), "%s: %s ended with %d: %s" % (place, verb, done.returncode, done.stderr.decode())
            check_counted(kprobe, written_log(place), 3 * len(classes) + 1)
        print("%s: records of %d classes read" % (jars, len(classes)))

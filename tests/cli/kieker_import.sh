#!/usr/bin/env bash
# Kieker logs as inputs of every reading command: folders, folders of folders, single files, compressed ones, damaged ones.
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"

operation=kieker.common.record.flow.trace.operation
cat >map <<END
\$0=kieker.common.record.misc.KiekerMetadataRecord
\$1=kieker.common.record.flow.trace.TraceMetadata
\$2=$operation.BeforeOperationEvent
\$3=$operation.AfterOperationEvent
\$4=kieker.common.record.system.MemSwapUsageRecord
END
cat >data <<'END'
$0;1;1.14;KIEKER;host1;0;false;0;NANOSECONDS;0
$1;1;7;3;<no-session-id>;host1;7;-1
$2;1;1700000000000000100;7;0;public void a.Main.run(int);a.Main
$2;1;1700000000000000200;7;1;void a.Base.go();a.Sub
$3;1;1700000000000000300;7;2;void a.Base.go();a.Sub
$3;1;1700000000000000400;7;3;public void a.Main.run(int);a.Main
$4;1;5;host1;1;2;3;4;5;6
END
cat >expected <<'END'
1700000000000000100	0	3	enter	0	a.Main.run(int)	
1700000000000000200	0	3	enter	1	a.Sub.go() [a.Base]	
1700000000000000300	0	3	exit	1	a.Sub.go() [a.Base]	
1700000000000000400	0	3	exit	0	a.Main.run(int)	
END

# make_log FOLDER
make_log() {
    mkdir -p "$1"
    cp map "$1/kieker.map"
}

# expect_dump TEXT INPUT: the same four events
expect_dump() {
    run "$KPROBE" dump "$2"
    expect_status 0 "$1"
    cmp -s stdout expected || fail "$1: $(cat stdout)"
}

make_log plain
cp data plain/kieker-20250101-120000000-UTC-001.dat
expect_dump "a log" plain
expect_dump "a log, with a slash" plain/
expect_dump "a file of a log" plain/kieker-20250101-120000000-UTC-001.dat

# Every reading command takes it.
for command in report tree info verify dump "convert -t chrome" "convert -t csv" "convert -t collapsed"; do
    # shellcheck disable=SC2086
    run "$KPROBE" $command plain
    expect_status 0 "$command of a log"
    expect_empty stderr
done
run "$KPROBE" report plain
expect_text stdout "a.Sub.go() [a.Base]"
run "$KPROBE" info plain
expect_text stdout "Kieker 1.14"
expect_text stdout "host1"
expect_text stdout "kieker: kieker.common.record.system.MemSwapUsageRecord 1"

# Compressed in every way, under the names of Kieker's readers and those of its writer.
python3 - <<'END'
import bz2, gzip, lzma, os, shutil, zipfile, zlib
data = open("data", "rb").read()
half = data.index(b"\n", len(data) // 2) + 1


def archive(content):
    with zipfile.ZipFile("z", "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("kieker-1.dat", content)
    return open("z", "rb").read()


ways = {"gz": gzip.compress, "xz": lzma.compress, "bz2": bz2.compress, "df": zlib.compress, "zip": archive}
for suffix, pack in ways.items():
    for name in "kieker-1.dat." + suffix, "kieker-1." + suffix, "kieker-1." + ("gz" if suffix == "bz2" else suffix):
        folder = "packed-" + name
        os.makedirs(folder, exist_ok=True)
        shutil.copy("map", folder + "/kieker.map")
        with open(folder + "/" + name, "wb") as out:
            out.write(pack(data))
os.mkdir("members")
shutil.copy("map", "members/kieker.map")
with open("members/kieker-1.dat.gz", "wb") as out:
    out.write(gzip.compress(data[:half]) + gzip.compress(data[half:]))
with open("cut.gz", "wb") as out:
    out.write(gzip.compress(os.urandom(0) + data * 100)[:200])
END
for folder in packed-* members; do
    expect_dump "$folder" "$folder"
done

# Several: in a folder, beside one another, and with a trace of kprobe's.
mkdir -p logs/deep
cp -r plain logs/one
cp -r members logs/deep/two
run "$KPROBE" info --json logs
expect_status 0 "a folder of logs"
python3 -c 'import json, sys; sys.exit(json.load(open("stdout"))["calls"] != 4)' || fail "calls of two logs: $(cat stdout)"
golden=$(cd "$OLDPWD" && realpath "$(dirname "$0")/../golden/native.kpt")
run "$KPROBE" info --json plain members "$golden"
expect_status 0 "several inputs"
python3 -c 'import json, sys; sys.exit(len(json.load(open("stdout"))["processes"]) != 3)' || fail "processes: $(cat stdout)"

# What is wrong is said, with its place, and the rest is read.
make_log damaged
{ head -n 5 data; echo "not a record"; sed -n 6p data; } >damaged/kieker-1.dat
run "$KPROBE" verify damaged
expect_status 1 "a damaged log"
expect_text stdout "at byte 251: kieker-1.dat: a line that is no record"
run "$KPROBE" dump damaged
cmp -s stdout expected || fail "what is good of a damaged log: $(cat stdout)"
expect_status 1 "a damaged log"
make_log open
head -n 4 data >open/kieker-1.dat
run "$KPROBE" verify open
expect_status 1 "calls without ends"
expect_text stdout "trace 7: 2 calls have no end"
make_log cut
cp cut.gz cut/kieker-1.dat.gz
run "$KPROBE" verify cut
expect_status 1 "a cut file"
expect_text stdout "cannot be read any further"

# No log at all.
mkdir nothing
run "$KPROBE" report nothing
expect_status 1 "an empty folder"
expect_text stderr "has a *.map"
make_log empty
run "$KPROBE" report empty
expect_status 1 "a log without data"
expect_text stderr "a Kieker log without data"
: >empty/kieker-1.dat
run "$KPROBE" report empty
expect_status 1 "a log without records"
expect_text stderr "a Kieker log without a record"
mkdir several
mv empty several
cp -r plain several/full
make_log bare
run "$KPROBE" report several
expect_status 0 "a log beside one without records"
expect_text stdout " 2 calls"
run "$KPROBE" report bare several/full several/empty
expect_text stdout " 2 calls"
run "$KPROBE" report bare several/empty
expect_status 1 "logs without records"
expect_text stderr "bare: a Kieker log without data"
run "$KPROBE" report data
expect_status 1 "a file without a map"
expect_text stderr "not a kprobe trace"

# The text mode of the Python pack.
mkdir python
printf '$ monitoring.record.trace.tracemetadataTraceMetadata = 1 \n$ monitoring.record.trace.operation.operationevent%s = %d \n' \
    BeforeOperationEvent 2 >python/record-map.log
printf '$ monitoring.record.trace.operation.operationeventAfterOperationEvent = 3 \n' >>python/record-map.log
printf '1;1; 140; <no-session-id>; <default-host>; 1; -1; \n2;1700000000000000100; 1; 0; total; shop.Cart; \n3;1700000000000000900; 1; 1; total; shop.Cart; \n' >python/records.log
run "$KPROBE" dump python
expect_status 0 "the Python pack's text mode"
expect_text stdout "1700000000000000100	0	140	enter	0	shop.Cart.total"

finish

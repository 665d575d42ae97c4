#!/bin/bash
# A disk that is full from the start, becomes full, and has room again; /dev/shm absent, full and read-only.
. "$(dirname "$0")/common.sh"
need_plain_shim
python=$(command -v /usr/bin/python3) || skip "no /usr/bin/python3"
if [ -z "${INSIDE-}" ]; then
    export KPROBE SHIM INSIDE=yes
    private bash "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/$(basename "$0")"
    exit
fi
mkdir disk
trap 'umount disk; rm -rf "$work"' EXIT
mount -t tmpfs -o size=1M tmpfs disk || skip "no tmpfs for this user"
mount -t tmpfs -o size=256M tmpfs /dev/shm || skip "no /dev/shm of our own"

# Calls made by step(), which the trace must have or count as lost.
cat >app.py <<'END'
import os, random, sys, time
def step(n): return n
def busy(rounds):
    for n in range(rounds): step(n)
calls = int(sys.argv[1])
busy(calls)
if len(sys.argv) > 2:
    time.sleep(0.5)
    os.unlink(sys.argv[2])
    time.sleep(1.5)
    busy(calls)
    time.sleep(0.3)
print("out")
END

fill() {
    dd if=/dev/zero of="$1" bs=4096 count=100000 2>/dev/null
    true
}

# Full from the start: said once, nothing of the program changes.
fill disk/ballast
KPROBE_OUTPUT=file:disk/x.kpt traced "$python" app.py 1000
expect_status 0 "full from the start"
[ "$(cat stdout)" = out ] || fail "full from the start: $(cat stdout)"
expect_text stderr "x.kpt: no room"
[ ! -e disk/x.kpt ] && [ -z "$(ls /dev/shm)" ] || fail "full from the start: left $(ls disk /dev/shm)"
rm -f disk/*

# Full in between: what is in the file and in memory is readable, nothing is damaged, the rest is counted.
KPROBE_OUTPUT=file:disk/x.kpt KPROBE_COMPRESS=none traced "$python" app.py 4000000
expect_status 0 "full in between"
[ "$(cat stdout)" = out ] || fail "full in between: $(cat stdout)"
[ "$(grep -c "no room: events are dropped" stderr)" = 1 ] || fail "full in between: $(cat stderr)"
run "$KPROBE" verify disk/x.kpt
expect_status 0 "verify of what is left"
grep -qE "^good .* calls read, .* lost" stdout || fail "full in between: $(cat stdout)"
run "$KPROBE" recover --remove --output clean.kpt disk/x.kpt
expect_status 0 "recover"
run "$KPROBE" verify clean.kpt
expect_status 0 "verify of the recovered trace"
run "$KPROBE" report --json --filter __main__.step clean.kpt
python3 -c "
import json
report = json.load(open('stdout'))
made, read, lost = 4000000, report['functions'][0]['calls'], report['calls_lost']
assert read + lost >= made > read > 10000 and read + lost < made + 200, (made, read, lost)" || fail "counts after a full disk"
[ -z "$(ls /dev/shm)" ] || fail "left: $(ls /dev/shm)"
rm -f disk/*

# Room again: the trace goes on, complete at the end.
dd if=/dev/zero of=disk/ballast bs=1k count=700 2>/dev/null
KPROBE_OUTPUT=file:disk/x.kpt KPROBE_COMPRESS=none traced "$python" app.py 60000 disk/ballast
expect_status 0 "room again"
expect_text stderr "there is room again"
run "$KPROBE" verify disk/x.kpt
expect_status 0 "verify after there was room again"
expect_text stdout "ended in order"
[ -z "$(ls /dev/shm)" ] || fail "left: $(ls /dev/shm)"
rm -f disk/*

# shm TEXT: with /dev/shm as it is now the program runs, a line says what is lost, and a trace is written all the same
shm() {
    KPROBE_OUTPUT=file:shm.kpt traced "$python" app.py 100000
    expect_status 0 "/dev/shm $1"
    [ "$(cat stdout)" = out ] || fail "/dev/shm $1: $(cat stdout)"
    [ "$(grep -c ^kprobe: stderr)" = 1 ] || fail "/dev/shm $1: $(cat stderr)"
    expect_text stderr "private memory"
    run "$KPROBE" verify shm.kpt
    expect_status 0 "/dev/shm $1: verify"
    expect_text stdout "ended in order"
    rm -f shm.kpt
}
fill /dev/shm/ballast
shm full
rm /dev/shm/ballast
mount -o remount,ro /dev/shm
shm read-only
umount /dev/shm
umount /dev/shm 2>/dev/null # the one below, if there was one
if [ ! -w /dev/shm ] || mount --bind /dev/null /dev/shm 2>/dev/null || mount -t tmpfs -o ro tmpfs /dev; then shm absent; fi
finish

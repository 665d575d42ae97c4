#!/bin/bash
# recover: a clean trace of what a killed process left; the memory is given back on demand, and only then.
. "$(dirname "$0")/common.sh"
need_plain_shim
python=$(command -v /usr/bin/python3) || skip "no /usr/bin/python3"
trap '"$KPROBE" recover --discard killed.kpt never.kpt >/dev/null 2>&1; rm -rf "$work"' EXIT

# kill_one NAME: a process that is killed while it traces, its events only in shared memory
kill_one() {
    run "$KPROBE" record --no-summary -o "$1" -f '+__main__.leaf' -- "$python" -c "
import os, signal
def leaf(): pass
for _ in range(100): leaf()
os.kill(os.getpid(), signal.SIGKILL)"
    expect_status 137 "the process to recover"
}

run "$KPROBE" recover
expect_status 2 "recover of nothing"
expect_text stderr "name FILE, or give --all or --list"
run "$KPROBE" recover --all x.kpt
expect_status 2 "--all and a FILE"
run "$KPROBE" recover --list --discard
expect_status 2 "--list and --discard"
run "$KPROBE" recover -o y a b
expect_status 2 "one output for two"
run "$KPROBE" recover no-such.kpt
expect_status 1 "a missing file"
expect_text stderr "no-such.kpt"
run "$KPROBE" recover --discard no-such.kpt
expect_status 0 "nothing to give back"
expect_text stdout "nothing to give back"

kill_one killed.kpt
run "$KPROBE" recover --list
expect_status 0 "--list"
expect_text stdout "$work/killed.kpt"
grep -F "$work/killed.kpt" stdout | grep -q ' dead ' || fail "not dead: $(cat stdout)"
"$KPROBE" recover --list --json | "$python" -c "
import json, sys
rows = [row for row in json.load(sys.stdin) if row['output'] == '$work/killed.kpt']
assert len(rows) == 1 and not rows[0]['alive'] and rows[0]['bytes'] > 0, rows" || fail "--list --json"

run "$KPROBE" recover killed.kpt
expect_status 0 "recover"
expect_text stdout "killed.kpt -> killed.recovered.kpt: 1 process, 100 calls"
[ "$(stat -c %a killed.recovered.kpt)" = 600 ] || fail "mode of the clean trace"
run "$KPROBE" recover killed.kpt
expect_status 1 "the output exists"
expect_text stderr "killed.recovered.kpt"
"$KPROBE" recover --list | grep -qF "$work/killed.kpt" || fail "the memory is gone before it was given back"

run "$KPROBE" recover --remove -o clean.kpt killed.kpt
expect_status 0 "recover --remove"
expect_text stdout "removed /dev/shm/kprobe."
"$KPROBE" recover --list | grep -qF "$work/killed.kpt" && fail "the memory is still there"
cmp -s clean.kpt killed.recovered.kpt || fail "the same leftover gives two different traces"
run "$KPROBE" verify clean.kpt
expect_status 0 "verify of the clean trace: $(cat stdout)"
run "$KPROBE" report clean.kpt
expect_text stdout "__main__.leaf"

# Discarded by name, although the name never became more than an empty or missing file.
kill_one never.kpt
rm -f never.kpt
run "$KPROBE" recover --discard ./never.kpt
expect_status 0 "--discard"
expect_text stdout "removed /dev/shm/kprobe."

# A running process is left alone.
mkfifo ready go
exec 3<>ready 4<>go
"$KPROBE" record --no-summary -o alive.kpt -f '+__main__.f' -- "$python" -c "
def f(): pass
f()
print('ready', file=open('ready', 'w'), flush=True)
open('go').readline()" &
recorder=$!
read -r -t 30 -u 3 _ || fail "the traced process does not begin"
run "$KPROBE" recover --discard alive.kpt
expect_status 1 "--discard of a running process"
expect_text stderr "still runs"
run "$KPROBE" recover alive.kpt
expect_status 1 "recover of a running process"
[ ! -e alive.recovered.kpt ] || fail "a trace of a running process"
echo go >&4
wait $recorder || fail "the traced process failed"
finish

#!/bin/bash
# record with a real Python: the summary counts what happened, in all processes, and doctor reads the traces.
. "$(dirname "$0")/common.sh"
need_plain_shim
python=$(command -v /usr/bin/python3) || skip "no /usr/bin/python3"

# Mappings of killed processes of this test are given back.
remove_leftovers() {
    for file in /dev/shm/kprobe.*; do
        [ -e "$file" ] && head -c 4096 "$file" | grep -qaF "$work/" && rm -f "$file"
    done
    rm -rf "$work"
}
trap remove_leftovers EXIT

cat >app.py <<'EOF'
import threading
def leaf():
    return 1
def work():
    return sum(leaf() for _ in range(100))
thread = threading.Thread(target=work)
thread.start()
thread.join()
work()
print("done")
EOF
run "$KPROBE" record -f '+__main__.leaf' -f '+__main__.work' -- "$python" app.py
expect_status 0 "a program"
[ "$(cat stdout)" = "done" ] || fail "output: $(cat stdout)"
expect_text stderr "kprobe: 202 calls, 0 lost, 2 threads"
expect_text stderr "__main__.leaf"
expect_text stderr "1 trace:"
trace=$(ls kprobe.*.kpt)
expect_text stderr "kprobe:   $trace ("
expect_text stderr "see 'kprobe report $trace'"
[ "$(stat -c %a "$trace")" = 600 ] || fail "mode of the trace: $(stat -c %a "$trace")"
rm -f ./*.kpt

# A name that is taken is not overwritten, and the summary is of the new file alone.
run "$KPROBE" record -o fixed.kpt -f '+__main__.leaf' -- "$python" app.py
cp fixed.kpt copy
sleep 0.02
run "$KPROBE" record -o fixed.kpt -f '+__main__.leaf' -- "$python" app.py
expect_text stderr "kprobe: 200 calls"
expect_text stderr "1 trace:"
cmp -s fixed.kpt copy || fail "fixed.kpt was overwritten"
rm -f ./*.kpt

# Children, wherever they go, and through a shell.
mkdir elsewhere
run "$KPROBE" record -f '+__main__.leaf' -- sh -c "cp app.py elsewhere; cd elsewhere; $python app.py; $python app.py"
expect_status 0 "a shell"
expect_text stderr "kprobe: 400 calls, 0 lost"
expect_text stderr "2 traces:"
[ "$(ls ./*.kpt | wc -l)" = 2 ] || fail "traces: $(ls -R)"
rm -f ./*.kpt
run "$KPROBE" record --children ignore -f '+__main__.leaf' -- "$python" -c "
import os
def leaf(): pass
leaf()
if os.fork() == 0:
    leaf()
    os._exit(0)
os.wait()"
expect_status 0 "children ignored"
expect_text stderr "kprobe: 1 calls, 0 lost"
expect_text stderr "1 trace:"
rm -f ./*.kpt

# No rule matches: said, and why.
run "$KPROBE" record -f '+no.such.function' -- "$python" -c pass
expect_status 0 "no rule matches"
expect_text stderr "nothing was traced (perhaps no rule matches)"

# One of two rules matches nothing: doctor knows it from the trace.
run "$KPROBE" record -o rules.kpt -f '+__main__.leaf' -f '+no.such.function' -- "$python" app.py
run "$KPROBE" doctor rules.kpt
expect_status 0 "doctor of a trace"
grep -E '^warn +rules ' stdout | grep -qF '+no.such.function' || fail "idle rule: $(cat stdout)"
grep -E '^warn +rules ' stdout | grep -qF '+__main__.leaf' && fail "a rule that matched is called idle"
grep -qE '^ok +calls +200 calls' stdout || fail "calls: $(cat stdout)"
grep -qE '^ok +engine ' stdout || fail "engine: $(cat stdout)"
printf 'no trace at all' >foreign.kpt
run "$KPROBE" doctor foreign.kpt
expect_status 1 "doctor of a foreign file"
expect_text stdout "foreign.kpt"

# Killed: the status is the signal, the calls are there.
run "$KPROBE" record -o killed.kpt -f '+__main__.leaf' -- "$python" -c "
exec(compile(open('app.py').read(), 'app.py', 'exec'))
import os, signal
os.kill(os.getpid(), signal.SIGKILL)"
expect_status 137 "killed"
expect_text stderr "kprobe: 200 calls, 0 lost"
expect_text stderr "did not end in order"

# A running process that is traced.
mkfifo ready go
"$KPROBE" record --no-summary -o alive.kpt -- "$python" -c "
def f(): pass
f()
import os
print(os.getpid(), file=open('ready', 'w'), flush=True)
open('go').read()" &
recorder=$!
exec 3<>ready # so that opening does not wait for a writer
read -r -t 30 -u 3 pid || fail "the traced process does not begin"
run "$KPROBE" doctor "$pid"
expect_status 0 "doctor of a traced process"
grep -qE '^ok +shim mapped' stdout || fail "not mapped: $(cat stdout)"
grep -E '^ok +trace ' stdout | grep -qF alive.kpt || fail "no trace: $(cat stdout)"
: >go
wait $recorder || fail "the traced process failed"
finish

#!/bin/bash
# record ends as the program ends, passes the terminal's streams through, and forwards signals.
. "$(dirname "$0")/common.sh"
need_plain_shim

run "$KPROBE" record
expect_status 2 "no program"
expect_text stderr "a program is missing"

for code in 0 1 2 7 255; do
    run "$KPROBE" record -- sh -c "exit $code"
    expect_status $code "exit $code"
done
run "$KPROBE" record -- sh -c 'kill -KILL $$'
expect_status 137 "killed"
run "$KPROBE" record -- sh -c 'kill -SEGV $$'
expect_status 139 "segmentation fault"
run "$KPROBE" record no-such-program
expect_status 127 "program not found"
expect_text stderr "cannot run 'no-such-program': No such file or directory"
run "$KPROBE" record -- /etc/passwd
expect_status 126 "not executable"

# Options of the program are its own; standard streams are untouched; --no-summary is silent.
run "$KPROBE" record --no-summary sh -c 'printf "%s|" "$@"; cat; echo oops >&2' sh --filter -x <<<"input"
expect_status 0 "arguments"
[ "$(cat stdout)" = "--filter|-x|input" ] || fail "arguments or input: $(cat stdout)"
[ "$(cat stderr)" = "oops" ] || fail "stderr: $(cat stderr)"
run "$KPROBE" record -- true
expect_text stderr "nothing was traced"
expect_text stderr "kprobe doctor true"

# The environment: options as variables, and our library before the one that was there.
other=$(ldconfig -p 2>/dev/null | awk '/libm\.so\.6.*x86-64/ {print $NF; exit}')
LD_PRELOAD=${other:-} run "$KPROBE" record --no-summary -o 'a%p.kpt' -f '+a.*' -f '-b.*' -b 128K -- env
preload=$(sed -n 's/^LD_PRELOAD=//p' stdout)
[ "$preload" = "$SHIM${other:+:$other}" ] || fail "LD_PRELOAD=$preload"
expect_text stdout "KPROBE_OUTPUT=file:$work/a%p.kpt"
expect_text stdout "KPROBE_BUFFER=128K"
expect_text stdout "KPROBE_FILTER=+a.*"
expect_text stdout "-b.*"
expect_no_text stdout "KPROBE_CLOCK"
mkdir 'odd%dir'
(cd 'odd%dir' && run "$KPROBE" record --no-summary -- env && mv stdout stderr ..)
expect_text stdout 'odd%%dir/kprobe.%p.kpt'

# Bad values stop before the program starts.
refuse() {
    local expected=$1
    shift
    rm -f started
    run "$KPROBE" record "$@" -- touch started
    expect_status 2 "$*"
    expect_text stderr "$expected"
    [ ! -e started ] || fail "the program ran in spite of $*"
}
refuse "--buffer='12X': 'X' at position 3 is no suffix" --buffer 12X
refuse "--engine='opcod'" -e opcod
refuse "--filter, line 1" -f 're:('
refuse "--filter-file='missing': cannot read it: No such file" --filter-file missing
refuse "'flie' at position 1 is no kind of destination" -o flie:x
refuse "'%q' at position" -o 'x%q.kpt'
KPROBE_CLOCK=sundial refuse "KPROBE_CLOCK='sundial'"
KPROBE_BUFER=1M run "$KPROBE" record -- true
expect_status 0 "unknown variable"
expect_text stderr "KPROBE_BUFER is no option of kprobe; did you mean KPROBE_BUFFER?"

# Signals sent to record reach the program; record waits for it.
cat >trap.sh <<'EOF'
trap 'echo got TERM; exit 3' TERM
trap 'echo got INT; exit 4' INT
echo ready
while :; do sleep 0.05; done
EOF
for case in TERM:3 INT:4; do
    : >stdout
    # a shell without job control starts background jobs with SIGINT ignored
    env --default-signal=INT "$KPROBE" record --no-summary -- bash trap.sh >stdout 2>stderr &
    pid=$!
    for _ in $(seq 200); do
        grep -q ready stdout && break
        sleep 0.05
    done
    kill -"${case%:*}" $pid
    wait $pid
    status=$?
    expect_status "${case#*:}" "SIG${case%:*} forwarded"
    expect_text stdout "got ${case%:*}"
done
finish

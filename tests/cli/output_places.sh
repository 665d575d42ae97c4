#!/bin/bash
# Where the trace goes: placeholders, taken names, folders that are not there or not ours, a program that moves away.
. "$(dirname "$0")/common.sh"
need_plain_shim
python=$(command -v /usr/bin/python3) || skip "no /usr/bin/python3"
echo 'def f(): print("out")
f()' >app.py

# told OUTPUT TEXT...: the program is fine, a line says what is wrong with the destination
told() {
    local output=$1
    shift
    KPROBE_OUTPUT=$output traced "$python" app.py
    expect_status 0 "$output"
    [ "$(cat stdout)" = out ] || fail "$output: output $(cat stdout)"
    for text in "$@"; do expect_text stderr "$text"; done
    [ -z "$(leftovers)" ] || fail "$output: shared memory is left"
}
told "file:$work/none/x.kpt" "$work/none/x.kpt" "No such file or directory"
mkdir folder
told "file:$work/folder" "$work/folder" "Is a directory"
told "file:app.py/x.kpt" "Not a directory"
long=$(printf 'x%.0s' $(seq 300))
told "file:$long.kpt" "File name too long"
told "file:/proc/x.kpt" "/proc/x.kpt"
# A loop of symbolic links, and a link to nowhere, which is not followed out of the folder by accident.
ln -s loop loop
told "file:loop/x.kpt" "loop/x.kpt"

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    chmod 755 "$work" && mkdir -m 700 ours && chmod 644 app.py
    if setpriv --reuid 65534 --clear-groups "$KPROBE" --version >stdout 2>&1; then
        run env LD_PRELOAD="$SHIM" KPROBE_OUTPUT="file:$work/ours/x.kpt" \
            setpriv --reuid 65534 --clear-groups "$python" app.py
        expect_status 0 "no permission"
        expect_text stderr "Permission denied"
    fi
fi

# Placeholders.
KPROBE_OUTPUT='file:%e-%h-%p-%t-%%.kpt' traced "$python" app.py
expect_empty stderr
printf '%s\n' ./*.kpt | grep -qE "^./python3(\.[0-9]+)?-$(hostname)-[0-9]+-[0-9]{8}T[0-9]{6}Z-%\.kpt\$" ||
    fail "placeholders: $(ls)"

# A name that is taken is never overwritten, also when two take it at the same time; `info` says it.
echo precious >taken.kpt
KPROBE_LOG=info KPROBE_OUTPUT=file:taken.kpt traced "$python" app.py
[ "$(cat taken.kpt)" = precious ] || fail "taken.kpt was overwritten"
expect_text stderr "taken.1.kpt"
for _ in 1 2 3 4 5 6; do
    LD_PRELOAD=$SHIM KPROBE_OUTPUT=file:same.kpt "$python" app.py >/dev/null &
done
wait
run "$KPROBE" verify same.kpt same.?.kpt
expect_status 0 "six processes with one name"
[ "$(grep -c ^good stdout)" = 6 ] || fail "six processes with one name: $(cat stdout)"

# It lands where the program started, private whatever the umask says, also after a chdir.
mkdir -p start away
(cd start && umask 000 && LD_PRELOAD=$SHIM "$python" -c "
import os
os.chdir('../away')
def f(): pass
f()") || fail "chdir"
[ "$(ls start | wc -l)" = 1 ] && [ -z "$(ls away)" ] || fail "chdir: start has '$(ls start)', away has '$(ls away)'"
[ "$(stat -c %a start/*.kpt)" = 600 ] || fail "mode with umask 000: $(stat -c %a start/*.kpt)"
(umask 777 && LD_PRELOAD=$SHIM KPROBE_OUTPUT=file:dark.kpt "$python" app.py >/dev/null) || fail "umask 777"
[ -e dark.kpt ] || fail "umask 777: no trace"

# A pipe of that name is written straight.
mkfifo pipe
"$KPROBE" verify - <pipe >verdict 2>&1 &
KPROBE_OUTPUT=file:pipe traced "$python" app.py
expect_status 0 "a pipe"
wait $! || fail "a pipe: $(cat verdict)"
grep -q ^good verdict || fail "a pipe: $(cat verdict)"
finish

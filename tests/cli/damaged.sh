#!/bin/bash
# Inputs that are no good traces, for every command that reads: status 1, the file is named, what is readable is read.
. "$(dirname "$0")/common.sh"
need_plain_shim
python=$(command -v /usr/bin/python3) || skip "no /usr/bin/python3"
cat >app.py <<'END'
def f(n): return n
for n in range(20000): f(n)
END
KPROBE_COMPRESS=none KPROBE_OUTPUT=file:good.kpt traced "$python" app.py
[ -s good.kpt ] || fail "no trace: $(cat stderr)"

: >empty.kpt
echo "this is a text about something else" >foreign.kpt
head -c 7 good.kpt >stub.kpt
head -c 3000 good.kpt >cut.kpt
# The version stands behind the magic (docs/format.md): one that nobody has made yet.
python3 - <<'END'
data = bytearray(open("good.kpt", "rb").read())
newer = bytearray(data)
newer[8] = 99
open("newer.kpt", "wb").write(newer)
middle = bytearray(data)
middle[len(data) // 2:len(data) // 2 + 64] = bytes(64)
open("middle.kpt", "wb").write(middle)
END
mkdir folder.kpt

commands=(report tree replay dump info verify "convert -t chrome" "convert -t csv" "convert -t collapsed" recover)
for command in "${commands[@]}"; do
    for file in empty foreign stub newer none folder; do
        rm -f ./*.recovered.kpt
        # shellcheck disable=SC2086
        run "$KPROBE" $command "$file.kpt"
        expect_status 1 "$command $file.kpt"
        cat stdout >>stderr
        expect_text stderr "$file.kpt"
    done
    for file in cut middle; do
        rm -f ./*.recovered.kpt
        # shellcheck disable=SC2086
        run "$KPROBE" $command "$file.kpt"
        # recover has done what it is for when the damage is out
        case $command in recover) ;; *) expect_status 1 "$command $file.kpt" ;; esac
        cat stdout >>stderr
        expect_text stderr "$file.kpt"
    done
done
run "$KPROBE" report newer.kpt
grep -qi "newer\|version" stderr || fail "a newer version: $(cat stderr)"
run "$KPROBE" dump middle.kpt
[ "$(wc -l <stdout)" -gt 1000 ] || fail "around the damage $(wc -l <stdout) lines were read"
run "$KPROBE" recover -o clean.kpt middle.kpt
run "$KPROBE" dump clean.kpt
[ "$(wc -l <stdout)" -gt 1000 ] || fail "a recovered trace has $(wc -l <stdout) lines"

# Several inputs: the good ones are read, the bad one is named.
run "$KPROBE" verify good.kpt empty.kpt
expect_status 1 "a good and an empty one"
cat stdout >>stderr
expect_text stderr empty.kpt
finish

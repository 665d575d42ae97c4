#!/bin/bash
# The reading commands over the trace of a real program: they agree with each other and with the program.
. "$(dirname "$0")/common.sh"
python=$(command -v python3) || skip "no python3"

cat >app.py <<'END'
def leaf(n):
    return n
def fails(n):
    if n == 0:
        raise ValueError
    fails(n - 1)
def numbers(n):
    for i in range(n):
        yield leaf(i)
def main():
    for _ in range(3):
        try:
            fails(4)
        except ValueError:
            pass
    assert sum(numbers(10)) == 45
main()
END
KPROBE_FILTER='__main__.*' KPROBE_OUTPUT=file:app.kpt LD_PRELOAD=$SHIM run "$python" app.py
expect_status 0 "the program"
[ -s app.kpt ] || skip "this python3 is not traced: $(cat stderr)"

run "$KPROBE" verify --strict app.kpt
expect_status 0 "verify"
run "$KPROBE" verify --json app.kpt
"$python" -m json.tool <stdout >/dev/null || fail "verify --json is no JSON"

# dump shows every call and suspension, with the columns it promises
run "$KPROBE" dump app.kpt
expect_status 0 "dump"
count() { awk -F'\t' -v kind="$1" -v name="$2" '$4 == kind && $6 == name' stdout | wc -l; }
[ "$(count enter __main__.leaf)" = 10 ] || fail "leaf: $(count enter __main__.leaf) enters"
[ "$(count unwind __main__.fails)" = 15 ] || fail "fails: $(count unwind __main__.fails) unwinds"
[ "$(count enter __main__.numbers)" = 1 ] || fail "numbers: $(count enter __main__.numbers) enters"
[ "$(count yield __main__.numbers)" = 10 ] || fail "numbers: $(count yield __main__.numbers) yields"
[ "$(count resume __main__.numbers)" = 10 ] || fail "numbers: $(count resume __main__.numbers) resumes"
awk -F'\t' 'NF != ($4 == "yield" || $4 == "resume" ? 8 : 7) { exit 1 }' stdout || fail "dump: a line has other columns"
expect_text stdout "app.py:1"
[ "$(count values exception=builtins.ValueError)" = 15 ] || fail "dump: exceptions: $(count values exception=builtins.ValueError)"
calls=$(awk -F'\t' '$4 == "enter"' stdout | wc -l)

# report and tree count the same calls; the JSON can be read
run "$KPROBE" report --json app.kpt
"$python" -c "
import json
report = json.load(open('stdout'))
functions = {f['name']: f for f in report['functions']}
assert report['calls'] == $calls == sum(f['calls'] for f in report['functions'])
assert report['calls_lost'] == 0 and report['gaps'] == 0
assert functions['__main__.fails']['endings']['unwind'] == 15
assert functions['__main__.numbers']['calls'] == 1 and functions['__main__.numbers']['suspensions'] == 10
for f in report['functions']:
    for times in (f['raw'], f['compensated']):
        assert times['self_ns'] <= times['total_ns'] or f['suspensions'], f
        assert times['min_ns'] <= times['max_ns'], f
    assert f['compensated']['total_ns'] <= f['raw']['total_ns'], f
assert abs(sum(f['share_percent'] for f in report['functions']) - 100) < 1
" || fail "report --json"
run "$KPROBE" tree --json app.kpt
"$python" -c "
import json
nodes = json.load(open('stdout'))['nodes']
assert sum(n['calls'] for n in nodes[1:]) == $calls
for n in nodes[1:]:
    assert nodes[n['parent']]['depth'] == n['depth'] - 1
" || fail "tree --json"
run "$KPROBE" report --limit 1 --sort calls app.kpt
expect_text stdout "__main__.fails"
expect_no_text stdout "__main__.leaf"
expect_text stdout "0 calls lost, 0 gaps"

# replay marks what happened
run "$KPROBE" replay app.kpt
expect_text stdout "__main__.leaf();"
expect_text stdout "__main__.fails(); ! builtins.ValueError"
expect_text stdout "(resumed)"
grep -q $'\033' stdout && fail "colour without a terminal"
run "$KPROBE" replay --color always app.kpt
grep -q $'\033' stdout || fail "no colour with --color always"

# convert: valid, nested, complete
run "$KPROBE" convert -t chrome -o app.json app.kpt
expect_status 0 "chrome"
"$python" -c "
import json
from decimal import Decimal
events = json.load(open('app.json'), parse_float=Decimal)['traceEvents']
slices = sorted((e['ts'], -e['dur']) for e in events if e['ph'] == 'X')
assert len(slices) == $calls + 10, len(slices)
ends = []
for start, minus in slices:
    while ends and ends[-1] <= start:
        ends.pop()
    assert not ends or start - minus <= ends[-1]
    ends.append(start - minus)
" || fail "chrome: slices do not nest"
run "$KPROBE" convert -t csv app.kpt
[ "$(wc -l <stdout)" = $((calls + 1)) ] || fail "csv: $(wc -l <stdout) lines for $calls calls"
run "$KPROBE" convert -t collapsed --weight calls app.kpt
[ "$(awk '{ sum += $NF } END { print sum }' stdout)" = "$calls" ] || fail "collapsed: other calls"
run "$KPROBE" info --json app.kpt
"$python" -c "import json; assert json.load(open('stdout'))['calls'] == $calls" || fail "info --json"

# damage is told, the rest is read, the status is 1
head -c $(($(stat -c %s app.kpt) - 20)) app.kpt >cut.kpt
run "$KPROBE" report cut.kpt
expect_status 1 "a trace cut short"
expect_text stderr "cut.kpt: at byte"
run "$KPROBE" report /dev/null
expect_status 1 "an empty trace"
for wrong in "report --sort foo" "report --filter [a" "replay --min soon" "tree --min-share 200" "convert -t pdf" convert \
    "convert -t csv -o app.kpt"; do
    run "$KPROBE" $wrong app.kpt
    expect_status 2 "$wrong"
done
run "$KPROBE" verify app.kpt
expect_status 0 "the trace after convert refused to overwrite it"
finish

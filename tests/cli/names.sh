#!/bin/bash
# Names that no one would choose: very long, with control characters, file names that are not UTF-8.
. "$(dirname "$0")/common.sh"
need_plain_shim

cat >names.py <<'END'
import os
def make(name, file):
    # Before 3.11 a code object has no qualified name of its own: its name is what counts.
    code = compile("def placeholder():\n    pass\n", file, "exec")
    inner = next(c for c in code.co_consts if hasattr(c, "co_code"))
    changes = {"co_name": name}
    if hasattr(inner, "co_qualname"):
        changes["co_qualname"] = name
    scope = {"__name__": "__main__"}
    exec(code, scope)
    function = scope["placeholder"]
    function.__code__ = inner.replace(**changes)
    return function
for name in ["x" * 10000, "new\nline", "tab\tend", "quote\"back\\slash", "semi;colon", "nul\0byte", "bell\a\x1b[31m", "f\u00fcr \u65e5\u672c", "\ud800lone"]:
    make(name, "plain.py")()
make("by_bytes", os.fsdecode(b"caf\xe9\n.py"))()
print("out")
END
cat >check.py <<'END'
import json, sys
lines = open("dump", "rb").read().decode("utf-8").split("\n")  # all of it is UTF-8
assert lines.pop() == ""
names = set()
for line in lines:
    columns = line.split("\t")
    assert len(columns) in (7, 8), line
    assert all(c.isprintable() for c in columns), line
    names.add(columns[5])
    if columns[5].endswith("by_bytes"):
        assert columns[6].endswith("caf\\xe9\\x0a.py:1"), line
for part in ["new\\x0aline", "tab\\x09end", "quote\"back\\x5cslash", "semi;colon", "f\u00fcr \u65e5\u672c"]:
    assert any(part in name for name in names), (part, [n[:60] for n in names])
long = max(names, key=len)
assert 1000 < len(long) <= 10100 and set(long.partition("xx")[2]) == {"x"}, len(long)
assert "__main__.nul" in names  # a name ends at a NUL byte
assert not any("\x1b" in name for name in names)
for file in ["chrome.json", "report.json", "tree.json", "info.json", "verify.json"]:
    json.loads(open(file, "rb").read().decode("utf-8"))
END
for python in $(pythons); do
    rm -f names.kpt ./*.json
    KPROBE_OUTPUT=file:names.kpt KPROBE_FILTER='__main__.*' traced "$python" names.py
    expect_status 0 "$python"
    [ "$(cat stdout)" = out ] || fail "$python: $(cat stdout)"
    expect_empty stderr
    "$KPROBE" dump names.kpt >dump || fail "dump"
    "$KPROBE" convert -t chrome -o chrome.json names.kpt || fail "convert -t chrome"
    for command in report tree info verify; do
        "$KPROBE" "$command" --json names.kpt >"$command.json" || fail "$command --json"
    done
    for command in report tree replay "convert -t csv" "convert -t collapsed"; do
        # shellcheck disable=SC2086
        "$KPROBE" $command names.kpt >text || fail "$command"
        LC_ALL=C grep -q $'[\a\033]' text && fail "$command: control characters"
    done
    run python3 check.py
    [ "$status" = 0 ] || fail "$python: $(cat stderr)"
done

# The file of a program may have any name, and so may the trace.
odd=$(printf 'caf\351\nx')
mkdir "$odd" && echo 'def f(): print("out")
f()' >"$odd/app.py"
KPROBE_OUTPUT="file:$odd/t.kpt" traced /usr/bin/python3 "$odd/app.py"
expect_status 0 "a folder that is not UTF-8"
run "$KPROBE" verify "$odd/t.kpt"
expect_status 0 "verify in a folder that is not UTF-8"
run "$KPROBE" report --json "$odd/t.kpt"
python3 -c 'import json; json.loads(open("stdout", "rb").read().decode("utf-8"))' || fail "JSON of a folder that is not UTF-8"
finish

#!/usr/bin/env bash
# README.md names every option, every command and every engine there is, and its table of options has no other.
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$(dirname "$0")/common.sh"

readme=$top/README.md
options=$(sed -n 's/^KP_OPTION(\([A-Z_]*\),.*/KPROBE_\1/p' "$top/trace/options.def")
commands=$("$KPROBE" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
engines=$(sed -n 's/^    \.name = "\([a-z]*\)",$/\1/p' "$top"/shim/python/*.c)
[ -n "$options" ] && [ -n "$commands" ] && [ -n "$engines" ] || fail "the tables were not found"

for name in $options; do
    grep -qF "| \`$name\` |" "$readme" || fail "README.md lacks $name"
done
for name in $(sed -n 's/^| `\(KPROBE_[A-Z_]*\)`.*/\1/p' "$readme"); do
    grep -qx "$name" <<<"$options" || fail "README.md has an unknown option $name"
done
for name in $commands; do
    grep -q "kprobe $name" "$readme" || fail "README.md lacks kprobe $name"
done
for name in $engines; do
    grep -q "^| \`$name\` |" "$readme" || fail "README.md lacks the engine $name"
done

# docs/irl.md has the compiler's messages, and no others.
sed -n 's/^KP_IRL_CODE(\([0-9]*\), KP_IRL_\([A-Z]*\), "\(.*\)")$/| IRL\1 | \L\2\E | \3 |/p' "$top/irl/codes.def" >codes
sed -n '/^| IRL[0-9]/p' "$top/docs/irl.md" >documented
[ -s codes ] || fail "the messages of kprobe irl were not found"
diff codes documented >&2 || fail "docs/irl.md has other messages than irl/codes.def"

# Defaults and words are those of the table.
python3 - "$top/README.md" "$top/trace/options.def" "$top/trace/options.h" <<'END' || fail "README.md"
import re, sys
readme, rows, header = (open(name, encoding="utf-8").read() for name in sys.argv[1:])
table = {name: (value, default) for name, value, default
         in re.findall(r"^\| `KPROBE_(\w+)` \| (.*) \| (.*) \|$", readme, re.M)}
options = re.findall(r'^KP_OPTION\((\w+), "[^"]*", (\w+), "([^"]*)"', rows, re.M)
words = {kind: re.findall(r'W\("([^"]*)"\)', line) for kind, line
         in re.findall(r"^#define KP_OPTION_WORDS_(\w+)\(W\)(.*)$", header, re.M)}
bad = []
for name, kind, default in options:
    if name not in table:
        bad.append("KPROBE_%s is missing" % name)
        continue
    value, said = table.pop(name)
    if default and "`%s`" % default not in said:
        bad.append("KPROBE_%s: the default is %s, the README says %s" % (name, default, said))
    bad += ["KPROBE_%s: the word %s is missing" % (name, word) for word in words.get(kind, [])
            if kind != "SWITCH" and "`%s`" % word not in value]
bad += ["KPROBE_%s is no option" % name for name in table]
assert len(options) >= 12, "the table of options was not understood"
print("\n".join(bad), file=sys.stderr)
sys.exit(bool(bad))
END

# Scripts that it tells people to call exist.
for script in $(grep -oE '\bscripts/[a-z_-]+\b' "$top/README.md" | sort -u); do
    [ -e "$top/$script" ] || [ -e "$top/$script.py" ] || fail "README.md names $script, which is not there"
done
finish

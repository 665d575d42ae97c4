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
finish

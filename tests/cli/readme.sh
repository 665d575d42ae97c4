#!/usr/bin/env bash
# README.md names every option, every command and every engine there is, and nothing in its tables is unknown.
. "$(dirname "$0")/common.sh"

readme=$(dirname "$0")/../../README.md
sources=$(dirname "$0")/../..

while read -r name; do
    grep -q "^| \`KPROBE_$name\`" "$readme" || { echo "README.md lacks KPROBE_$name"; exit 1; }
done < <(sed -n 's/^KP_OPTION(\([A-Z_]*\),.*/\1/p' "$sources/trace/options.def")

while read -r name; do
    grep -q "^KP_OPTION(${name#KPROBE_}," "$sources/trace/options.def" || { echo "README.md has an unknown $name"; exit 1; }
done < <(sed -n 's/^| `\(KPROBE_[A-Z_]*\)`.*/\1/p' "$readme")

while read -r name; do
    grep -q "kprobe $name" "$readme" || { echo "README.md lacks kprobe $name"; exit 1; }
done < <("$KPROBE" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')

#!/bin/bash
# Today's kprobe reads every golden trace as it always did: check.sh KPROBE [--accept]
# NAME.dump is what dump prints, NAME.messages what it says on stderr and its exit status.
cd "$(dirname "$0")" || exit 1
kprobe=$1
failed=0
said=$(mktemp) || exit 1
for trace in *.kpt; do
    name=${trace%.kpt}
    out=$("$kprobe" dump "$trace" 2>"$said"; echo "exit $?")
    messages=$(cat "$said"; echo "${out##*$'\n'}")
    out=${out%exit *}
    if [ "$2" = --accept ]; then
        printf %s "$out" >"$name.dump"
        printf '%s\n' "$messages" >"$name.messages"
    fi
    printf %s "$out" | diff -u "$name.dump" - || failed=1
    printf '%s\n' "$messages" | diff -u "$name.messages" - || failed=1
done
rm -f "$said"
exit $failed

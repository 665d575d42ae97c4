#!/bin/bash
# Another project builds records with what kprobe installs: find_package(KprobeIrl), kprobe_irl_generate().
#   outside.sh BUILD-FOLDER CMAKE
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
    echo "FAIL: $*" >&2
    exit 1
}
"$2" --install "$1" --prefix "$work/installed" >"$work/log" 2>&1 || fail "install: $(tail -5 "$work/log")"
cp -r "$here/outside" "$work/source"
build() {
    "$2" --build "$work/build" >"$work/log" 2>&1 || fail "build: $(tail -30 "$work/log")"
}
"$2" -S "$work/source" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/installed" >"$work/log" 2>&1 ||
    fail "configure: $(tail -20 "$work/log")"
grep -q "KPROBE_PROGRAM.*$work/installed" "$work/build/CMakeCache.txt" || fail "another kprobe was found"
build "$@"
[ "$("$work/build/outside")" = "\$1;42;7;-1;-1;;;9.5;1;2;tea;cup, saucer" ] || fail "wrong line: $("$work/build/outside")"
[ -n "$(find "$work/build" -name 'OrderEvent.py')" ] || fail "no Python"
# A model that changes is compiled again; nothing is when nothing changed.
sed -i 's/9.5/2.25/' "$work/source/models/shop.irl"
build "$@"
[[ $("$work/build/outside") == *';2.25;1;2;'* ]] || fail "the changed model was not compiled: $("$work/build/outside")"
touch "$work/after"
build "$@"
[ -z "$(find "$work/build" -name '*.o' -newer "$work/after")" ] || fail "compiled again without a reason"

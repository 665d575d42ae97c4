#!/bin/bash
# The man pages come without warnings from groff, and say what the help says.
. "$(dirname "$0")/common.sh"

mkdir pages
run "$KPROBE" --man-pages pages
expect_status 0 "--man-pages"
[ -s pages/kprobe.1 ] || fail "no kprobe.1"
"$KPROBE" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z]*\) .*/\1/p' >commands
while read -r name; do
    [ -s "pages/kprobe-$name.1" ] || fail "no page of $name"
    "$KPROBE" --man "$name" | cmp - "pages/kprobe-$name.1" || fail "--man $name differs"
    for option in $("$KPROBE" "$name" --help | sed -n '/^Options:/,/^$/s/^ .*\(--[a-z-]*\).*/\1/p'); do
        tr -d '\\' <"pages/kprobe-$name.1" | grep -qF -- "$option" || fail "no $option in the page of $name"
    done
done <commands
run "$KPROBE" --man-pages /nonexistent
expect_status 1 "--man-pages into nothing"
expect_text stderr "/nonexistent"

command -v groff >/dev/null || skip "groff is missing"
for page in pages/*.1; do
    groff -man -Tutf8 -P-cbou -wall -ww "$page" >text 2>stderr || fail "groff $page"
    expect_empty stderr
    grep -q SYNOPSIS text || fail "nothing shown of $page"
    if command -v man >/dev/null && command -v mandb >/dev/null; then
        LC_ALL=C.UTF-8 MANROFFSEQ='' MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z "$page" >/dev/null 2>stderr
        expect_empty stderr
    fi
done
finish

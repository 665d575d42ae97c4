#!/bin/bash
# Help, version, suggestions and exit statuses of the command line itself.
. "$(dirname "$0")/common.sh"

run "$KPROBE"
expect_status 2 "no command"
expect_empty stdout
expect_text stderr "Usage: kprobe COMMAND"

for word in --help -h help; do
    run "$KPROBE" $word
    expect_status 0 "$word"
    expect_text stdout "Commands:"
    expect_text stdout "KPROBE_BUFFER"
    expect_empty stderr
done

run "$KPROBE" --version
expect_status 0 "--version"
grep -qE '^kprobe [0-9]+\.[0-9]+\.[0-9]+$' stdout || fail "version: $(cat stdout)"

# Every command explains itself, in both ways alike, in 80 columns.
"$KPROBE" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z]*\) .*/\1/p' >commands
[ -s commands ] || fail "no commands in --help"
while read -r name; do
    run "$KPROBE" "$name" --help
    expect_status 0 "$name --help"
    expect_text stdout "Usage: kprobe $name"
    expect_text stdout "Options:"
    expect_text stdout "--help"
    expect_text stdout "Examples:"
    expect_text stdout "Exit status:"
    "$KPROBE" help "$name" | cmp - stdout || fail "help $name is not $name --help"
    awk 'length > 80 && !/kprobe/' stdout >wide
    expect_empty wide
    run "$KPROBE" "$name" --no-such-option
    expect_status 2 "$name --no-such-option"
    expect_text stderr "kprobe $name: there is no option '--no-such-option'"
    expect_text stderr "Try 'kprobe $name --help'"
    expect_empty stdout
done <commands

run "$KPROBE" recrod
expect_status 2 "misspelt command"
expect_text stderr "there is no command 'recrod'; did you mean 'record'?"
run "$KPROBE" xyzzy
expect_status 2 "unknown command"
expect_no_text stderr "did you mean"
run "$KPROBE" help recrod
expect_status 2 "help of a misspelt command"
run "$KPROBE" --frobnicate
expect_status 2 "unknown option before the command"

run "$KPROBE" record --fitler=x -- true
expect_status 2 "misspelt option"
expect_text stderr "there is no option '--fitler'; did you mean '--filter'?"
run "$KPROBE" record --fitler x -- true
expect_status 2 "misspelt option with its value apart"
expect_text stderr "did you mean '--filter'?"
run "$KPROBE" record --c -- true
expect_status 2 "ambiguous abbreviation"
expect_text stderr "option '--c' may mean --clock or --compress"
run "$KPROBE" record --filter
expect_status 2 "missing value"
expect_text stderr "option '--filter' needs a value"
run "$KPROBE" record -f
expect_status 2 "missing value of a letter"
expect_text stderr "option '--filter' needs a value"
run "$KPROBE" record -Q -- true
expect_status 2 "unknown letter"
expect_text stderr "there is no option '-Q'"
run "$KPROBE" record --no-summary=1 -- true
expect_status 2 "value for a switch"
expect_text stderr "option '--no-summary' takes no value"
run "$KPROBE" doctor --color sometimes
expect_status 2 "bad choice"
expect_text stderr "--color='sometimes': no such WHEN; allowed: auto, always, never"
run "$KPROBE" doctor --color nevr
expect_text stderr "did you mean never?"

# A full disk is no success.
if [ -w /dev/full ]; then
    "$KPROBE" --help >/dev/full 2>stderr
    status=$?
    expect_status 1 "standard output is full"
    expect_text stderr "cannot write to standard output: No space left"
fi
finish

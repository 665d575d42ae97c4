#!/bin/bash
# Completion: bash completes commands, options and choices; zsh and fish read their scripts.
. "$(dirname "$0")/common.sh"

for shell in bash zsh fish; do
    "$KPROBE" --completion $shell >script.$shell || fail "--completion $shell"
    [ -s script.$shell ] || fail "no script for $shell"
    if command -v $shell >/dev/null; then
        $shell -n script.$shell || fail "$shell does not read its script"
    fi
done
run "$KPROBE" --completion tcsh
expect_status 2 "--completion of another shell"
expect_text stderr "allowed: bash, zsh, fish"

. ./script.bash
# complete_line WORD...: what bash offers for the last word
complete_line() {
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    COMPREPLY=()
    _kprobe
    printf '%s\n' "${COMPREPLY[@]}" | sort | tr '\n' ' '
}
expect_completion() {
    local expected=$1
    shift
    local found
    found=$(complete_line "$@")
    [ "$found" = "$expected " ] || fail "'$*' completes to '$found' instead of '$expected'"
}
expect_completion "record recover" kprobe reco
expect_completion doctor kprobe doc
expect_completion record kprobe help recor
expect_completion "--filter --filter-file" kprobe record --filt
expect_completion monitoring kprobe record --engine m
expect_completion "auto frame monitoring opcode profile" kprobe record -e ""
# as bash splits --engine=fr
expect_completion frame kprobe record --engine = fr
expect_completion "auto frame monitoring opcode profile" kprobe record --engine =
expect_completion "always auto never" kprobe doctor --color ""
[[ " $(complete_line kprobe record "tru")" == *" true "* ]] || fail "record completes no program"

if command -v fish >/dev/null; then
    found=$(fish -c 'source script.fish; complete -C "kprobe record --engine "' | cut -f1 | sort | tr '\n' ' ')
    [ "$found" = "auto frame monitoring opcode profile " ] || fail "fish completes --engine to '$found'"
    fish -c 'source script.fish; complete -C "kprobe rec"' | grep -q '^record' || fail "fish completes no command"
fi
finish

# shellcheck shell=bash
# Sourced by the tests here. KPROBE is the command, SHIM the libkprobe.so of the build.
# A failed expectation names itself; the test goes on and fails at the end.
set -u
: "${KPROBE:?path of kprobe}" "${SHIM:?path of libkprobe.so}"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
unset LD_PRELOAD
for variable in $(env | sed -n 's/^\(KPROBE_[A-Za-z0-9_]*\)=.*/\1/p'); do unset "$variable"; done
failures=0

fail() {
    echo "FAIL: $*" >&2
    failures=$((failures + 1))
}

# run COMMAND...: stdout and stderr in files of that name, the exit status in $status
run() {
    "$@" >stdout 2>stderr
    status=$?
}

expect_status() {
    [ "$status" = "$1" ] || fail "status $status instead of $1 ($2); stderr: $(cat stderr)"
}

# expect_text FILE TEXT: a line with this text
expect_text() {
    grep -qF -- "$2" "$1" || fail "no '$2' in $1: $(cat "$1")"
}

expect_no_text() {
    ! grep -qF -- "$2" "$1" || fail "'$2' in $1: $(cat "$1")"
}

expect_empty() {
    [ ! -s "$1" ] || fail "$1 is not empty: $(cat "$1")"
}

skip() {
    echo "skipped: $*"
    exit 77
}

# The sanitizers' runtime must be the first library of a program, so their shim cannot be preloaded into others.
need_plain_shim() {
    ! grep -qaE 'lib[at]san\.so' "$SHIM" || skip "libkprobe.so is built with a sanitizer"
}

# Interpreters that can be traced, one a line.
pythons() {
    python3 "$(dirname "${BASH_SOURCE[0]}")/../oracle/matrix.py" --list | awk '{ print $2 }' | sort -u
}

# traced COMMAND...: run under the shim, options from the environment
traced() {
    run env LD_PRELOAD="$SHIM" "$@"
}

# private COMMAND...: in a mount namespace of its own, so that it may mount and remount. Skips where that is refused.
private() {
    unshare --mount true 2>/dev/null || skip "no mount namespaces for this user"
    unshare --mount --propagation private "$@"
}

# Shared memory that processes of this test left.
leftovers() {
    local file
    for file in /dev/shm/kprobe.*; do
        # The name of the trace stands at the beginning; the file is sparse and large.
        [ -e "$file" ] && head -c 8192 "$file" 2>/dev/null | grep -qaF -- "$work/" && echo "$file"
    done
}

remove_leftovers() {
    leftovers | xargs -r rm -f
}

finish() {
    [ "$failures" = 0 ] || exit 1
    echo fine
}

#!/bin/bash
# Little memory, no threads, small files, few descriptors: the program runs on, and a line says what is missing.
. "$(dirname "$0")/common.sh"
need_plain_shim
cat >app.py <<'END'
import resource, sys
def f(n): return n
for n in range(200000): f(n)
print("out", end=" ")
END

# limited PYTHON TITLE LIMIT...: the program's output and status with the limit, as without
limited() {
    local python=$1 title=$2
    shift 2
    rm -f x.kpt
    # Through pipes: a limit on files is not to hit the program's own output.
    { KPROBE_OUTPUT=file:x.kpt LD_PRELOAD=$SHIM prlimit "$@" sh -c '"$0" app.py; echo $?' "$python" 2>&3 | cat >stdout; } 3>&1 | cat >stderr
    [ "$(cat stdout)" = "out 0" ] || fail "$title, $python: $(cat stdout stderr)"
    if [ -s x.kpt ]; then
        run "$KPROBE" verify x.kpt
        expect_status 0 "$title, $python: verify: $(cat stdout)"
    else
        [ -s stderr ] || fail "$title, $python: no trace and no word"
    fi
    remove_leftovers
}
for python in $(pythons); do
    limited "$python" "files of 0 bytes" --fsize=0
    expect_text stderr x.kpt
    limited "$python" "files of 40 KiB" --fsize=40960
    limited "$python" "files of 200 MB" --fsize=200000000
    limited "$python" "1 GiB of addresses" --as=1073741824
    limited "$python" "150 MiB of addresses" --as=157286400
    limited "$python" "eight descriptors" --nofile=8
done

# No more threads for this user: only where we can become another.
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    chmod 755 "$work" && chmod 644 app.py && mkdir -m 777 open && cd open || exit 1
    KPROBE_OUTPUT=file:x.kpt run env LD_PRELOAD="$SHIM" prlimit --nproc=1 \
        setpriv --reuid 54321 --clear-groups /usr/bin/python3 ../app.py
    expect_status 0 "no threads"
    [ "$(cat stdout)" = "out " ] || fail "no threads: $(cat stdout)"
    expect_text stderr "no thread for the writer"
    [ -z "$(leftovers)" ] || fail "no threads: shared memory is left"
fi
finish

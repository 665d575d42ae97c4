#!/bin/bash
# list says what can be traced in a library, a program and a process, how, and why not.
. "$(dirname "$0")/common.sh"

run "$KPROBE" list
expect_status 2 "no operand"
expect_text stderr "an object, a process or a program is needed"
run "$KPROBE" list no-such-thing
expect_status 1 "neither program nor library"
expect_text stderr "no-such-thing: not found in PATH, and no library of that name"
run "$KPROBE" list ./no-such-file.so
expect_status 1 "no file"
expect_text stderr "no such file"
echo text >plain && chmod +x plain
run "$KPROBE" list ./plain
expect_status 1 "no ELF file"
expect_text stderr "neither an ELF file nor a script"
run "$KPROBE" list libc.so.6 'libc.so.6:[z'
expect_status 2 "a bad pattern"
run "$KPROBE" list libc.so.6 'c:len'
expect_status 2 "a pattern for Python"
expect_text stderr "no pattern selects C functions"

# line MECHANISM NAME [REASON]: stdout has this function, and no other line for it
line() {
    local lines
    lines=$(grep -cE -- " $2( |\$)" stdout)
    [ "$lines" = 1 ] || fail "$lines lines for $2: $(cat stdout)"
    grep -E -- "^$1  +$2( |\$)" stdout | grep -qF -- "${3-}" || fail "no '$1 $2 ... ${3-}': $(grep -F -- "$2" stdout)"
}
no_line() {
    ! grep -qE -- " $1( |\$)" stdout || fail "a line for $1: $(cat stdout)"
}

# A library by its name: every class of function, each with its reason.
run "$KPROBE" list libc.so.6
expect_status 0 "libc"
line got libc.so.6:read
line 'entry only' libc.so.6:vfork "returns more than once"
line 'entry only' libc.so.6:execve "starts another program"
line wrapped libc.so.6:siglongjmp "leaves calls without their return"
line never libc.so.6:mcount "the frame of its caller"
expect_no_text stdout $'\33'
run "$KPROBE" list ld-linux-x86-64.so.2 __tls_get_addr
line never ld-linux-x86-64.so.2:__tls_get_addr "is the loader"

# Patterns: by symbol, by object and symbol, the last one that matches decides.
run "$KPROBE" list -- libc.so.6 'mem*' -memcpy
line got libc.so.6:memset
no_line libc.so.6:memcpy
no_line libc.so.6:read
run "$KPROBE" list libc.so.6 'libm.so.*:*'
expect_text stdout "# 0 functions of 1 object"

command -v "${CC:-cc}" >/dev/null || skip "no compiler for the other programs"
cat >inner.c <<'EOF'
int inner_called(int x) { return x + 1; }
int inner_taken(int x) { return x + 2; }
int inner_idle(int x) { return x + 3; }
__attribute__((visibility("hidden"))) int inner_hidden(int x) { return x + 4; }
int inner_uses_hidden(int x) { return inner_hidden(x); }
EOF
cat >outer.c <<'EOF'
int inner_called(int), inner_taken(int);
int (*outer_pointer(void))(int) { return inner_taken; }
int outer(int x) { return inner_called(x); }
EOF
cat >main.c <<'EOF'
int outer(int);
int main(void) { return outer(-1); }
EOF
mkdir lib deep
# shellcheck disable=SC2016 # $ORIGIN is the loader's
beside=('-Wl,-rpath,$ORIGIN/../deep') below=('-Wl,-rpath,$ORIGIN/lib')
build_outer() {
    "$CC" -O1 -shared -fPIC "$@" outer.c -o lib/libouter.so -Wl,-soname,libouter.so -Ldeep -linner "${beside[@]}" ||
        fail "compiler"
}
"$CC" -O1 -g -shared -fPIC inner.c -o deep/libinner.so -Wl,-soname,libinner.so || fail "compiler"
build_outer
"$CC" main.c -o main -Llib -louter -Wl,-rpath-link,deep "${below[@]}" || fail "compiler"

# A program: libraries by $ORIGIN of each, and only what a slot of one of them calls.
run "$KPROBE" list ./main 'lib*er.so:*'
expect_status 0 "main"
line got libouter.so:outer
line got libinner.so:inner_called
no_line libinner.so:inner_idle
no_line libinner.so:inner_taken
run "$KPROBE" list --all ./main 'libinner.so:*'
line got libinner.so:inner_called
line none libinner.so:inner_taken "has its address taken"
line none libinner.so:inner_idle "called through no slot"
line none libinner.so:inner_hidden "is not exported"
# The library alone: nobody known who calls. Its debug information tells signature and source.
run "$KPROBE" list deep/libinner.so
line got libinner.so:inner_taken "int inner_taken(int x)  $PWD/inner.c:2"
no_line libinner.so:inner_hidden

# The same without a PLT, where only the text tells calls from addresses taken.
build_outer -fno-plt
run "$KPROBE" list --all ./main 'libinner.so:*'
line got libinner.so:inner_called
line none libinner.so:inner_taken "has its address taken"

# What the loader would not find is named; -Bsymbolic is, too.
mv deep/libinner.so away.so
run "$KPROBE" list ./main
expect_text stdout "# libinner.so is needed, but was not found"
LD_LIBRARY_PATH=$work/other run "$KPROBE" list ./main 'libinner*:*'
mkdir other && mv away.so other/libinner.so
LD_LIBRARY_PATH=$work/other run "$KPROBE" list ./main 'libinner*:*'
line got libinner.so:inner_called
"$CC" -shared -fPIC -Wl,-Bsymbolic inner.c -o bound.so
run "$KPROBE" list ./bound.so
expect_text stdout "# bound.so is linked with -Bsymbolic"
line got bound.so:inner_idle

# A process, and a script.
sleep 60 &
sleeper=$!
for _ in $(seq 100); do
    grep -q libc.so.6 /proc/$sleeper/maps && [ "$(cat /proc/$sleeper/comm)" = sleep ] && break
    sleep 0.05 # the shell's copy of itself has not become it yet
done
run "$KPROBE" list $sleeper
expect_status 0 "a process"
line 'entry only' libc.so.6:abort
kill $sleeper
wait $sleeper 2>/dev/null
run "$KPROBE" list $sleeper
expect_status 1 "no process"
expect_text stderr "process $sleeper: there is none"
printf '#!/bin/sh\nexit 0\n' >script && chmod +x script
run "$KPROBE" list ./script
expect_text stdout "# a script: ./script -> /bin/sh"

if command -v python3 >/dev/null; then
    LD_LIBRARY_PATH=$work/other "$KPROBE" list --json ./main 'lib*er.so:*' >json || fail "status with --json"
    python3 - <<'EOF' || fail "JSON: $(cat json)"
import json
report = json.load(open("json"))
assert [o["name"] for o in report["objects"]][:2] == ["main", "libouter.so"], report["objects"]
functions = {f["name"]: f for f in report["functions"]}
assert functions["libinner.so:inner_called"]["signature"] == "int inner_called(int x)"
assert functions["libinner.so:inner_called"]["line"] == 1 and "signature" not in functions["libouter.so:outer"]
assert functions["libouter.so:outer"]["mechanism"] == "got" and functions["libouter.so:outer"]["bytes"] > 0
EOF
fi
run "$KPROBE" list /usr/bin/python3 2>/dev/null && expect_text stdout "rules c:PATTERN"
finish

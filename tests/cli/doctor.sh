#!/bin/bash
# doctor names the reason, for each kind of program that the loader or the shim would refuse.
. "$(dirname "$0")/common.sh"

# diagnose STATUS VERDICT CHECK TEXT OPERAND...
diagnose() {
    local expected=$1 verdict=$2 check=$3 text=$4
    shift 4
    run "$KPROBE" doctor "$@"
    expect_status "$expected" "doctor $*"
    grep -E "^$verdict +$check " stdout | grep -qF -- "$text" || fail "no '$verdict $check ... $text' for $*: $(cat stdout)"
    expect_no_text stdout $'\33'
}

run "$KPROBE" doctor
expect_status 0 "nothing but the setup"
expect_text stdout "$SHIM"
diagnose 1 fail program "not found in PATH" no-such-program
diagnose 1 fail program "no such file" ./no-such-program
touch plain && diagnose 1 fail program "not an executable file" ./plain
printf 'garbage' >garbage && chmod +x garbage && diagnose 1 fail program "neither an ELF file nor a script" ./garbage

# Scripts are followed to what runs in the end.
printf '#!/bin/sh\nexit 0\n' >script && chmod +x script
diagnose 0 ok script "./script -> /bin/sh" ./script
printf '#! /usr/bin/env -S sh -e\n' >env_script && chmod +x env_script
diagnose 0 ok script "./env_script -> /usr/bin/env -> " ./env_script
printf '#!/no/such/interpreter\n' >orphan && chmod +x orphan
diagnose 1 fail program "the interpreter in its first line is missing" ./orphan
printf '#!/usr/bin/env no-such-interpreter\n' >env_orphan && chmod +x env_orphan
diagnose 1 fail program "env shall run is not in PATH" ./env_orphan
printf '#!%s/loop\n' "$work" >loop && chmod +x loop
diagnose 1 fail program "too many scripts" ./loop

# Options of the environment.
KPROBE_BUFFER=1X diagnose 1 fail options "KPROBE_BUFFER='1X': 'X' at position 2"
KPROBE_FILTER='re:(' diagnose 1 fail options "KPROBE_FILTER, line 1"
KPROBE_BUFER=1 diagnose 0 warn "unknown options" "did you mean KPROBE_BUFFER?"
KPROBE_OUTPUT=file:/no/such/folder/x.kpt diagnose 1 fail output "/no/such/folder"
KPROBE_OUTPUT=null: diagnose 0 warn output "nothing is kept"
KPROBE_ENABLED=0 diagnose 0 warn options "starts switched off"

# A process that runs without the shim.
sleep 60 &
sleeper=$!
diagnose 1 fail "shim mapped" "started without it in LD_PRELOAD" $sleeper
kill $sleeper
wait $sleeper 2>/dev/null
diagnose 1 fail process "there is no process $sleeper" $sleeper

# The same as JSON, and in colour when asked.
if command -v python3 >/dev/null; then
    "$KPROBE" doctor --json ./orphan >json
    python3 - <<'EOF' || fail "JSON: $(cat json)"
import json
report = json.load(open("json"))
failed = [check for check in report["checks"] if check["verdict"] == "fail"]
assert report["failures"] == len(failed) == 1 and failed[0]["check"] == "program" and failed[0]["remedy"]
EOF
fi
"$KPROBE" doctor --color always | grep -q $'\33' || fail "no colour in spite of --color always"

# Pythons: found by their symbols, whatever their name.
python=$(command -v /usr/bin/python3) && {
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    cp "$(readlink -f "$python")" renamed
    diagnose 0 ok interpreter "CPython $version" ./renamed
    diagnose 0 ok engine "" ./renamed
}
diagnose 0 warn interpreter "no CPython in" sh
expect_text stdout "-f '+libc.so.6:*'"

# C functions, when rules ask for them: what they select of the program and its libraries.
KPROBE_FILTER='+libc.so.6:*' diagnose 0 note interpreter "its C functions are asked for" sh
KPROBE_FILTER='+libc.so.6:*' diagnose 0 ok "C functions" "entry only" sh
KPROBE_FILTER='+libnone.so.6:*' diagnose 0 warn "C functions" "select no function" sh
expect_text stdout "kprobe list PROGRAM"
[ -n "${python-}" ] && {
    readelf -d "$(readlink -f "$python")" 2>/dev/null | grep -q libpython ||
        KPROBE_FILTER='+libc.so.6:*' diagnose 0 note "static Python" "use no slots" "$python"
    diagnose 0 ok interpreter "CPython" "$python"
    expect_no_text stdout "C functions"
}

command -v "${CC:-cc}" >/dev/null || skip "no compiler for the other programs"
echo 'int main(void) { return 0; }' >main.c
"$CC" main.c -o dynamic || fail "compiler"
diagnose 0 ok linking "dynamically linked" ./dynamic
"$CC" main.c -o musl -Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1 &&
    diagnose 1 fail loader "uses musl" ./musl
"$CC" main.c -o lost -Wl,--dynamic-linker=/no/such/ld.so &&
    diagnose 1 fail loader "the loader /no/such/ld.so is missing" ./lost
cat >caller.c <<'EOF'
#include <stdio.h>
int own(void) { return 0; }
int main(void) { return puts("called") + own(); }
EOF
"$CC" -fno-plt caller.c -o no_plt &&
    KPROBE_FILTER='+libc.so.6:puts' diagnose 0 ok "no PLT" "no_plt: built with -fno-plt" ./no_plt &&
    KPROBE_FILTER='+libc.so.6:puts' diagnose 0 ok "C functions" "select 1 function that" ./no_plt
"$CC" -Wl,-z,relro,-z,now caller.c -o full_relro &&
    KPROBE_FILTER='+libc.so.6:puts' diagnose 0 ok "RELRO" "full_relro" ./full_relro
"$CC" -Wl,-z,relro,-z,lazy caller.c -o lazy && KPROBE_FILTER='+libc.so.6:puts' diagnose 0 ok "C functions" "" ./lazy
expect_no_text stdout "lazy: full RELRO"
"$CC" -shared -fPIC -Wl,-Bsymbolic,-soname,libbound.so -Dmain=bound caller.c -o libbound.so &&
    "$CC" main.c -Wl,--no-as-needed libbound.so -Wl,-rpath,"$PWD" -o with_bound &&
    KPROBE_FILTER='+libbound.so:own' diagnose 0 note "own calls" "libbound.so: linked with -Bsymbolic" ./with_bound
# The trace itself says how many slots were hooked.
if need=$(need_plain_shim); [ -z "$need" ]; then
    KPROBE_FILTER='+libc.so.6:puts' KPROBE_OUTPUT=file:called.kpt traced ./no_plt
    diagnose 0 ok "C functions" "got.patched 1" ./called.kpt
    diagnose 0 note interpreter "its C functions were looked at" ./called.kpt
    rm called.kpt
fi
"$CC" -static main.c -o static 2>/dev/null && {
    diagnose 1 fail linking "statically linked" ./static
    run "$KPROBE" record -- ./static # never loads the shim
    expect_status 0 "record of a static program"
    expect_text stderr "warning: linking"
    expect_text stderr "nothing was traced"
}
"$CC" -m32 main.c -o narrow 2>/dev/null && diagnose 1 fail architecture "unlike libkprobe.so" ./narrow
# e_machine of another processor, as a file from another machine has it
cp dynamic foreign && printf '\267' | dd of=foreign bs=1 seek=18 conv=notrunc 2>/dev/null &&
    diagnose 1 fail architecture "aarch64, 64 bits, unlike libkprobe.so" ./foreign
cp dynamic privileged && [ "$(id -u)" = 0 ] && chown 65534 privileged && chmod u+s privileged &&
    diagnose 1 fail privileges "is setuid (user 65534)" ./privileged
cp dynamic group && [ "$(id -u)" = 0 ] && chgrp 65534 group && chmod g+sx group &&
    diagnose 1 fail privileges "is setgid (group 65534)" ./group

# What only the process itself can say: which engine takes it, and why one declines.
python=$(command -v /usr/bin/python3 || true)
if [ -n "$python" ]; then
    diagnose 0 ok engine "$(KPROBE_LOG=info LD_PRELOAD=$SHIM KPROBE_OUTPUT=null: "$python" -c pass 2>&1 | sed -n 's/.*by the \([a-z]*\) engine.*/\1/p')" --trial "$python"
    KPROBE_ENGINE=monitoring diagnose 1 fail engine "it needs CPython 3.12" --trial "$python"
    [ -z "$(ls -- *.kpt 2>/dev/null)" ] || fail "the trial leaves a trace"
fi
finish

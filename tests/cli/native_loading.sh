#!/usr/bin/env bash
# Functions in C: objects that come and go, addresses of functions, rules that change, programs without rules for them.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
sources=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/loading
need_plain_shim
[ "$(uname -m)" = x86_64 ] || skip "not on this machine"

build() { # build NAME FLAGS...: from NAME.c, in the folder of its part
    local name=$1
    shift
    ${CC:-cc} -O2 -D_GNU_SOURCE "$sources/$name.c" -o "$@" -ldl -pthread || exit 1
}

# entered FILE NAME: how often it was entered
entered() {
    "$KPROBE" dump "$1" 2>/dev/null | awk -F'\t' -v name="$2" '$4 == "enter" && $6 == name { n++ } END { print n + 0 }'
}

expect_entered() {
    local n
    n=$(entered "$1" "$2")
    [ "$n" = "$3" ] || fail "$2 was entered $n times, not $3 ($1)"
}

preload=
# same NAME RULES COMMAND...: the output is that of the plain run, the trace in NAME.kpt is in order
same() {
    local name=$1 rules=$2
    shift 2
    LD_PRELOAD=$preload "$@" >plain 2>&1
    echo "status $?" >>plain
    timeout 60 env KPROBE_OUTPUT="file:$PWD/$name.kpt" KPROBE_FILTER="$rules" LD_PRELOAD="$SHIM${preload:+:$preload}" "$@" >under 2>&1
    echo "status $?" >>under
    cmp -s plain under || fail "$name: $(diff plain under)"
    "$KPROBE" verify "$name.kpt" >verified 2>&1 || fail "$name: $(cat verified)"
}

mkdir -p app/plugins/more
build dependency app/plugins/more/libdependency.so -shared -fPIC
build plugin app/plugins/libplugin.so -shared -fPIC -Lapp/plugins/more -Wl,--no-as-needed -ldependency \
    -Wl,--enable-new-dtags,-rpath,'$ORIGIN/more'
build host app/host -Wl,--enable-new-dtags,-rpath,'$ORIGIN/plugins'
build host app/host_rpath -Wl,--disable-new-dtags,-rpath,'$ORIGIN/plugins'
build host app/host_bare

# The loader finds the plugin by who asks for it; the plugin's calls are seen although it was not there at the start.
for host in host host_rpath; do
    same $host 'libplugin.so:*,libdependency.so:*' app/$host libplugin.so 3
    expect_entered $host.kpt libplugin.so:plugin_run 3
    expect_entered $host.kpt libdependency.so:dependency_work 3
done
same origin '*:*' app/host_bare '$ORIGIN/plugins/libplugin.so' 3
expect_entered origin.kpt libdependency.so:dependency_work 3
same path 'libdependency.so:*' app/host_bare app/plugins/libplugin.so 3
expect_entered path.kpt libdependency.so:dependency_work 3
same deep '*:*' app/host_bare app/plugins/libplugin.so 3 deep
expect_entered deep.kpt libplugin.so:plugin_run 3

# Two hundred times at the same place, or at another one.
same again 'lib[pd]*:*' app/host libplugin.so 200
expect_entered again.kpt libplugin.so:plugin_run 200
expect_entered again.kpt libdependency.so:dependency_work 200
same again_all '*:*' app/host libplugin.so 200
expect_entered again_all.kpt libdependency.so:dependency_work 200

# &function is what it was, in programs of both kinds and in libraries; calls through it or besides it are as they were.
build library app/liblibrary.so -shared -fPIC
build library app/liblibrary_direct.so -shared -fPIC -fno-plt
for kind in pie no-pie; do
    for library in library library_direct; do
        for binding in lazy now; do
            program=app/identity.$kind.$library.$binding
            build identity "$program" -"$kind" -f"$kind" -rdynamic -Lapp -l$library -Wl,-rpath,"$PWD/app" -Wl,-z,$binding
            same "${program#app/}" '*:*' "$program"
            expect_entered "${program#app/}.kpt" "${program#app/}:helper" 2
            expect_entered "${program#app/}.kpt" libc.so.6:qsort 1
            expect_text plain "data 1, library 1, loader 1"
        done
    done
done

# Who is called next is asked from the caller on.
build interposer app/interposer.so -shared -fPIC
build says app/says
preload=$PWD/app/interposer.so same next '*:*' app/says
expect_text under interposed
expect_text under "status 4"
# It ended by _exit, and in order all the same.
expect_text verified good
"$KPROBE" info next.kpt >info
expect_text info "ended in order"

# No rule for C functions, or one that matches nothing: no file.
traced sh -c 'ls / | wc -l'
expect_empty stderr
KPROBE_FILTER='libnothing.so:*,libc.so.6:no_such_*' traced ls /
expect_empty stderr
for file in kprobe.*; do
    [ ! -e "$file" ] || fail "left $file"
done

# Rules that come later, while another thread runs.
build waits app/waits
echo '-libc.so.6:*' >rules
KPROBE_FILTER_FILE=rules KPROBE_OUTPUT=file:$PWD/waits.kpt LD_PRELOAD=$SHIM app/waits stop &
waiting=$!
sleep 1.2
echo '+libc.so.6:getp*' >rules
for _ in $(seq 60); do
    sleep 0.1
    [ "$(entered waits.kpt libc.so.6:getppid)" -lt 20 ] || break
done
touch stop
wait $waiting || fail "waits: status $?"
[ "$(entered waits.kpt libc.so.6:getppid)" -ge 20 ] || fail "functions of new rules are not traced"
[ "$(entered waits.kpt libc.so.6:getpgid)" -ge 20 ] || fail "functions of new rules are not traced in other threads"
"$KPROBE" verify waits.kpt >verified || fail "waits: $(cat verified)"

# An interpreter that comes later, and not for all.
build embeds app/embeds
pythons | while read -r python; do
    "$python" -c 'import sysconfig, os, sys
path = os.path.join(sysconfig.get_config_var("LIBDIR"), sysconfig.get_config_var("INSTSONAME") or "")
if ".so" in path and os.path.exists(path): print(path, sys.base_prefix)'
done | sort -u >libraries
while read -r library home; do
    # Interpreters of other Debian releases see a file system of their own, whose libraries are not those here.
    [ -e "$library" ] || continue
    program='def later(): return 1
later(); later(); print("ran")'
    PYTHONHOME=$home KPROBE_OUTPUT=file:$PWD/embeds.kpt KPROBE_FILTER='__main__.*' traced app/embeds "$library" "$program"
    expect_status 0 "$library"
    expect_text stdout ran
    expect_entered embeds.kpt __main__.later 2
    rm -f embeds.kpt
done <libraries

[ "$failures" = 0 ]

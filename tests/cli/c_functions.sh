#!/bin/bash
# C functions in traces: places, demangled names and raw values, as each command shows them.
. "$(dirname "$0")/common.sh"
native=$(cd "$OLDPWD" && realpath "$(dirname "$0")/../golden/native.kpt")

run "$KPROBE" replay "$native"
expect_status 0 "replay"
expect_text stdout 'libssl.so.3:SSL_write(rdi="session", rsi="GET / \xff\xfe\n\x1b[31mx", rdx=0x11, rcx=0x0,'
expect_text stdout '} /* libssl.so.3:SSL_write */ = rax=0x11, rdx=0x3'
expect_text stdout 'libshop.so:shop::Cart::total(); ! exception'
expect_text stdout 'builtins.len();'
run "$KPROBE" replay --no-demangle --location "$native"
expect_text stdout 'libshop.so:_ZNK4shop4Cart5totalERKNS_5OrderEi [/usr/lib/golden/libshop.so+0x1100]()'
run "$KPROBE" report "$native"
expect_text stdout 'libshop.so:shop::Cart::total'
expect_text stdout '/usr/lib/golden/libssl.so.3+0x34a50'
run "$KPROBE" report --no-demangle "$native"
expect_text stdout '_ZNK4shop4Cart5totalERKNS_5OrderEi'
run "$KPROBE" tree "$native"
expect_text stdout 'shop::Cart::total'
run "$KPROBE" convert -t collapsed "$native"
expect_text stdout 'app.main;libssl.so.3:SSL_write;libshop.so:shop::Cart::total '
run "$KPROBE" convert -t collapsed --no-demangle "$native"
expect_text stdout 'SSL_write;libshop.so:_ZNK4shop4Cart5totalERKNS_5OrderEi '
run "$KPROBE" verify "$native"
expect_status 0 "verify"

# dump is the anchor: as the trace has it, unless asked.
run "$KPROBE" dump -f '*Cart*' "$native"
expect_text stdout $'unwind\t2\tlibshop.so:_ZNK4shop4Cart5totalERKNS_5OrderEi\t/usr/lib/golden/libshop.so+0x1100'
expect_no_text stdout "values"
run "$KPROBE" dump --demangle -f '*Cart*' "$native"
expect_text stdout $'unwind\t2\tlibshop.so:shop::Cart::total\t/usr/lib/golden/libshop.so+0x1100'
# Values belong to their call, also behind a call that the filter hides.
run "$KPROBE" dump -f '*SSL_*' "$native"
[ "$(grep -c $'\tvalues\t2\t' stdout)" = 12 ] || fail "values: $(cat stdout)"
expect_text stdout $'values\t2\trax=0x11 rdx=0x3\t'
expect_text stdout $'values\t2\ttext1=202f20fffe0a1b5b33316d7800000000\t'

if command -v python3 >/dev/null; then
    "$KPROBE" convert -t chrome -o chrome.json "$native"
    python3 - <<'EOF' || fail "chrome: $(cat chrome.json)"
import json
slices = {e["name"]: e for e in json.load(open("chrome.json"))["traceEvents"] if e["ph"] == "X"}
write = slices["libssl.so.3:SSL_write"]["args"]
assert write["arguments"]["rdx"] == "0x11" and write["arguments"]["rdi"] == '"session"', write
assert write["result"] == "rax=0x11, rdx=0x3"
assert "arguments" not in slices["builtins.len"]["args"] and slices["libshop.so:shop::Cart::total"]["args"]["end"] == "unwind"
EOF
fi
finish

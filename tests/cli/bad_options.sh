#!/bin/bash
# Wrong options in the environment: one clear line, and the program as if nothing had been there.
. "$(dirname "$0")/common.sh"
need_plain_shim
python=$(command -v /usr/bin/python3) || skip "no /usr/bin/python3"
cat >app.py <<'END'
import sys
def f(): print("out", flush=True); print("err", file=sys.stderr)
f()
sys.exit(7)
END

# refused VARIABLE VALUE TEXT...: tracing is off, one line names variable, value and what is allowed
refused() {
    local variable=$1 value=$2
    shift 2
    traced "$variable=$value" "$python" app.py
    expect_status 7 "$variable=$value"
    [ "$(cat stdout)" = out ] || fail "$variable=$value: output $(cat stdout)"
    [ "$(grep -c ^kprobe: stderr)" = 1 ] && [ "$(grep -vc ^kprobe: stderr)" = 1 ] || fail "$variable=$value: $(cat stderr)"
    for text in "$variable" "$@"; do expect_text stderr "$text"; done
    [ -z "$(ls ./*.kpt 2>/dev/null)" ] || fail "$variable=$value: a trace all the same"
}
refused KPROBE_BUFFER 1X "'1X'" "64K to 16M"
refused KPROBE_BUFFER 17M "64K to 16M"
refused KPROBE_BUFFER 99999999999999999999 "64K to 16M"
refused KPROBE_BUFFER -1 "64K to 16M"
refused KPROBE_ENGINE turbo "'turbo'" "monitoring"
refused KPROBE_CLOCK sundial "'sundial'" "tsc"
refused KPROBE_ON_FULL explode "drop or block"
refused KPROBE_COMPRESS zstd:99 "zstd:99" "1 to 19"
refused KPROBE_COMPRESS lzma "lzma"
refused KPROBE_CHILDREN eat "follow or ignore"
refused KPROBE_LOG loud "'loud'"
refused KPROBE_ENABLED maybe "'maybe'" "0 or 1"
refused KPROBE_OUTPUT "gopher://x" "gopher" "file:PATH"
refused KPROBE_OUTPUT "file:%q.kpt" "%q"
refused KPROBE_OUTPUT "file:" "file:PATH"
refused KPROBE_FILTER "+a,re:(" "re:("
refused KPROBE_FILTER "[a" "[a"
refused KPROBE_FILTER_FILE "$work/none" "No such file"
refused KPROBE_FILTER_FILE "$work" "Is a directory"
printf '+ok\n-[z\n' >rules
traced KPROBE_FILTER_FILE="$work/rules" "$python" app.py
expect_text stderr "$work/rules, line 2"
[ -z "$(ls ./*.kpt 2>/dev/null)" ] || fail "a wrong rule in a file: a trace all the same"

# Empty is as good as not given.
KPROBE_BUFFER='' KPROBE_OUTPUT=file:empty.kpt traced "$python" app.py
[ "$(cat stderr)" = err ] && [ -s empty.kpt ] || fail "an empty value: $(cat stderr)"

# Unknown names are told, with the nearest known one, and tracing goes on.
KPROBE_BUFER=1M KPROBE_OUTPUT=file:a.kpt traced "$python" app.py
expect_status 7 "an unknown name"
expect_text stderr "KPROBE_BUFER"
expect_text stderr "KPROBE_BUFFER"
[ -s a.kpt ] || fail "an unknown variable: no trace"

# Switched off: not a word, no file.
KPROBE_ENABLED=0 KPROBE_OUTPUT=file:off.kpt traced "$python" app.py
expect_status 7 "off"
[ "$(cat stderr)" = err ] && [ ! -e off.kpt ] || fail "KPROBE_ENABLED=0: $(cat stderr; ls)"
KPROBE_OUTPUT=null: traced "$python" app.py
[ "$(cat stderr)" = err ] || fail "null sink: $(cat stderr)"

# Messages go where they are told to; standard error stays the program's.
KPROBE_BUFFER=1X KPROBE_LOG_FILE=$work/log traced "$python" app.py
expect_status 7 "a log file"
[ "$(cat stderr)" = err ] || fail "a message in spite of the log file: $(cat stderr)"
expect_text log "KPROBE_BUFFER"
finish

#!/bin/bash
# The reader written from docs/format.md prints what kprobe dump prints, for every golden trace: check.sh
# 77: Python 3 with the module zstandard is not here.
cd "$(dirname "$0")/../golden" || exit 1
for python in ${PYTHON:-/usr/bin/python3 python3}; do
    "$python" -c 'import zstandard' 2>/dev/null && break
    python=
done
[ "$python" ] || exit 77
failed=0
for trace in *.kpt; do
    "$python" ../format/read_trace.py "$trace" 2>/dev/null | diff -u "${trace%.kpt}.dump" - || failed=1
    status=$(tail -1 "${trace%.kpt}.messages")
    "$python" ../format/read_trace.py "$trace" >/dev/null 2>&1
    [ "exit $?" = "$status" ] || { echo "$trace: other exit status than: $status"; failed=1; }
done
exit $failed

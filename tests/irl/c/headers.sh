#!/bin/bash
# All generated headers together compile as C and as C++ without a warning, in any order and on their own, and so do the
# initialisers of all records.
#   headers.sh C-COMPILER FOLDER...
set -eu
compiler=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0
{
    for folder; do
        find "$folder" -name '*.h' | sort -r | sed 's/.*/#include "&"/'
    done
    for folder; do
        # typedef names, and the macros that initialise them
        grep -rhoE '^} [a-z0-9_]+;|^#define [A-Z0-9_]+_INIT ' --include='*.h' "$folder" |
            sed -nE '/^\}/{s/^\} (.*);/\1/;h};/^#define/{s/^#define (.*) /\1/;G;s/(.*)\n(.*)/extern "C" \2 of_\2; \2 of_\2 = \1;/p}'
    done
} >"$work/all.cc"
sed 's/extern "C" /extern /' "$work/all.cc" >"$work/all.c"
grep -q 'SCALARS_INIT' "$work/all.c" || { echo "FAIL: no initialisers found" >&2; exit 1; }
try() {
    "$@" -Wall -Wextra -Wmissing-field-initializers -pedantic -Werror -c -o "$work/all.o" 2>"$work/log" || {
        echo "FAIL: $*" >&2
        head -20 "$work/log" >&2
        failures=1
    }
}
for standard in c99 c11 gnu17; do
    try "$compiler" -std=$standard "$work/all.c"
done
for folder; do
    find "$folder" -name '*.h'
done >"$work/list"
while read -r header; do
    try "$compiler" -std=c99 -fsyntax-only -x c "$header"
done <"$work/list"
command -v c++ >/dev/null || { echo "skipped: there is no C++ compiler" && exit $((failures ? 1 : 77)); }
for standard in c++11 c++17 c++20; do
    try c++ -std=$standard "$work/all.cc"
done
exit $failures

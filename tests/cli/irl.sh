#!/usr/bin/env bash
# kprobe irl: options, what is written where, what is refused.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

cat >shop.irl <<'END'
package shop.records

import kieker.common.record.flow.trace.operation.BeforeOperationEvent

@author "Shop" @since "2.1"
event BeforeOrderEvent extends BeforeOperationEvent {
    int orderId = 7
    string[] items
}
enum Payment { CASH, CARD = 5 }
event PaidEvent { Payment kind double amount }
abstract event Kept { long at }
END

run "$KPROBE" irl --check shop.irl
expect_status 0 "--check"
expect_empty stdout
expect_empty stderr

run "$KPROBE" irl --list shop.irl
expect_status 0 "--list"
grep -qE '^shop\.records\.BeforeOrderEvent -?[0-9]+ 36 timestamp:J traceId:J orderIndex:I operationSignature:S classSignature:S orderId:I items:S\[\]$' stdout ||
    fail "--list: $(cat stdout)"
grep -qE '^shop\.records\.PaidEvent -?[0-9]+ 12 kind:E amount:D$' stdout || fail "--list: $(cat stdout)"
grep -qE '^shop\.records\.Kept -?[0-9]+ - at:J$' stdout || fail "--list: $(cat stdout)"

run "$KPROBE" irl --dump-model shop.irl
expect_status 0 "--dump-model"
[ "$(jq -r '.files[0].declarations[] | select(.name == "shop.records.BeforeOrderEvent") | .extends' stdout)" = \
    kieker.common.record.flow.trace.operation.BeforeOperationEvent ] || fail "--dump-model: $(cat stdout)"
[ "$(jq -c '[.files[0].declarations[] | select(.kind == "enum") | .literals[] | [.name, .value, .ordinal]]' stdout)" = \
    '[["CASH",0,0],["CARD",5,1]]' ] || fail "--dump-model: $(cat stdout)"

run "$KPROBE" irl --kdb-map shop.irl
expect_text stdout "32=shop.records.BeforeOrderEvent"
expect_text stdout "33=shop.records.PaidEvent"
expect_no_text stdout Kept
run "$KPROBE" irl --dot shop.irl
expect_text stdout '"shop.records.BeforeOrderEvent" -> "kieker.common.record.flow.trace.operation.BeforeOperationEvent"'

# Standard input is a model as well.
run "$KPROBE" irl --list - <shop.irl
expect_status 0 "standard input"
expect_text stdout shop.records.PaidEvent

# One language: the folder itself. Several: a folder each, or those that were named.
run "$KPROBE" irl --lang java -o one shop.irl
expect_status 0 "java"
for file in BeforeOrderEvent BeforeOrderEventFactory PaidEvent PaidEventFactory Payment Kept; do
    [ -f "one/shop/records/$file.java" ] || fail "$file.java is missing: $(find one)"
done
[ ! -e one/shop/records/KeptFactory.java ] || fail "a factory of an abstract record"
[ -z "$(find one -path '*kieker/*')" ] || fail "code for models that are known only: $(find one)"
run "$KPROBE" irl --lang c,java,perl,python -o all shop.irl
expect_status 0 "all languages"
for file in c/shop/records/before_order_event.c c/shop/records/before_order_event.h java/shop/records/PaidEvent.java \
    perl/shop/records/PaidEvent.pm python/shop/records/PaidEvent.py; do
    [ -f "all/$file" ] || fail "$file is missing: $(find all)"
done
diff -r one all/java >differences || fail "the place makes a difference: $(cat differences)"
run "$KPROBE" irl -l perl -l python -o pl -o py shop.irl
[ -f pl/shop/records/PaidEvent.pm ] && [ -f py/shop/records/PaidEvent.py ] || fail "folders in order: $(find pl py)"
run "$KPROBE" irl --lang c,java,perl,python -o again shop.irl
diff -r all again >differences || fail "a second run makes something else: $(cat differences)"

# Models that are referred to, not compiled.
mkdir models
printf 'package more\nimport shop.records.*\nevent Refund extends PaidEvent { string reason }\n' >refund.irl
cp shop.irl models
run "$KPROBE" irl --lang python -o refund -I models refund.irl
expect_status 0 "-I"
[ -f refund/more/Refund.py ] && [ ! -e refund/shop/records/PaidEvent.py ] || fail "-I: $(find refund)"

# Kieker's own models may be given as well: what is made of them is there, or comes along.
mkdir kieker
printf 'package kieker.common.record.flow.trace\nabstract event AbstractTraceEvent { long traceId }\n' >kieker/Trace.irl
printf 'package more\nimport kieker.common.record.flow.trace.*\nevent Own extends AbstractTraceEvent { int a }\n' >own.irl
run "$KPROBE" irl --lang python -o own -I kieker own.irl
expect_status 0 "-I with Kieker's models"
PYTHONPATH=own python3 -c 'from more.Own import Own; assert Own.VALUE_NAMES == ("traceId", "a")' || fail "-I with Kieker's models"

# A folder without models, wherever it stands; a folder given twice has some.
mkdir without
for order in "without shop.irl" "shop.irl without"; do
    # shellcheck disable=SC2086
    run "$KPROBE" irl --check $order
    expect_status 1 "$order"
    expect_text stderr "no file *.irl"
done
run "$KPROBE" irl --check models models models/shop.irl
expect_status 0 "one folder twice"

# For make and ninja.
run "$KPROBE" irl --lang java -o one -I models -MD refund.irl
expect_status 0 "-MD"
expect_text one/irl.d "one/more/Refund.java"
expect_text one/irl.d "models/shop.irl"
printf 'include one/irl.d\none/more/Refund.java:\n\t@echo made\n' >Makefile
touch -d '1 minute ago' models/shop.irl refund.irl
touch -d '30 seconds ago' one/more/*
[ "$(make one/more/Refund.java 2>&1)" != made ] || fail "made without need"
touch models/shop.irl
[ "$(make one/more/Refund.java 2>&1)" = made ] || fail "not made again when a model changed"

# What is wrong is shown with its place; nothing is written.
sed 's/double amount/duoble amount/; s/: Payment//; s/ extends BeforeOperationEvent/ extends BeforeOperationEven/' shop.irl >wrong.irl
run "$KPROBE" irl --lang java -o wrong wrong.irl
expect_status 1 "errors"
expect_text stderr "wrong.irl:11:32: error:"
expect_text stderr "did you mean 'double'?"
expect_text stderr "[IRL010]"
expect_text stderr "wrong.irl:6:32: error:"
expect_text stderr "did you mean 'BeforeOperationEvent'?"
grep -qE '^ +\^~* *$|\| +\^~*$' stderr || fail "no caret: $(cat stderr)"
[ ! -e wrong ] || fail "files in spite of errors"
run "$KPROBE" irl --check wrong.irl absent.irl
expect_status 1 "a file that is not there"
expect_text stderr "absent.irl: error: No such file or directory"
printf 'package p\nimport no.such.thing\nevent E { int a }\n' >warned.irl
run "$KPROBE" irl --check warned.irl
expect_status 0 "a warning"
expect_text stderr "warned.irl:2:8: warning:"
run "$KPROBE" irl --check --werror warned.irl
expect_status 1 "--werror"

# A text for the head of each file, whatever stands in it.
printf 'Copyright THIS-YEAR "the" */ shop, =cut\nsecond line \\u000a ?\?/' >head.txt
export SOURCE_DATE_EPOCH=1000000000
run "$KPROBE" irl --lang c,java,perl,python -o headed --header head.txt shop.irl
unset SOURCE_DATE_EPOCH
expect_status 0 "--header"
for file in c/shop/records/paid_event.h java/shop/records/PaidEvent.java perl/shop/records/PaidEvent.pm python/shop/records/PaidEvent.py; do
    expect_text "headed/$file" "Copyright 2001"
    expect_text "headed/$file" "second line"
done
for file in headed/c/shop/records/*.c; do
    "${CC:-cc}" -Wall -Wextra -Werror -fsyntax-only "$file" >&2 || fail "$file does not compile"
done
perl -c -Iheaded/perl headed/perl/shop/records/PaidEvent.pm >&2 || fail "PaidEvent.pm does not compile"
python3 -c 'import sys; sys.path.insert(0, "headed/python"); import shop.records.PaidEvent' || fail "PaidEvent.py does not run"

# Names that only one language cannot have beside each other are refused for that one.
printf 'package p\nevent E { int aB int a_b string URL }\n' >names.irl
run "$KPROBE" irl --lang c,perl -o names names.irl
expect_status 0 "names for C and Perl"
run "$KPROBE" irl --lang python -o names names.irl
expect_status 1 "names for Python"
expect_text stderr "'a_b' twice"
expect_no_text stderr "'URL' twice"
run "$KPROBE" irl --check names.irl
expect_status 1 "names for all"
expect_text stderr "'URL' twice"

# Usage.
usage() { # usage TEXT ARGUMENTS...
    local text=$1
    shift
    run "$KPROBE" irl "$@"
    expect_status 2 "$*"
    expect_text stderr "$text"
}
usage "say what to make" shop.irl
usage "no model is named" --check
usage "'cobol'" --lang cobol -o x shop.irl
usage "c, java, perl and python" --lang cobol -o x shop.irl
usage "named twice" --lang c,c -o x shop.irl
usage "--output is missing" --lang c shop.irl
usage "--lang is missing" -o x --list shop.irl
usage "exclude each other" --check --list shop.irl
usage "2 folders for 3 languages" --lang c,java,perl -o a -o b shop.irl
usage "--index ../all" --lang c -o x --index ../all shop.irl
usage "--index 2nd" --lang c -o x --index 2nd shop.irl
usage "--index " --lang c -o x --index "" shop.irl
touch occupied
run "$KPROBE" irl --lang java -o occupied shop.irl
expect_status 1 "a folder that is a file"
expect_text stderr occupied

# Ten thousand records in less than a second; the machine may be busy, so the best of three counts.
python3 - >large.irl <<'END'
print("package large")
print("template Where { string host int thread }")
for i in range(10000):
    parent = " extends R%d" % (i - i % 7) if i % 7 else ""
    own = " ".join("%s f%d_%d" % (t, i, k) for k, t in enumerate(["int", "long", "string", "double[3]", "string[]", "boolean"]))
    print("event R%d%s%s { %s }" % (i, parent, "" if parent else " : Where", own))
END
best=999999999
for _ in 1 2 3; do
    begin=$(date +%s%N)
    "$KPROBE" irl --check large.irl || fail "large.irl"
    took=$(($(date +%s%N) - begin))
    [ "$took" -ge "$best" ] || best=$took
done
[ "$best" -lt 1000000000 ] || fail "10 000 records took $((best / 1000000)) ms"

[ "$failures" = 0 ]

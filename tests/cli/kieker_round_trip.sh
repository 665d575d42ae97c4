#!/usr/bin/env bash
# A traced program, its Kieker log, and what is read of that: the same calls at the same times.
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"
need_plain_shim

python=$(pythons | head -n 1)
[ -n "$python" ] || skip "no interpreter that can be traced"
cat >program.py <<'END'
import asyncio
import threading


class Cart:
    def total(self):
        return sum(self.price(item) for item in range(5))

    def price(self, item):
        try:
            if item == 3:
                self.fail()
        except KeyError:
            pass
        return (lambda value: value + 1)(item)

    def fail(self):
        raise KeyError("message")


def numbers():
    yield from range(3)


def work():
    for _ in range(20):
        Cart().total()
    list(numbers())


async def pause():
    await asyncio.sleep(0)


async def tasks():
    await asyncio.gather(pause(), pause(), pause())


threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
work()
for thread in threads:
    thread.join()
asyncio.run(tasks())
END
run env LD_PRELOAD="$SHIM" KPROBE_OUTPUT=file:original.kpt KPROBE_FILTER='+__main__.*' "$python" program.py
expect_status 0 "the program"
"$KPROBE" convert -t kieker -o text original.kpt || fail "text log"
"$KPROBE" convert -t kieker-binary --compress gz -o binary original.kpt || fail "binary log"
"$KPROBE" convert -t kieker --records executions -o executions original.kpt || fail "log of executions"
for log in text binary executions; do
    run "$KPROBE" verify "$log"
    expect_status 0 "verify $log"
    "$KPROBE" dump "$log" >"$log.dump" || fail "dump $log"
done
"$KPROBE" dump original.kpt >original.dump || fail "dump"

# Generators are calls from one suspension to the next. Coroutines are not compared: a log has them as traces of their own.
python3 - <<'END' || fail "the log is not what was traced"
import sys

KINDS = {"resume": "enter", "yield": "exit"}


def read(path, keep):
    """(time, name, depth, thread, kind) of every call's begin and end."""
    rows = []
    for line in open(path, encoding="utf-8"):
        time, _, tid, kind, depth, name = line.rstrip("\n").split("\t")[:6]
        kind = KINDS.get(kind, kind)
        if kind in ("enter", "exit", "unwind") and name not in ("__main__.pause", "__main__.tasks"):
            rows.append((int(time), name) + keep(depth, tid, kind))
    return sorted(rows)


def all_of(depth, tid, kind):
    return depth, tid, kind


def place(depth, tid, kind):
    """An execution knows neither its thread nor how it ended."""
    return depth, kind.replace("unwind", "exit")


good = True
for log, keep in ("text", all_of), ("binary", all_of), ("executions", place):
    original, imported = read("original.dump", keep), read(log + ".dump", keep)
    if original != imported or len(original) < 1000:
        good = False
        print(log, len(original), len(imported), sorted(set(original) ^ set(imported))[:6])
sys.exit(not good)
END
python3 - <<'END' || fail "coroutines"
import collections
import sys
counts = collections.Counter()
for line in open("text.dump", encoding="utf-8"):
    fields = line.split("\t")
    if fields[3] == "enter":
        counts[fields[5]] += 1
sys.exit(counts["__main__.pause"] < 3 or counts["__main__.tasks"] < 1)
END
expect_text text.dump "unwind	"
finish

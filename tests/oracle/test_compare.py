"""The comparison itself: whatever is changed in a recording must be found."""
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import compare  # noqa: E402


def event(kind, name, line=1, depth=0):
    return compare.Event(kind, "p.py:%d" % line, name, "m." + name, depth, "0")


def expected(thread):
    return [e._replace(full=(e.full,)) for e in thread]


THREAD = [event("enter", "f"), event("enter", "g", 2, 1), event("unwind", "g", 2, 1), event("exit", "f")]
OTHER = [event("enter", "h", 3), event("exit", "h", 3)]


def threads_differ(want, got, **options):
    problems = compare.Problems()
    compare.compare_threads([expected(thread) for thread in want], got, problems, **options)
    return bool(problems.lines)


def nesting_differs(raw):
    problems = compare.Problems()
    compare.check_nesting("1", raw, problems)
    return bool(problems.lines)


class Comparison(unittest.TestCase):
    def test_equal_threads_in_any_order(self):
        self.assertFalse(threads_differ([THREAD, OTHER], [OTHER, THREAD]))

    def test_every_lost_doubled_or_changed_event(self):
        for at, was in enumerate(THREAD):
            kind = "exit" if was.kind != "exit" else "unwind"
            for new in ([], [was, was], [was._replace(kind=kind)], [was._replace(where="p.py:9")],
                        [was._replace(name="x")], [was._replace(full="other.f")]):
                changed = THREAD[:at] + new + THREAD[at + 1:]
                self.assertTrue(threads_differ([THREAD, OTHER], [changed, OTHER]), changed)

    def test_missing_and_surplus_threads(self):
        self.assertTrue(threads_differ([THREAD, OTHER], [THREAD]))
        self.assertTrue(threads_differ([THREAD], [THREAD, THREAD]))
        self.assertTrue(threads_differ([THREAD], []))

    def test_threads_that_the_oracle_cannot_see(self):
        unseen = compare.unseen_threads({"thread-before-3.12": ["enter h, exit h"]})
        self.assertFalse(threads_differ([THREAD], [THREAD, OTHER], unseen=unseen))
        self.assertTrue(threads_differ([THREAD], [THREAD], unseen=unseen))

    def test_nesting(self):
        good = [("enter", 0, "f", "p:1", "1"), ("enter", 1, "g", "p:2", "2"), ("exit", 1, "g", "p:2", "3"),
                ("exit", 0, "f", "p:1", "4")]
        self.assertFalse(nesting_differs(good))
        self.assertTrue(nesting_differs([good[0], good[2]]))
        self.assertTrue(nesting_differs([good[0], good[1], good[3]]))
        self.assertTrue(nesting_differs([good[0], good[1][:1] + (2,) + good[1][2:]]))
        self.assertTrue(nesting_differs([good[0][:4] + ("5",), good[1]]))
        self.assertTrue(nesting_differs([good[0], ("lost", 0, "f", "p:1", "2")]))

    def test_exceptions(self):
        def with_exception(text):
            return [e._replace(exception=text) if e.kind == "unwind" else e for e in THREAD]

        for right in (("builtins.KeyError",), ("builtins.KeyError", "m.Other")):
            want = [with_exception(right)]
            self.assertFalse(threads_differ(want, [with_exception("builtins.KeyError")], exceptions=True))
            self.assertTrue(threads_differ(want, [with_exception("builtins.OSError")], exceptions=True))
            self.assertTrue(threads_differ(want, [with_exception("")], exceptions=True))

    def test_exceptions_are_those_of_the_next_unwind(self):
        raw = [("enter", 0, "f", "p:1", "1"), ("values", 1, "exception=m.E", "", "2"), ("unwind", 0, "f", "p:1", "2")]
        self.assertEqual(compare.with_exceptions(raw), ([raw[0], raw[2]], ["", "m.E"]))
        self.assertFalse(nesting_differs(raw))
        self.assertTrue(nesting_differs(raw[:2]))
        self.assertTrue(nesting_differs(raw[:2] + [("exit",) + raw[2][1:]]))

    def test_output(self):
        plain = compare.Run(0, b"a", b"")
        for other in (compare.Run(1, b"a", b""), compare.Run(0, b"b", b""), compare.Run(0, b"a", b"c")):
            problems = compare.Problems()
            compare.compare_output(plain, other, problems, "traced")
            self.assertTrue(problems.lines)

    def test_generators_that_are_only_closed(self):
        closing = [event("resume", "g", 2, 1)._replace(closes=True), event("unwind", "g", 2, 1)]
        self.assertEqual(compare.without_closing(THREAD[:1] + closing + THREAD[1:]), THREAD)
        self.assertEqual(compare.without_closing(THREAD), THREAD)


if __name__ == "__main__":
    unittest.main()

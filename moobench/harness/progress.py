"""What the user sees meanwhile: on a terminal one line that changes, else a line for each finished group of runs."""
import shutil
import sys
import time


def duration(seconds):
    seconds = int(round(seconds))
    if seconds < 60:
        return "%d s" % seconds
    if seconds < 3600:
        return "%d min %02d s" % divmod(seconds, 60)
    return "%d h %02d min" % divmod(seconds // 60, 60)


class Progress:
    """`left_s` is what the plan expects of the runs not done; it is corrected by how long runs really take."""

    def __init__(self, out=sys.stderr):
        self._out, self._live = out, out.isatty()
        self._start, self._shown = time.monotonic(), 0
        self.total = self.done = 0
        self._left_s = self._expected_done_s = self._spent_s = 0.0

    def plan(self, total, left_s):
        """So many runs are to come, and take so long."""
        self.total, self.done, self._left_s = total, 0, left_s
        self._expected_done_s = self._spent_s = 0.0

    def left_s(self):
        # Runs of the beginning say how well the plan expected; a plan that has just begun is trusted.
        faith = 10.0
        return self._left_s * (self._spent_s + faith) / (self._expected_done_s + faith)

    def elapsed_s(self):
        return time.monotonic() - self._start

    def now(self, what):
        if self._live:
            left = " · %s left" % duration(self.left_s()) if self.total else ""
            count = "%d/%d " % (self.done, self.total) if self.total else ""
            self._line("%s%s · %s%s" % (count, what, duration(self.elapsed_s()), left))

    def finished(self, expected_s, spent_s):
        self.done += 1
        self._left_s = max(self._left_s - expected_s, 0.0)
        self._expected_done_s += expected_s
        self._spent_s += spent_s

    def skipped(self, expected_s):
        """One that will not be run after all."""
        self.total -= 1
        self._left_s = max(self._left_s - expected_s, 0.0)

    def group(self, what):
        """A group is finished."""
        if not self._live:
            self.say("%s: %d of %d runs done, %s left" % (what, self.done, self.total, duration(self.left_s())))

    def say(self, text):
        """A line that stays."""
        self._line("")
        print(text, file=self._out, flush=True)

    def _line(self, text):
        if not self._live:
            return
        text = text[:shutil.get_terminal_size().columns - 1]
        print("\r" + text + " " * (self._shown - len(text)) + ("\r" if not text else ""), end="", file=self._out, flush=True)
        self._shown = len(text)

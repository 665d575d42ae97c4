"""Expressions: compiled anew (the compiler is Python), matched, and substituted by a function."""
import re

PATTERNS = [r"(?P<key>\w+)\s*=\s*(?P<value>[^;]+);?", r"\b(\d{1,3}\.){3}\d{1,3}\b", r"<(/?)([a-z]+)([^>]*)>",
            r"(?i)error|warn(ing)?|fatal"]
TEXT = "name = moo; host=10.0.3.17; <p class='x'>No error, a Warning</p> level=3; from 192.168.1.254 to <b>all</b> "


def shout(match):
    return match.group(0).upper()


def regex(loops):
    seen = 0
    for number in range(loops):
        re.purge()
        for pattern in PATTERNS:
            compiled = re.compile(pattern)
            for line in (TEXT, TEXT * 2, "%d %s" % (number % 10, TEXT)):
                seen += len(compiled.sub(shout, line))
                seen += sum(match.end() - match.start() for match in compiled.finditer(line))
        seen += len(re.split(r"[;<> ]+", TEXT))
    return seen

"""Processes that follow one another: a program runs others, which are traced with connections of their own."""
import subprocess
import sys
import textwrap

CHILD = """
    import argparse, fractions, sys
    def harmonic(count):
        return sum((fractions.Fraction(1, one) for one in range(1, count + 1)), fractions.Fraction())
    parser = argparse.ArgumentParser()
    parser.add_argument("count", type=int)
    print(harmonic(parser.parse_args().count))
"""


def run(count):
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(CHILD), str(count)], stdout=subprocess.PIPE, check=True)
    return done.stdout.decode().strip()


print(" ".join(run(count) for count in (2, 3, 20)))

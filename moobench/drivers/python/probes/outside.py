"""Something outside of the program monitors all the time."""
import time

import probes


class Probe(probes.Probe):
    def finish(self):
        # What writes in the background may be behind.
        time.sleep(0.2)

"""Starts the recorder in every interpreter that runs with this folder in PYTHONPATH, before the program."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
try:
    import recorder
finally:
    del sys.path[0]
recorder.start()

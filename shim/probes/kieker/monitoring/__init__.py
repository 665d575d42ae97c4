"""The API of Kieker's Python pack on top of kprobe: put this folder on PYTHONPATH instead of the pack.

Under kprobe the pack's probes go into the trace; without it they do nothing. No file is written and no connection made
here: where the trace goes is up to kprobe (KPROBE_OUTPUT, also kieker-tcp: and kieker-text:).
"""

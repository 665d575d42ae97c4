"""A program under Kieker's Python pack, as PyPI has it: `python_pack.py CONFIGURATION instrument|decorate`.

Prints how often each function was called.
"""
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "programs"))
import accounts  # noqa: E402
from kieker_pack import controller_module  # noqa: E402


def weave(way):
    from tools.aspect import decorate_members, instrument
    if way == "decorate":  # what the pack does after an import
        decorate_members(accounts)
        return
    account = accounts.Account  # and before one
    account.__init__, account.pay = instrument(account.__init__), instrument(account.pay)
    account.interest = staticmethod(instrument(account.interest))
    accounts.month, accounts.year = instrument(accounts.month), instrument(accounts.year)


def main():
    controller_module().MonitoringController(sys.argv[1])
    weave(sys.argv[2])
    threads = [threading.Thread(target=accounts.year, args=("owner %d" % number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    accounts.year("öwner")
    for name, count in sorted(accounts.counts.items()):
        print(name, count)


main()

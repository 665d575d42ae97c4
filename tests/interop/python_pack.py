"""A program under Kieker's Python pack, as PyPI has it: `python_pack.py CONFIGURATION instrument|decorate`.

Prints how often each function was called.
"""
import importlib.util
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "programs"))
import accounts  # noqa: E402


def controller_module():
    """The module imports a name from itself that it does not define: without it, the pack of 0.0.2 cannot be imported at all."""
    from monitoring.writer_controller import WriterController
    spec = importlib.util.find_spec("monitoring.controller")
    module = importlib.util.module_from_spec(spec)
    module.WriterController = WriterController
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


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

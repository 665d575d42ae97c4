"""fork in a second thread while the first waits; the child has only the forking thread."""
import os
import threading
import warnings

warnings.simplefilter("ignore")


def leaf():
    return None


def forks(out):
    pid = os.fork()
    if not pid:
        leaf()
        os._exit(5)
    out.append(os.waitpid(pid, 0)[1] >> 8)
    leaf()


out = []
thread = threading.Thread(target=forks, args=(out,))
thread.start()
thread.join()
print(out)

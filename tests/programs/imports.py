"""Modules and packages made in a temporary folder: import, relative import, reload, a failing import."""
import importlib
import os
import shutil
import sys
import tempfile

FILES = {
    "pack/__init__.py": "from .inner import value\n\ndef top():\n    return value()\n",
    "pack/inner.py": "def value():\n    return 1\n\nclass Inner:\n    x = value()\n",
    "pack/same.py": "def run():\n    return 1\n",
    "other/same.py": "def run():\n    return 2\n",
    "broken.py": "def helper():\n    raise ValueError\nhelper()\n",
    "lazy.py": "def __getattr__(name):\n    return name\n",
}


def write(folder):
    for name, text in FILES.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)


folder = tempfile.mkdtemp(prefix="kprobe-corpus-")
try:
    write(folder)
    sys.path.insert(0, folder)
    import pack

    print(pack.top(), importlib.reload(pack).top())
    import pack.same
    import other.same

    print(pack.same.run(), other.same.run())
    try:
        import broken
    except ValueError:
        print("broken")
    import lazy

    print(lazy.anything)
finally:
    shutil.rmtree(folder)

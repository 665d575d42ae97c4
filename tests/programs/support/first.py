"""See same_names.py."""


def run():
    return "first"

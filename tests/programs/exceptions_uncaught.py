"""An exception that ends the program from several frames down: status 1, traceback."""


def first():
    second()


def second():
    {}["missing"]


first()

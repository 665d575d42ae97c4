"""What a run of pytest is about: fixtures, parameters, tests that pass, fail, are skipped and raise."""
import pytest


class Stack:
    def __init__(self):
        self.items = []

    def push(self, item):
        self.items.append(item)

    def pop(self):
        return self.items.pop()


@pytest.fixture
def stack():
    made = Stack()
    yield made
    made.items.clear()


@pytest.mark.parametrize("count", range(5))
def test_push(stack, count):
    for item in range(count):
        stack.push(item)
    assert len(stack.items) == count


def test_pop_of_nothing(stack):
    with pytest.raises(IndexError):
        stack.pop()


@pytest.mark.skip(reason="so that one is")
def test_skipped():
    raise AssertionError


@pytest.mark.xfail(strict=True)
def test_fails(stack):
    stack.push(1)
    assert stack.pop() == 2

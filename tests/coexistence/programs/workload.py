"""What the tools are pointed at: calls of every kind, the same at every run. Imported, so that all programs name it alike."""
import asyncio


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


class Account:
    def __init__(self, balance):
        self.balance = balance

    @property
    def rounded(self):
        return round(self.balance)

    def withdraw(self, amount):
        if amount > self.balance:
            raise ValueError("too much")
        self.balance -= amount
        return self.balance


def withdrawals(account):
    failed = 0
    for amount in (10, 500, 20):
        try:
            account.withdraw(amount)
        except ValueError:
            failed += 1
        finally:
            account.rounded
    return failed


def squares(n):
    for i in range(n):
        yield i * i


def delegate(n):
    try:
        yield from squares(n)
    finally:
        fibonacci(2)


def deep_error(n):
    if n == 0:
        raise KeyError("deep")
    deep_error(n - 1)


def catch():
    try:
        deep_error(5)
    except KeyError as error:
        return str(error)


async def step(n):
    await asyncio.sleep(0)
    return n


async def tasks():
    return sum(await asyncio.gather(*[step(n) for n in range(4)]))


def main():
    first = [n for n in delegate(5)]
    closed = delegate(9)
    next(closed)
    closed.close()
    return (fibonacci(7), withdrawals(Account(100)), first, catch(), asyncio.run(tasks()),
            sorted([3, 1, 2], key=lambda n: -n), list(map(lambda n: n + 1, first)))

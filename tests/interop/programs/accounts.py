"""What the Python pack is put around: methods, a static method, exceptions. Counts the calls of each function."""
from collections import Counter

counts = Counter()


class Account:
    def __init__(self, owner):
        counts["__init__"] += 1
        self.owner, self.balance = owner, 0

    def pay(self, amount):
        counts["pay"] += 1
        if amount < 0:
            raise ValueError("größer als 0 €, %s" % self.owner)
        self.balance += amount

    @staticmethod
    def interest(amount):
        counts["interest"] += 1
        return amount // 10


def month(account):
    counts["month"] += 1
    account.pay(account.interest(100))
    try:
        account.pay(-1)
    except ValueError:
        return account.balance
    return None


def year(owner):
    counts["year"] += 1
    account = Account(owner)
    return [month(account) for _ in range(12)]

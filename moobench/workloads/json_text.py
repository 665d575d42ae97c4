"""Documents to text and back, with hooks, indented (which is the encoder in Python) and compact (the one in C)."""
import datetime
import json


class Order:
    def __init__(self, number):
        self.number = number
        self.day = datetime.date(2024, 1, 1 + number % 28)
        self.lines = [{"article": "a%d" % line, "count": line, "price": line * 1.25, "gift": None} for line in range(5)]


def plain(thing):
    if isinstance(thing, Order):
        return {"number": thing.number, "day": thing.day, "lines": thing.lines, "open": True}
    if isinstance(thing, datetime.date):
        return thing.isoformat()
    raise TypeError(thing)


def revived(fields):
    if "article" in fields:
        fields["sum"] = fields["count"] * fields["price"]
    return fields


def json_text(loops):
    seen = 0
    for number in range(loops):
        orders = {"orders": [Order(number + more) for more in range(3)]}
        indented = json.dumps(orders, default=plain, indent=2, sort_keys=True)
        compact = json.dumps(orders, default=plain)
        seen += len(indented) + len(compact)
        seen += int(sum(line["sum"] for order in json.loads(compact, object_hook=revived)["orders"] for line in order["lines"]))
        seen += len(json.loads(indented)["orders"])
    return seen

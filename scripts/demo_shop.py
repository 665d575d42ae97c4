#!/usr/bin/env python3
"""A small web shop, asked a few hundred things over loopback: the program that scripts/demo traces.

The server is the standard library's, with a thread for every connection; orders live in SQLite; answers are
JSON, XML or HTML. The clients are threads of the same process. It ends by itself after a few seconds.
"""
import argparse
import contextlib
import http.client
import http.server
import json
import random
import sqlite3
import string
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree

PRODUCTS = [
    ("teapot", 1850), ("cup", 420), ("saucer", 310), ("spoon", 150), ("kettle", 3990),
    ("strainer", 275), ("caddy", 990), ("tray", 1200), ("cosy", 640), ("timer", 805),
]


class ShopError(Exception):
    """An answer that is not 200."""

    status = 500


class NotFound(ShopError):
    status = 404


class BadOrder(ShopError):
    status = 422


class Money(int):
    """Cents that know how to show themselves."""

    def __str__(self):
        return f"{self // 100}.{self % 100:02d}"


class Line:
    def __init__(self, product, price, quantity):
        self.product = product
        self.price = Money(price)
        self.quantity = quantity

    @property
    def total(self):
        return Money(self.price * self.quantity)


class Order:
    def __init__(self, customer, lines, number=None):
        self.customer = customer
        self.lines = lines
        self.number = number

    @property
    def total(self):
        return Money(sum(line.total for line in self.lines))

    def check(self):
        if not self.customer:
            raise BadOrder("an order needs a customer")
        for line in self.lines:
            if line.quantity < 1:
                raise BadOrder(f"{line.quantity} of {line.product}: at least 1 is needed")

    @classmethod
    def from_json(cls, text, prices):
        try:
            data = json.loads(text)
            lines = [Line(name, prices[name], int(quantity)) for name, quantity in data["lines"].items()]
        except KeyError as error:
            raise BadOrder(f"unknown product or field {error}") from error
        except ValueError as error:
            raise BadOrder(f"not an order: {error}") from error
        order = cls(data.get("customer", ""), lines)
        order.check()
        return order


class Repository:
    """Orders and products in SQLite, one connection that threads take turns with."""

    def __init__(self):
        self.lock = threading.Lock()
        self.connection = sqlite3.connect(":memory:", check_same_thread=False)
        self.connection.executescript(
            "CREATE TABLE product (name TEXT PRIMARY KEY, price INTEGER NOT NULL);"
            "CREATE TABLE orders (number INTEGER PRIMARY KEY, customer TEXT NOT NULL);"
            "CREATE TABLE line (number INTEGER, product TEXT, quantity INTEGER);"
        )
        self.connection.executemany("INSERT INTO product VALUES (?, ?)", PRODUCTS)

    @contextlib.contextmanager
    def transaction(self):
        with self.lock, self.connection:
            yield self.connection

    def prices(self):
        with self.transaction() as connection:
            return dict(connection.execute("SELECT name, price FROM product"))

    def save(self, order):
        with self.transaction() as connection:
            cursor = connection.execute("INSERT INTO orders (customer) VALUES (?)", (order.customer,))
            order.number = cursor.lastrowid
            rows = [(order.number, line.product, line.quantity) for line in order.lines]
            connection.executemany("INSERT INTO line VALUES (?, ?, ?)", rows)
        return order.number

    def load(self, number):
        with self.transaction() as connection:
            row = connection.execute("SELECT customer FROM orders WHERE number = ?", (number,)).fetchone()
            if row is None:
                raise NotFound(f"no order {number}")
            lines = connection.execute(
                "SELECT product, price, quantity FROM line JOIN product ON name = product WHERE number = ?",
                (number,),
            )
            return Order(row[0], [Line(*values) for values in lines], number)

    def numbers(self):
        with self.transaction() as connection:
            rows = connection.execute("SELECT number FROM orders ORDER BY number DESC LIMIT 20").fetchall()
        for (number,) in rows:
            yield number


PAGE = string.Template("<html><head><title>$title</title></head><body><h1>$title</h1>$body</body></html>")
ROW = string.Template("<tr><td>$product</td><td>$quantity</td><td>$total</td></tr>")


def render_json(order):
    lines = [{"product": line.product, "quantity": line.quantity, "total": str(line.total)} for line in order.lines]
    text = json.dumps({"number": order.number, "customer": order.customer, "total": str(order.total), "lines": lines})
    return "application/json", text


def render_xml(order):
    root = ElementTree.Element("order", number=str(order.number), customer=order.customer)
    for line in order.lines:
        ElementTree.SubElement(root, "line", product=line.product, quantity=str(line.quantity)).text = str(line.total)
    return "text/xml", ElementTree.tostring(root, encoding="unicode")


def table_rows(order):
    for line in order.lines:
        yield ROW.substitute(product=line.product, quantity=line.quantity, total=line.total)


def render_html(order):
    body = "<table>" + "".join(table_rows(order)) + f"</table><p>{order.total}</p>"
    return "text/html", PAGE.substitute(title=f"Order {order.number} of {order.customer}", body=body)


RENDERERS = {"json": render_json, "xml": render_xml, "html": render_html}


class Application:
    """Routes requests to handlers; knows nothing of sockets."""

    def __init__(self, repository):
        self.repository = repository

    def answer(self, method, path, body):
        parts = [part for part in path.split("/") if part]
        try:
            if method == "POST" and parts == ["orders"]:
                return self.create(body)
            if method == "GET" and parts == ["orders"]:
                return self.overview()
            if method == "GET" and len(parts) == 2 and parts[0] == "orders":
                return self.show(parts[1])
            raise NotFound(f"{method} {path}")
        except ShopError as error:
            return error.status, "text/plain", str(error)

    def create(self, body):
        order = Order.from_json(body, self.repository.prices())
        number = self.repository.save(order)
        return 201, "application/json", json.dumps({"number": number})

    def show(self, name):
        number, _, form = name.partition(".")
        if not number.isdigit() or form not in RENDERERS:
            raise NotFound(name)
        return (200, *RENDERERS[form](self.repository.load(int(number))))

    def overview(self):
        totals = {number: str(self.repository.load(number).total) for number in self.repository.numbers()}
        return 200, "application/json", json.dumps(totals)


class Handler(http.server.BaseHTTPRequestHandler):
    application = None
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave in one packet

    def respond(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        status, kind, text = self.application.answer(self.command, self.path, body)
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = respond

    def log_message(self, format, *values):
        pass


class Customer(threading.Thread):
    """Asks the shop, checks the answers, counts them by status."""

    def __init__(self, address, name, requests, until):
        super().__init__(name=name)
        self.address = address
        self.requests = requests
        self.until = until
        self.random = random.Random(name)
        self.counts = {}
        self.mine = []

    def run(self):
        connection = http.client.HTTPConnection(*self.address, timeout=5)
        try:
            for _ in range(self.requests):
                if time.monotonic() > self.until:
                    break
                self.ask(connection)
        finally:
            connection.close()

    def ask(self, connection):
        method, path, body = self.next_request()
        connection.request(method, path, body)
        response = connection.getresponse()
        text = response.read().decode()
        self.counts[response.status] = self.counts.get(response.status, 0) + 1
        if response.status == 201:
            self.mine.append(json.loads(text)["number"])
        elif path.endswith(".xml") and response.status == 200:
            ElementTree.fromstring(text)

    def next_request(self):
        kind = self.random.random()
        if kind < 0.4 or not self.mine:
            return "POST", "/orders", self.wish()
        if kind < 0.5:
            return "GET", "/orders", None
        if kind < 0.55:
            return "GET", f"/orders/{10 ** 6}.json", None
        form = self.random.choice(list(RENDERERS))
        return "GET", f"/orders/{self.random.choice(self.mine)}.{form}", None

    def wish(self):
        names = self.random.sample([name for name, _ in PRODUCTS], 4)
        lines = {name: self.random.randint(0 if self.random.random() < 0.1 else 1, 5) for name in names}
        return json.dumps({"customer": self.name, "lines": lines})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=400, help="requests in all (default: %(default)s)")
    parser.add_argument("--customers", type=int, default=4, help="clients at a time (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=8, help="at most so long (default: %(default)s)")
    options = parser.parse_args()

    Handler.application = Application(Repository())
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, name="server", daemon=True).start()
    until = time.monotonic() + options.seconds
    share = max(1, options.requests // options.customers)
    customers = [Customer(server.server_address, f"customer {n}", share, until) for n in range(options.customers)]
    for customer in customers:
        customer.start()
    for customer in customers:
        customer.join()
    server.shutdown()
    server.server_close()

    counts = {}
    for customer in customers:
        for status, count in customer.counts.items():
            counts[status] = counts.get(status, 0) + count
    text = ", ".join(f"{count} times {status}" for status, count in sorted(counts.items()))
    print(f"{sum(counts.values())} answers: {text}")
    return 0 if counts.get(201) and counts.get(200) and 500 not in counts else 1


if __name__ == "__main__":
    sys.exit(main())

"""Documents read and written with the standard library: JSON in pure Python, SQLite with callbacks, XML, CSV, mail, generators."""
import configparser
import csv
import email.message
import email.parser
import io
import json
import sqlite3
import xml.etree.ElementTree as tree
from xml.dom import minidom


def orders(count):
    for number in range(count):
        yield {"number": number, "customer": "c%d" % (number % 3), "lines": [{"article": "a%d" % line, "pieces": line} for line in range(3)]}


def as_json(documents):
    text = json.dumps(documents, indent=2, sort_keys=True)
    try:
        json.loads(text[:-5])
    except json.JSONDecodeError as error:
        return json.loads(text), error.lineno
    return None


def in_database(documents):
    def tax(pieces):
        return pieces * 19 / 100

    with sqlite3.connect(":memory:") as database:
        database.create_function("tax", 1, tax)
        database.execute("create table line (customer text, article text, pieces int)")
        rows = ((order["customer"], line["article"], line["pieces"]) for order in documents for line in order["lines"])
        database.executemany("insert into line values (?, ?, ?)", rows)
        return database.execute("select customer, sum(pieces), sum(tax(pieces)) from line group by customer").fetchall()


def as_xml(documents):
    root = tree.Element("orders")
    for order in documents:
        element = tree.SubElement(root, "order", number=str(order["number"]))
        for line in order["lines"]:
            tree.SubElement(element, "line", article=line["article"]).text = str(line["pieces"])
    return len(minidom.parseString(tree.tostring(root)).toprettyxml()), sum(int(line.text) for line in root.iter("line"))


def as_tables(rows):
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    config = configparser.ConfigParser()
    config.read_string("[tables]\nrows = %d\n" % len(out.getvalue().splitlines()))
    message = email.message.EmailMessage()
    message["Subject"] = "rows"
    message.set_content(out.getvalue())
    return config["tables"].getint("rows"), email.parser.Parser().parsestr(message.as_string())["Subject"]


def main():
    documents, line = as_json(list(orders(20)))
    rows = in_database(documents)
    print(line, rows[0], as_xml(documents), as_tables(rows))


main()

"""What outputs share: tables whose columns are not fields of a row, and ways to go through rows."""


def grid(header, lines, left=1):
    """Lines of a Markdown table; the first `left` columns are text."""
    yield "| %s |" % " | ".join(header)
    yield "| %s |" % " | ".join(["---"] * left + ["---:"] * (len(header) - left))
    for line in lines:
        yield "| %s |" % " | ".join(str(cell).replace("|", "\\|") for cell in line)


def versions(rows):
    """Of interpreters, oldest first; C has none."""
    return sorted({row.version for row in rows if row.version}, key=lambda text: [int(part) for part in text.split(".")])


def unique(values):
    return list(dict.fromkeys(values))


def unique_rows(rows):
    """Each configuration once."""
    return list({row.name: row for row in rows}.values())

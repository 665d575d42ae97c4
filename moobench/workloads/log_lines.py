"""A logger with children, a filter, two handlers: messages that come out, and messages that do not."""
import io
import logging


class Rare(logging.Filter):
    def filter(self, record):
        return record.levelno >= logging.INFO and record.name == "shop"


def configured(stream):
    root = logging.Logger("shop", logging.INFO)
    detailed = logging.StreamHandler(stream)
    detailed.setFormatter(logging.Formatter("%(levelname)s %(name)s %(funcName)s: %(message)s"))
    alarms = logging.StreamHandler(stream)
    alarms.setLevel(logging.ERROR)
    root.addFilter(Rare())
    root.addHandler(detailed)
    root.addHandler(alarms)
    return root


def log_lines(loops):
    stream = io.StringIO()
    logger = configured(stream)
    seen = 0
    for number in range(loops):
        for item in range(10):
            logger.info("order %d has item %d", number % 10, item)
            logger.debug("not shown %d", item)
        logger.error("order %(order)s failed", {"order": number % 10})
        seen += stream.tell()
        stream.seek(0)
        stream.truncate()
    return seen

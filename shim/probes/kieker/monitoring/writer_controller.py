from configparser import ConfigParser, Error

from monitoring.writer import DummyWriter, FileWriter, TCPWriter


def _mode(parser):
    """Where it stands: [Main] in version 0.0.2, [General] in others."""
    for section in ("Main", "General"):
        if parser.has_option(section, "mode"):
            return parser.get(section, "mode").strip()
    return "text"


class WriterController:
    """Chooses a writer as the pack does. A configuration for one of the pack's destinations means kprobe here."""

    def __init__(self, config, path=None):
        if config is None:
            raise ValueError("Path for configuration file was not provided.")
        parser = ConfigParser()
        try:
            parser.read(config)
            mode = _mode(parser)
            file_path = parser.get("FileWriter", "file_path", fallback=path)
        except Error as error:
            raise ValueError("%s: %s" % (config, error)) from error
        if mode == "tcp":
            self.monitoring_writer = TCPWriter(config)
        elif mode == "text":
            self.monitoring_writer = FileWriter(file_path, [])
        else:
            self.monitoring_writer = DummyWriter()

    def initialize(self):
        pass

    def cleanup(self):
        pass

    def new_monitoring_record(self, record):
        self.monitoring_writer.writeMonitoringRecord(record)

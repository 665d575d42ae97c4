import logging
from abc import ABC, abstractmethod

from monitoring.util import TimeStamp
from monitoring.writer import DummyWriter, FileWriter, TCPWriter, put_record
from monitoring.writer_controller import WriterController

__all__ = [
    "AbstractController", "DummyWriter", "FileWriter", "MonitoringController", "SingleMonitoringController",
    "TCPWriter", "TimeSourceController", "TimeStamp", "WriterController"
]


class AbstractController(ABC):

    def __init__(self, domain, tcp_enabled, reader_thread, port, terminated):
        self.domain = domain
        self.tcp_enabled = tcp_enabled
        self.reader_thread = reader_thread
        self.port = port
        self.terminated = terminated
        self.logger = logging.getLogger("ControllerLogger")
        self.threading = None

    @abstractmethod
    def initialize(self):
        if self.tcp_enabled is True:
            self.logger.info("Start Thread reader")
            self.threading.start()

    @abstractmethod
    def cleanup(self):
        if self.tcp_enabled:
            self.logger.info("Terminate")

    @abstractmethod
    def toString(self):
        pass


class TimeSourceController(AbstractController):

    def __init__(self, time_source):
        self.time_source = time_source

    def initialize(self):
        pass

    def cleanup(self):
        pass

    def toString(self):
        pass

    def get_time(self):
        return self.time_source.get_time()


class MonitoringController:
    """One object for all. Both generations' names of its parts; a configuration may come later, or not at all."""

    __inst = None

    def __new__(cls, config=None):
        if MonitoringController.__inst is None:
            inst = object.__new__(cls)
            inst.write_ctrl = inst.writer_controller = None
            inst.timesource_ctrl = inst.time_source_controller = TimeSourceController(TimeStamp())
            MonitoringController.__inst = inst
        inst = MonitoringController.__inst
        if config is not None:
            inst.write_ctrl = inst.writer_controller = WriterController(config)
        return inst

    def new_monitoring_record(self, record):
        if self.write_ctrl is None:
            put_record(record)
        else:
            self.write_ctrl.new_monitoring_record(record)


#: As versions before 0.0.2 and after it call the class.
SingleMonitoringController = MonitoringController

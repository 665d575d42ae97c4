"""Where a run finds things: the tools under test, the drivers, a folder of its own."""
import dataclasses
import os

HERE = os.path.dirname(os.path.abspath(__file__))
MOOBENCH = os.path.dirname(HERE)
TOP = os.path.dirname(MOOBENCH)


@dataclasses.dataclass(frozen=True)
class Context:
    """`tools` is the folder of libkprobe.so and kprobe (a release build), `work` what the runs of one benchmark share
    (compiled drivers, receivers), `folder` of one run alone. `options` are those of moobench/run, by name."""
    tools: str
    work: str
    folder: str
    options: dict

    @property
    def shim(self):
        return os.path.join(self.tools, "libkprobe.so")

    @property
    def kprobe(self):
        return os.path.join(self.tools, "kprobe")

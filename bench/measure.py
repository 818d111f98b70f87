"""A stopwatch on a server: what CPU time it used, and whether it had its core to itself."""

import time
from typing import NamedTuple

from bench.processes import Server, core_busy_seconds


class Use(NamedTuple):
    """What happened between the start of a `Meter` and now."""

    seconds: float
    cpu_seconds: float
    others_percent: float  # of the server's core, used by anything but the server

    @property
    def core_percent(self) -> float:
        """How much of a core the server used."""
        return 100 * self.cpu_seconds / self.seconds


class Meter:
    """Starts when made; may be read more than once."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._cpu = server.cpu_seconds()
        self._busy = core_busy_seconds()
        self._started = time.perf_counter()

    def read(self) -> Use:
        """Tell the use since the start."""
        seconds = time.perf_counter() - self._started
        cpu = self._server.cpu_seconds() - self._cpu
        others = core_busy_seconds() - self._busy - cpu
        return Use(seconds, cpu, max(0.0, 100 * others / seconds))

"""The load generator: raw connections, requests rendered ahead, answers looked at no further than needed.

`closed_loop`  N connections, each sends its next request when the last is answered: how fast can it go?
               A refused request is sent again after the Retry-After of the answer, a second at most.
`open_loop`    every source sends at its own due times whatever the server does: how long do people wait?
               A request goes out on a free connection of a bounded pool; its wait counts from the DUE
               time, so a stall is seen by every request that fell due during it. One that found no
               connection for `PATIENCE` seconds is given up and counted as `unsent`.

One connection has one request in hand. Due times are met to a millisecond, the resolution of the
loop's timers: that much is in every wait, and `late` says how much it was.
"""

import asyncio
import gc
import random
import re
import time
from array import array
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple, cast

from bench.events import Requests

PATIENCE = 10.0
_DRAIN_SECONDS = 30.0  # how long the last answers may take once nothing more is sent
_LOST = 0  # the status of a request whose connection broke
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_RETRY_AFTER = re.compile(rb"\r\nretry-after: *([\d.]+)", re.IGNORECASE)

_now = time.perf_counter  # uvloop's own clock stands still within a turn of the loop


@dataclass(slots=True)
class Result:
    """What a run came to. `accepted` holds the numbers of the requests answered with 200."""

    accepted: "array[int]" = field(default_factory=lambda: array("q"))
    statuses: Counter[int] = field(default_factory=Counter)  # of all others; 0: the connection broke
    waits: "array[float]" = field(default_factory=lambda: array("d"))  # seconds, of every answer
    late: "array[float]" = field(
        default_factory=lambda: array("d")
    )  # seconds after its due time, of every request
    unsent: int = 0
    unanswered: int = 0
    seconds: float = 0.0  # from the first request to the last answer
    load_cpu_seconds: float = 0.0  # what this process spent

    @property
    def answers(self) -> int:
        """How many requests were answered, well or not."""
        return len(self.waits)

    @property
    def refused(self) -> int:
        """How many were answered with anything but 200, or not answered."""
        return self.statuses.total() + self.unsent + self.unanswered

    @property
    def accepted_per_second(self) -> float:
        """Requests answered with 200, a second."""
        return len(self.accepted) / self.seconds if self.seconds else 0.0

    def refusals(self) -> dict[str, int]:
        """Count the refused by what became of them, for a report."""
        counts = {f"status_{status}": n for status, n in sorted(self.statuses.items())}
        counts |= {"unsent": self.unsent, "unanswered": self.unanswered}
        return {name: n for name, n in counts.items() if n}


def percentile_ms(seconds: "array[float]", share: float) -> float:
    """Find the value that `share` of all stay below, in milliseconds; 0 of nothing."""
    ordered = sorted(seconds)
    return 1000 * ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0


async def closed_loop(
    port: int, requests: Requests, *, connections: int, seconds: float = 600.0, total: int | None = None
) -> Result:
    """As fast as answered, for `seconds` or until `total` requests went out, whichever comes first."""
    return await _ClosedLoop(port, requests, connections, seconds, total).run()


async def open_loop(
    port: int, requests: Requests, *, connections: int, sources: int, rate: float, seconds: float
) -> Result:
    """Each of `sources` sends `rate` requests a second, evenly, beginning at a moment of its own."""
    return await _OpenLoop(port, requests, connections, sources=sources, rate=rate, seconds=seconds).run()


class _Head(NamedTuple):
    status: int
    length: int
    retry_after: float
    is_last: bool


_NOTHING_ANSWERED = _Head(200, 0, 0.0, is_last=False)  # a fresh connection may go on like an answered one


@lru_cache(maxsize=256)  # servers repeat themselves: only the Date changes, once a second
def _parse_head(head: bytes) -> _Head:
    length, pause = _LENGTH.search(head), _RETRY_AFTER.search(head)
    if length is None:
        raise ValueError(f"an answer without Content-Length: {head!r}")
    is_last = b"connection: close" in head.lower()
    return _Head(int(head[9:12]), int(length[1]), float(pause[1]) if pause else 0.05, is_last)


class _Connection(asyncio.Protocol):
    __slots__ = ("_load", "_rest", "_transport", "number", "since")

    def __init__(self, load: "_Load") -> None:
        self._load = load
        self._rest = b""
        self.number = -1  # of the request in hand
        self.since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def send(self, number: int, since: float) -> None:
        self.number = number
        self.since = since
        self._transport.write(self._load.requests.render(number))

    def data_received(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        end = data.find(b"\r\n\r\n")
        if end < 0:
            self._rest = data
            return
        head = _parse_head(data[:end])
        if len(data) < end + 4 + head.length:
            self._rest = data
            return
        self._rest = b""
        number, self.number = self.number, -1
        self._load.answered(self, number, head)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio's signature
        self._load.lost(self)

    def close(self) -> None:
        self._transport.close()


class _Load:
    """What both ways have in common: a pool of connections, reopened when they break, and a result."""

    def __init__(self, port: int, requests: Requests, connections: int) -> None:
        self.requests = requests
        self.result = Result()
        self._port = port
        self._connections = connections
        self._free: list[_Connection] = []  # the one used last comes first, so few stay warm
        self._open: set[_Connection] = set()
        self._in_hand = 0
        self._started = 0.0
        self._last_answer = 0.0
        self._done = asyncio.Event()
        self._reopening: set[asyncio.Task[None]] = set()

    async def run(self) -> Result:
        for _ in range(self._connections):
            await self._connect()
        with _undisturbed():
            cpu = time.process_time()
            self._started = self._last_answer = _now()
            self._begin()
            await self._finish()
            self.result.load_cpu_seconds = time.process_time() - cpu
        self.result.seconds = self._last_answer - self._started
        self.result.unanswered += self._in_hand
        await self._close()
        return self.result

    def _begin(self) -> None:
        raise NotImplementedError

    def _next(self, connection: _Connection, answered: int, head: _Head) -> None:
        """Say what a connection does after the answer to that number."""
        raise NotImplementedError

    def _is_over(self) -> bool:
        raise NotImplementedError

    def _sending_seconds(self) -> float:
        raise NotImplementedError

    def _send(self, connection: _Connection, number: int, since: float) -> None:
        self._in_hand += 1
        connection.send(number, since)

    def answered(self, connection: _Connection, number: int, head: _Head) -> None:
        self._in_hand -= 1
        self._last_answer = now = _now()
        self.result.waits.append(now - connection.since)
        if head.status == 200:
            self.result.accepted.append(number)
        else:
            self.result.statuses[head.status] += 1
        if head.is_last:
            connection.close()  # `lost` opens another
        else:
            self._next(connection, number, head)
        self._check()

    def lost(self, connection: _Connection) -> None:
        self._open.discard(connection)
        if connection in self._free:
            self._free.remove(connection)
        if connection.number >= 0:
            self._in_hand -= 1
            self.result.statuses[_LOST] += 1
        if not self._done.is_set():
            task = asyncio.ensure_future(self._reopen())
            self._reopening.add(task)
            task.add_done_callback(self._reopening.discard)
        self._check()

    async def _connect(self) -> _Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(lambda: _Connection(self), "127.0.0.1", self._port)
        self._open.add(connection)
        self._free.append(connection)
        return connection

    async def _reopen(self) -> None:
        gives_up = _now() + PATIENCE
        while not self._done.is_set():
            try:
                connection = await self._connect()
            except OSError:
                await asyncio.sleep(0.1)
                if _now() > gives_up:  # the server is gone
                    self._done.set()
            else:
                self._free.remove(connection)
                self._next(connection, -1, _NOTHING_ANSWERED)
                return

    def _check(self) -> None:
        if not self._in_hand and self._is_over():
            self._done.set()

    async def _finish(self) -> None:
        try:
            await asyncio.wait_for(self._done.wait(), self._sending_seconds() + PATIENCE + _DRAIN_SECONDS)
        except TimeoutError:
            self._done.set()

    async def _close(self) -> None:
        for task in list(self._reopening):
            task.cancel()
        for connection in list(self._open):
            connection.number = -1
            connection.close()
        await asyncio.sleep(0)


class _ClosedLoop(_Load):
    def __init__(
        self, port: int, requests: Requests, connections: int, seconds: float, total: int | None
    ) -> None:
        super().__init__(port, requests, connections)
        self._seconds = seconds
        self._left = total
        self._again = 0  # refused, to be sent once more

    def _begin(self) -> None:
        idle, self._free = self._free, []
        for connection in idle:
            self._send_new(connection)

    def _next(self, connection: _Connection, answered: int, head: _Head) -> None:
        if head.status == 200:
            self._send_new(connection)
        elif not self._is_time_up():
            self._again += 1
            pause = min(head.retry_after, 1.0)
            asyncio.get_running_loop().call_later(pause, self._send_again, connection, answered)

    def _send_new(self, connection: _Connection) -> None:
        if self._is_time_up() or self._left == 0:
            self._free.append(connection)
            return
        if self._left is not None:
            self._left -= 1
        self._send(connection, self.requests.take(), _now())

    def _send_again(self, connection: _Connection, number: int) -> None:
        self._again -= 1
        if connection in self._open and not self._is_time_up():
            self._send(connection, number, _now())
        self._check()

    def _is_time_up(self) -> bool:
        return _now() >= self._started + self._seconds

    def _is_over(self) -> bool:
        return not self._again and (self._left == 0 or self._is_time_up())

    def _sending_seconds(self) -> float:
        return self._seconds


class _OpenLoop(_Load):
    """Request j belongs to source j modulo their count and is due at that source's phase in its turn."""

    def __init__(
        self, port: int, requests: Requests, connections: int, *, sources: int, rate: float, seconds: float
    ) -> None:
        super().__init__(port, requests, connections)
        rng = random.Random(3)
        self._phases = sorted(rng.random() / rate for _ in range(sources))
        self._rate = rate
        self._seconds = seconds
        self._total = int(sources * rate * seconds)
        self._offered = 0
        self._waiting: deque[float] = deque()  # due times of requests that found no free connection

    def _begin(self) -> None:
        self._tick()

    def _tick(self) -> None:
        now = _now()
        while self._offered < self._total and (due := self._due(self._offered)) <= now:
            self._offered += 1
            self.result.late.append(now - due)
            if self._free:
                self._send(self._free.pop(), self.requests.take(), due)
            else:
                self._waiting.append(due)
        if self._offered < self._total:
            asyncio.get_running_loop().call_later(0.001, self._tick)

    def _due(self, number: int) -> float:
        turn, source = divmod(number, len(self._phases))
        return self._started + turn / self._rate + self._phases[source]

    def _next(self, connection: _Connection, answered: int, head: _Head) -> None:  # noqa: ARG002  nothing is repeated
        too_old = _now() - PATIENCE
        while self._waiting:
            due = self._waiting.popleft()
            if due >= too_old:
                self._send(connection, self.requests.take(), due)
                return
            self.result.unsent += 1
        self._free.append(connection)

    def _is_over(self) -> bool:
        return self._offered == self._total and not self._waiting

    def _sending_seconds(self) -> float:
        return self._seconds

    async def _finish(self) -> None:
        await super()._finish()
        self.result.unsent += len(self._waiting) + self._total - self._offered


@contextmanager
def _undisturbed() -> Iterator[None]:
    """No collector pauses: nothing here makes cycles, and a pause would be taken for the server's."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()

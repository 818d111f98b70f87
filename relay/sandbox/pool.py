"""Children for one unit of code. A call has a place in a child before it is made; nothing queues in memory.

    async with pool.slot() as slot:      # waits: whoever takes work from a log takes it after this
        result = await slot.call({"op": "event", ...}, on_http=send)

The first child starts with the first slot, more when all places are taken, up to `cap`. One that has had nothing
to do for five minutes goes.

When a child dies nobody knows which of its calls it died of, so each runs again, once, alone in a child that has
had none but such calls. A call that kills that one as well is the guilty one; the rest get their answers. There
are two such children at most, beside `cap`, so that a guilty call in one does not hold up those behind it.
What was sent before the crash is sent twice: at least once is the promise here as elsewhere.
"""

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from relay import metrics
from relay.sandbox.child import Child, Http
from relay.sandbox.crashes import Crashes
from relay.sandbox.errors import Crashed, Reason, SandboxError, Thrown, TimedOut
from relay.sandbox.limits import Limits
from relay.sandbox.line import Line, Seat

if TYPE_CHECKING:
    from relay.sandbox.sandbox import Sandbox

log = structlog.get_logger()

IDLE_SECONDS = 300.0
ALONE = 2  # children for calls that run again


class Status(msgspec.Struct, frozen=True):
    """What an operator may want to know about a pool."""

    children: int
    calls: int
    waiting: int
    crashes: int  # in the last minute, up to five
    starts_in: float  # seconds until a child may be started; 0: at once
    last_crash: str
    layers: tuple[str, ...]  # of the launcher, as the youngest child has them


class Pool:
    """Made by `Sandbox.pool`."""

    def __init__(
        self,
        name: str,
        spawn: Callable[[], Awaitable[Child]],
        limits: Limits,
        cap: int,
        sandbox: "Sandbox",
        clock: Callable[[], float],
    ) -> None:
        self.name = name
        self._spawn = spawn
        self._limits = limits
        self._sandbox = sandbox
        self._clock = clock
        self._shared = Line(cap, limits.in_flight)
        self._alone = Line(ALONE, 1)
        self._crashes = Crashes(clock)
        self._last_crash = ""
        self._layers: tuple[str, ...] = ()
        self._timer: asyncio.TimerHandle | None = None
        self._is_closed = False
        self._children = metrics.SANDBOX_CHILDREN.labels(name)
        self._seconds = metrics.SANDBOX_SECONDS.labels(name)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator["Slot"]:
        """A place in a child. Raises NotInstalled."""
        async with self._place(self._shared) as seat:
            yield Slot(self, seat)

    async def run(self, seat: Seat, message: dict[str, Any], on_http: Http | None) -> Any:
        """A call in `seat`, and again alone when its child ends with it."""
        started = self._clock()
        outcome = "failed"
        try:
            result = await self._run(seat, message, on_http)
            outcome = "ok"
            return result  # noqa: TRY300  the outcome is counted whatever it is
        except SandboxError as error:
            outcome = {Thrown: "thrown", TimedOut: "timed_out", Crashed: "crashed"}.get(
                type(error), "refused"
            )
            raise
        except asyncio.CancelledError:
            outcome = "cancelled"
            raise
        finally:
            self._seconds.observe(self._clock() - started)
            metrics.SANDBOX_CALLS.labels(self.name, outcome).inc()

    async def _run(self, seat: Seat, message: dict[str, Any], on_http: Http | None) -> Any:
        try:
            return await seat.child.call(message, on_http=on_http)
        except Crashed:
            pass  # of this call, or of one beside it
        async with self._place(self._alone) as other:
            try:
                return await other.child.call(message, on_http=on_http)
            except Crashed as error:
                if error.reason is Reason.BLOCKED:
                    raise TimedOut(self._limits.seconds) from None
                raise

    @asynccontextmanager
    async def _place(self, line: Line) -> AsyncIterator[Seat]:
        if self._is_closed:
            raise Crashed(Reason.STOPPED)
        waiter = line.join()
        self.advance()
        try:
            seat = await waiter
        except BaseException:
            given = line.give_up(waiter)
            if given is not None:
                self._left(line, given)
            raise
        try:
            yield seat
        finally:
            self._left(line, seat)

    def _left(self, line: Line, seat: Seat) -> None:
        seat.leave(self._clock())
        self.advance()
        if seat.used == 0:
            if line is self._alone or not seat.is_open:
                seat.child.kill(Reason.STOPPED)
            self._sandbox.changed()

    # children come and go

    @property
    def size(self) -> int:
        return self._shared.size + self._alone.size

    @property
    def seats(self) -> list[Seat]:
        """Of the children that stay when they have nothing to do."""
        return self._shared.seats

    def advance(self) -> None:
        """Something has changed: give places, and start a child if somebody still has none."""
        for line in (self._alone, self._shared):
            line.serve(self._clock())
            if line.may_grow and not self._is_closed:
                self._grow(line)

    def _grow(self, line: Line) -> None:
        wait = self._crashes.opens_in
        if wait > 0:
            if self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(wait, self._try_again)
        elif self._sandbox.has_room():
            line.start = asyncio.create_task(self._start(line), name=f"sandbox:{self.name}")

    def _try_again(self) -> None:
        self._timer = None
        self.advance()

    async def _start(self, line: Line) -> None:
        try:
            child = await self._spawn()
        except (Crashed, OSError) as error:
            self._crashed(error.reason if isinstance(error, Crashed) else Reason.EXITED, str(error))
        except Exception as error:  # noqa: BLE001  no child, ever: whoever waits is told why
            line.refuse(error)
        else:
            seat = Seat(child, self._clock())
            line.seats.append(seat)
            child.ended.add_done_callback(functools.partial(self._gone, line, seat))
        finally:
            line.start = None
        self._changed()

    def _gone(self, line: Line, seat: Seat, ended: "asyncio.Future[Reason]") -> None:
        line.seats.remove(seat)
        if ended.result() is not Reason.STOPPED:
            self._crashed(ended.result(), str(ended.result()))
        self._changed()

    def _changed(self) -> None:
        self._children.set(len(self._shared.seats) + len(self._alone.seats))
        self.advance()
        self._sandbox.changed()

    def _crashed(self, reason: Reason, text: str) -> None:
        self._crashes.add()
        self._last_crash = text
        metrics.SANDBOX_CRASHES.labels(self.name, reason).inc()
        log.warning(
            "a sandboxed process ended", pool=self.name, reason=text, starts_in=self._crashes.opens_in
        )

    def check(self) -> None:
        """To be called every so often, see Child.check."""
        now = self._clock()
        for line in (self._shared, self._alone):
            for seat in line.seats:
                seat.child.check()
                if seat.used == 0 and now - seat.since >= IDLE_SECONDS:
                    seat.child.kill(Reason.STOPPED)

    def status(self) -> Status:
        seats = self._shared.seats + self._alone.seats
        if seats:
            self._layers = seats[-1].child.layers
        return Status(
            children=len(seats),
            calls=sum(seat.used for seat in seats),
            waiting=self._shared.waiting + self._alone.waiting,
            crashes=self._crashes.recent,
            starts_in=self._crashes.opens_in,
            last_crash=self._last_crash,
            layers=self._layers,
        )

    async def close(self) -> None:
        """End every child. Calls in flight, and who waits for a place, get Crashed. May be called twice."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        for line in (self._shared, self._alone):
            line.refuse(Crashed(Reason.STOPPED))
            if line.start is not None:
                line.start.cancel()
                await asyncio.wait([line.start])
                line.start = None  # it may not even have begun
            await asyncio.gather(*(seat.child.stop() for seat in line.seats))
        self._sandbox.forget(self)


class Slot:
    """A place in a child, for calls one after the other."""

    def __init__(self, pool: Pool, seat: Seat) -> None:
        self._pool = pool
        self._seat = seat

    async def call(self, message: dict[str, Any], *, on_http: Http | None = None) -> Any:
        """What the code returns. Raises Thrown, TimedOut, Crashed and TooLarge; see Child.call."""
        return await self._pool.run(self._seat, message, on_http)

"""One process that runs other people's code, and the calls that are in it.

It is not trusted. What it may do ends it: frames that are none or too large, answers to nobody, more open requests
than agreed, memory over its limits, silence. Its exit, with whatever code, is a crash of what was in flight.

How silence is told from being busy. A call over its time gets the child a ping. An answer within 250 ms: the
call alone has hung, it is given up and the rest goes on. None: a loop holds everything, and the process is killed.
While calls wait beside each other that would be late for the neighbours, so then a child is asked at every check,
and killed when it used `blocked_seconds` of CPU time without an answer: time of the clock passes also for a
child that a busy machine does not let run. A call that is alone may calculate until its time is over.
"""

import asyncio
import re
import resource
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Self

import msgspec

from relay.errors import RelayError
from relay.sandbox import frames, usage
from relay.sandbox.errors import Crashed, Reason, Thrown, TimedOut
from relay.sandbox.frames import Frame, FrameError, Reader
from relay.sandbox.limits import Limits
from relay.sandbox.pipes import Pipes

START_SECONDS = (
    30.0  # to be ready; Deno takes 0.1 s, the largest bundle 2 s, on a busy machine ten times that
)
PONG_SECONDS = 0.25
REQUESTS = 64  # open at a time
WORN_AFTER = 100  # calls given up: each may have left something behind that never ends

Http = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
Tasks = dict[int, asyncio.Task[None]]

_MEMORY = re.compile(rb"out of memory|memory allocation", re.IGNORECASE)  # V8; Rust


class Call:
    """A call that has no answer yet, and its open requests by their number in the child."""

    def __init__(self, on_http: Http | None) -> None:
        self.answer: asyncio.Future[msgspec.Raw] = asyncio.get_running_loop().create_future()
        self.on_http = on_http
        self.requests: Tasks = {}


class Child:
    """Made by `start`. `ended` is done, with the reason, when the process is no more."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.ended: asyncio.Future[Reason] = asyncio.get_running_loop().create_future()
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pipes = Pipes(self._took, self._lost)
        self._reader = Reader(limits.frame_bytes)
        self._reason: Reason | None = None
        self._calls: dict[int, Call] = {}
        self._given_up: set[int] = set()
        self._pings: dict[int, asyncio.Future[None]] = {}
        self._last_id = 0
        self._requests: Tasks = {}
        self._asked: tuple[asyncio.Future[None], float] | None = None

    @classmethod
    async def start(cls, command: Sequence[str], limits: Limits) -> Self:
        """Run `command`, which begins with the launcher, and wait until it is ready. Raises Crashed."""
        child = cls(limits)
        await asyncio.get_running_loop().subprocess_exec(lambda: child._pipes, *command, env={})
        try:
            await asyncio.wait(
                (child._ready, child.ended), timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
        except asyncio.CancelledError:
            await child.stop()
            raise
        if not child._ready.done() or child.ended.done():
            child.kill(Reason.BLOCKED)
            raise Crashed(await child.ended, child._pipes.last_words)
        try:
            child._limit_memory()
        except OSError:
            await child.stop()
            raise
        return child

    def _limit_memory(self) -> None:
        """Not sooner: what V8 reserves at start is more than it ever uses."""
        data = usage.data_bytes(self.pid)
        if sys.platform == "linux" and data is not None:
            most = data + self.limits.memory_bytes
            resource.prlimit(self.pid, resource.RLIMIT_DATA, (most, most))

    @property
    def pid(self) -> int:
        return self._pipes.pid

    @property
    def layers(self) -> tuple[str, ...]:
        """What the launcher could take away, besides what Deno does not give."""
        return tuple(self._pipes.head.partition(b"\n")[0].decode("ascii", "replace").split())

    @property
    def is_gone(self) -> bool:
        return self._reason is not None

    @property
    def is_worn(self) -> bool:
        return len(self._given_up) >= WORN_AFTER

    # calls

    async def call(self, message: dict[str, Any], *, on_http: Http | None = None) -> Any:
        """What the handler of `message["op"]` returns. Raises Thrown, TimedOut, Crashed and TooLarge.

        `on_http` does the requests that the code asks for: the child has no network. A RelayError from it is
        thrown in the code, by its class and message.
        """
        number = self._number()
        data = frames.encode({"type": "call", "id": number, "message": message}, self.limits.frame_bytes)
        call = Call(on_http)
        self._calls[number] = call
        try:
            async with asyncio.timeout(self.limits.seconds) as deadline:
                return await self._answered(call, data)
        except TimeoutError:
            if not deadline.expired():  # of `on_http`
                raise
            self._give_up(number)
            if await self._answers():
                raise TimedOut(self.limits.seconds) from None
            raise await self._crash(Reason.BLOCKED) from None
        finally:
            self._give_up(number)

    async def _answered(self, call: Call, data: bytes) -> Any:
        if self.ended.done():
            raise Crashed(self.ended.result())
        await self._pipes.write(data)
        raw = await call.answer
        try:
            return await frames.decode(raw)
        except FrameError:
            raise await self._crash(Reason.FRAME) from None

    async def _crash(self, reason: Reason) -> Crashed:
        """Its end is known to all before a call says so: who runs it again must know that it crashed."""
        self.kill(reason)
        return Crashed(await asyncio.shield(self.ended))

    def _number(self) -> int:
        self._last_id += 1
        return self._last_id

    def _give_up(self, number: int) -> None:
        """Whatever comes of a call that has no answer yet, nobody wants it."""
        if number not in self._calls:
            return
        self._forget(number)
        self._given_up.add(number)
        self._send({"type": "cancel", "id": number})

    def _forget(self, number: int) -> Call:
        call = self._calls.pop(number)
        for rid, task in call.requests.items():
            del self._requests[rid]
            task.cancel()
        return call

    def _send(self, message: dict[str, Any]) -> None:
        """For what is small: it does not wait."""
        if not self.ended.done():
            self._pipes.write_now(frames.encode(message, self.limits.frame_bytes))

    # what comes from the child

    def _took(self, data: bytes) -> None:
        if self._reason is not None:
            return
        try:
            for frame in self._reader.feed(data):
                self._take(frames.parse(frame))
        except FrameError:
            self.kill(Reason.FRAME)

    def _take(self, frame: Frame) -> None:
        match frame.type:
            case "ready" if not self._ready.done():
                self._ready.set_result(None)
            case "pong" if frame.id in self._pings:
                _done(self._pings.pop(frame.id))
            case _ if frame.id in self._given_up and frame.type in ("ok", "error", "http"):
                pass  # sent before it knew
            case "http" if frame.id in self._calls:
                self._ask(frame)
            case "ok" if frame.id in self._calls:
                _done(self._forget(frame.id).answer, frame.value)
            case "error" if frame.id in self._calls:
                answer = self._forget(frame.id).answer
                if not answer.done():
                    answer.set_exception(Thrown(frame.error))
            case _:
                raise FrameError("nothing that was asked for")

    def _ask(self, frame: Frame) -> None:
        if frame.rid in self._requests or len(self._requests) >= REQUESTS:
            raise FrameError("more requests than agreed")
        call = self._calls[frame.id]
        task = asyncio.create_task(self._http(call, frame))
        self._requests[frame.rid] = call.requests[frame.rid] = task

    async def _http(self, call: Call, frame: Frame) -> None:
        reply: dict[str, Any] = {"type": "reply", "rid": frame.rid}
        try:
            data = await self._reply(call, reply, frame)
        except FrameError:
            self.kill(Reason.FRAME)
            return
        except RelayError as error:
            reply["error"] = {"name": type(error).__name__, "message": str(error)}
            data = frames.encode(reply, self.limits.frame_bytes)
        except Exception as error:  # noqa: BLE001  a fault of our own: the one who called is told
            if not call.answer.done():
                call.answer.set_exception(error)
            return
        await self._pipes.write(data)
        self._requests.pop(frame.rid, None)
        call.requests.pop(frame.rid, None)

    async def _reply(self, call: Call, reply: dict[str, Any], frame: Frame) -> bytes:
        request = await frames.decode(frame.value)
        if call.on_http is None:
            raise RelayError("this code may not send requests")
        answer = await call.on_http(request)
        return frames.encode({**reply, "value": answer}, self.limits.frame_bytes)

    # its life

    async def _answers(self) -> bool:
        """Whether it is there, and not in a loop."""
        try:
            async with asyncio.timeout(PONG_SECONDS):
                await self._ping()
        except TimeoutError:
            return False
        return not self.ended.done()

    def _ping(self) -> asyncio.Future[None]:
        number = self._number()
        pong: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pings[number] = pong
        self._send({"type": "ping", "id": number})
        return pong

    def check(self) -> None:
        """To be called every so often: kills it when it uses too much memory, or keeps others waiting."""
        if usage.resident_bytes(self.pid) > self.limits.rss_bytes:
            self.kill(Reason.MEMORY)
        elif len(self._calls) > 1:
            self._check_loop()
        else:
            self._asked = None

    def _check_loop(self) -> None:
        cpu = usage.cpu_seconds(self.pid)
        if cpu is None:
            return
        if self._asked is None or self._asked[0].done():
            self._asked = self._ping(), cpu
        elif cpu - self._asked[1] >= self.limits.blocked_seconds:
            self.kill(Reason.BLOCKED)

    def kill(self, reason: Reason) -> None:
        """End it now. The first reason counts."""
        if self._reason is None and not self.ended.done():
            self._reason = reason
            self._pipes.kill()

    async def stop(self) -> None:
        """End it, and wait until nothing is left of it."""
        self.kill(Reason.STOPPED)
        tasks = list(self._requests.values())
        await asyncio.shield(self.ended)
        await asyncio.gather(*tasks, return_exceptions=True)

    def _lost(self) -> None:
        if self._reason is None:
            self._reason = Reason.MEMORY if _MEMORY.search(self._pipes.tail) else Reason.EXITED
        self.ended.set_result(self._reason)
        for number in list(self._calls):
            answer = self._forget(number).answer
            if not answer.done():
                answer.set_exception(Crashed(self._reason))
        for pong in self._pings.values():
            _done(pong)


def _done(future: asyncio.Future[Any], value: Any = None) -> None:
    if not future.done():
        future.set_result(value)

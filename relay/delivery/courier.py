"""Takes a batch to its destination and decides what a failure means.

- The destination is down (nobody got an answer since it failed): the batch is held, one probe at a time
  goes out with growing waits. The log is the queue; nothing expires.
- These events cannot be delivered now (others get through, they do not): they are parked in the retry
  table, and the rest moves on.
- They never will be: dead letters, with the reply that said so.

How the second is told from the first when every probe fails: a probe shrinks. A batch answered with a server
error is halved, down to one event; a single event that keeps failing steps aside into the retry table and
lets the next one probe. So neither a poisoned event nor a poisoned batch can hold a cursor for ever, a real
outage parks only a handful, and time in which the destination was down does not count against `retry_for`.
"""

import asyncio
import time
from collections.abc import Callable

import structlog

from relay import metrics
from relay.delivery.batch import Batch
from relay.delivery.config import DestinationConfig
from relay.delivery.fates import Fates
from relay.delivery.observer import Observer
from relay.delivery.pace import Gate
from relay.delivery.sender import Answer, Reply, Sender
from relay.destinations.base import Destination, Request
from relay.log.base import Waiters

log = structlog.get_logger()

SPLIT_AFTER = 2  # tries of a batch before its halves go alone
STEP_ASIDE_AFTER = 5  # tries of a single event that holds everybody up
THROTTLED_TRIES = 10  # 429s for a batch while others pass, before it steps aside
SPLITTABLE = frozenset((400, 413, 422))  # refusals that one event may have caused for a whole batch
TOO_MANY = 429


class Courier:
    """Carries batches. `moved` wakes whoever waits for anything to change."""

    def __init__(
        self,
        config: DestinationConfig,
        settings: Destination,
        fates: Fates,
        sender: Sender,
        observer: Observer,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.gate = Gate(config.concurrency, config.rate_limit, clock)
        self.moved = Waiters()
        self.is_paused = False
        self.is_stopping = False
        self.last_success = 0  # ms since 1970
        self.last_error: str | None = None
        self._config = config
        self._settings = settings
        self._is_batch = (config.batch_size or settings.batch) > 1
        self._fates = fates
        self._sender = sender
        self._observer = observer
        self._seconds = metrics.SECONDS.labels(config.name)
        self._answers = {a: metrics.ATTEMPTS.labels(config.name, a.value) for a in Answer}

    async def deliver(self, batch: Batch) -> None:
        """Return when every event of `batch` has its fate or is parked."""
        if batch.parked is None and self._fates.parked_users:
            batch = batch.part([e for e in batch.events if not self._fates.park_behind(e)])
        if not batch.events:
            return
        try:
            requests = self._form(batch)
        except Exception as error:  # noqa: BLE001  one event that cannot be mapped must not stop the rest
            log.error(
                "a request could not be formed", destination=self._config.name, kind=type(error).__name__
            )
            await self._isolate(batch, Reply(None, "", 0.0, "INTERNAL"))
            return
        if sum(len(request.events) for request in requests) != len(batch.events):
            carried = {id(event) for request in requests for event in request.events}
            self._fates.unsupported(batch.part([e for e in batch.events if id(e) not in carried]))
        for request in requests:
            await self._deliver(batch.part(request.events), request)

    def _form(self, batch: Batch) -> list[Request]:
        return list(self._settings.requests(batch.events, self._config.endpoint, is_batch=self._is_batch))

    async def _deliver(self, batch: Batch, request: Request) -> None:
        while True:
            await self._enter()
            if batch.tries:
                (request,) = self._form(batch)  # anew: it may say when it was sent
            reply = await self._attempt(request)
            if reply.answer is Answer.DELIVERED:
                self._fates.delivered(batch)
            elif reply.answer is Answer.BUSY:
                if await self._hold(batch, reply):
                    continue
            elif reply.status in SPLITTABLE:
                await self._isolate(batch, reply)
            else:
                self._fates.bury(batch, reply)
            self.moved.wake()
            return

    async def _enter(self) -> None:
        """Wait for the gate. Whatever moves is a reason to look again."""
        while True:
            if self.is_stopping:
                raise asyncio.CancelledError
            seconds = None if self.is_paused else self.gate.enter()
            if seconds == 0.0:
                return
            try:
                async with asyncio.timeout(seconds):
                    await self.moved.wait()
            except TimeoutError:
                pass

    async def _attempt(self, request: Request) -> Reply:
        reply = None
        try:
            reply = await self._sender.send(request, self._config.timeout)
        finally:
            if reply is None:
                self.gate.left()
        self._answers[reply.answer].inc()
        self._seconds.observe(reply.seconds)
        was_held = self.gate.is_held
        if reply.answer is Answer.BUSY:
            self.gate.failed(reply.retry_after)
            self.last_error = reply.reason
            if not was_held:
                log.warning("destination cannot, holding", destination=self._config.name, reason=reply.reason)
        else:
            self.gate.succeeded(reply.seconds)
            self.last_success = self._fates.now_ms()
            if was_held:
                log.info("destination answers again", destination=self._config.name)
        self.moved.wake()
        self._observer.attempted(self._config.name, request, reply)
        return reply

    async def _hold(self, batch: Batch, reply: Reply) -> bool:
        """After a busy answer: True to try the same again, False when the events are cared for otherwise."""
        others_pass = batch.tries > 0 and self.gate.successes > batch.seen_successes
        batch.tries += 1
        batch.seen_successes = self.gate.successes
        is_throttled = reply.status == TOO_MANY
        was_answered = reply.status is not None and not is_throttled
        is_single = len(batch.events) == 1
        if batch.parked is not None:
            self._fates.park(batch, reply, self.last_success)
            return False
        if others_pass and (not is_throttled or batch.tries >= THROTTLED_TRIES):
            if is_single:
                self._fates.park(batch, reply, self.last_success)
            else:
                await self._isolate(batch, reply)
            return False
        if was_answered and not is_single and batch.tries >= SPLIT_AFTER:
            await self._isolate(batch, reply)
            return False
        if was_answered and batch.tries >= STEP_ASIDE_AFTER:
            self._fates.park(batch, reply, self.last_success)
            return False
        return True

    async def _isolate(self, batch: Batch, reply: Reply) -> None:
        """Send the halves of a batch one after the other; a single event gets what the reply says."""
        if len(batch.events) == 1:
            self._fates.bury(batch, reply)
            return
        middle = len(batch.events) // 2
        for half in (batch.events[:middle], batch.events[middle:]):
            part = batch.part(half)
            part.tries = min(part.tries, 1)
            await self.deliver(part)

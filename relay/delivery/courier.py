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

A batch falls into parcels: one for each subscription and request. Each is a flow of one or several requests, begun
anew on every try. An event that several subscriptions want has its fate when the last of its parcels is done.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence

import msgspec
import structlog

from relay import metrics
from relay.delivery.batch import Batch, user_key
from relay.delivery.config import DestinationConfig
from relay.delivery.credentials import Credentials
from relay.delivery.fates import Fates
from relay.delivery.observer import Observer
from relay.delivery.pace import Gate
from relay.delivery.sender import Sender
from relay.delivery.shares import Shares
from relay.destinations.base import Destination, Parcel, Request, Results, at_endpoint
from relay.destinations.bridge.route import BridgeRoute
from relay.destinations.bridge.runtime import Runtime
from relay.destinations.errors import DeliveryError, Refused
from relay.destinations.flow import Ended, begin, go_on, leave
from relay.destinations.reply import Answer, Reply
from relay.destinations.secrets import Mask, mask, secrets_of
from relay.log.base import Waiters

log = structlog.get_logger()

SPLIT_AFTER = 2  # tries of a batch before its halves go alone
STEP_ASIDE_AFTER = 5  # tries of a single event that holds everybody up
THROTTLED_TRIES = 10  # 429s for a batch while others pass, before it steps aside
SPLITTABLE = frozenset((400, 413, 422))  # refusals that one event may have caused for a whole batch
TOO_MANY = 429
UNAUTHORIZED = 401
FAULT = "INTERNAL"


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
        credentials: Credentials | None = None,
        bridge: Runtime | None = None,
    ) -> None:
        self.gate = Gate(config.concurrency, config.rate_limit, clock)
        self.moved = Waiters()
        self.route = settings.route(config.subscriptions)
        self.is_paused = False
        self.is_stopping = False
        self.last_success = 0  # ms since 1970
        self.held_since = 0  # the same, of when it was held last
        self.last_error: str | None = None
        self._carriers = 0  # tasks that carry parcels of batches with several
        self._config = config
        self._is_batch = (config.batch_size or settings.batch) > 1
        self._fates = fates
        self._sender = sender
        self._observer = observer
        self._credentials = credentials
        if isinstance(self.route, BridgeRoute):  # it puts its token where the vendor wants it
            self.route.run_in(bridge, credentials)
            self._credentials = None
        hidden = mask(secrets_of(settings))
        self._masked: Mask = hidden if credentials is None else lambda text: credentials.masked(hidden(text))
        self._seconds = metrics.SECONDS.labels(config.name)
        self._answers = {a: metrics.ATTEMPTS.labels(config.name, a.value) for a in Answer}

    @property
    def state(self) -> str:
        """`running`, `paused`, or `held`: the destination cannot."""
        held = "held" if self.gate.is_held else "running"
        return "paused" if self.is_paused else held

    def try_again(self) -> None:
        """What the destination was held for was put right: look again now."""
        self.gate.reopen()
        self.moved.wake()

    async def deliver(self, batch: Batch) -> None:
        """Return when every event of `batch` has its fate or is parked."""
        if batch.parked is None and self._fates.parked_users:
            batch = batch.part([e for e in batch.events if not self._fates.park_behind(e)])
        if not batch.events:
            return
        await self._until(self.gate.look)  # what waits for a destination that is down is not mapped yet
        try:
            parcels = self.route.parcels(batch.events, is_batch=self._is_batch)
        except Exception as error:  # noqa: BLE001  one event that cannot be mapped must not stop the rest
            self._fault(error)
            await self._halve(batch)
            return
        if self._fates.keeps_order and not _is_in_order(parcels):
            await self._halve(batch)
            return
        shares = Shares(self._fates, batch, parcels)
        await self._all([(batch.part(parcel.events), parcel) for parcel in shares.parcels], shares)

    async def _halve(self, batch: Batch) -> None:
        """Find the event that no parcel could be made for; or send apart what together would come out of order."""
        if len(batch.events) == 1:
            self._fates.bury(batch, Reply(None, "", 0.0, FAULT))
            return
        middle = len(batch.events) // 2
        for half in (batch.events[:middle], batch.events[middle:]):
            await self.deliver(batch.part(half))

    async def _all(self, pairs: Sequence[tuple[Batch, Parcel]], shares: Shares) -> None:
        """Deliver every parcel: side by side, or with order kept one after the other."""
        queue = iter(pairs)
        if len(pairs) == 1 or self._fates.keeps_order:
            await self._some(queue, shares)
            return
        # all batches together: every answer wakes whoever waits for the gate
        carriers = max(1, min(len(pairs), self._config.concurrency - self._carriers))
        self._carriers += carriers
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(carriers):
                    group.create_task(self._some(queue, shares))
        finally:
            self._carriers -= carriers

    async def _some(self, queue: Iterator[tuple[Batch, Parcel]], shares: Shares) -> None:
        for batch, parcel in queue:
            await self._deliver(batch, parcel, shares)

    async def _deliver(self, batch: Batch, parcel: Parcel, shares: Shares) -> None:
        if self._fates.keeps_order:  # an earlier parcel may have parked somebody's event
            left = [e for e in batch.events if not shares.park_behind(batch, e, parcel)]
            batch, parcel = batch.part(left), parcel.part(left)
        while batch.events:
            results = await self._run(parcel, shares)
            batch, reply = self._settled(batch, parcel, results, shares)
            if reply is None:
                break
            if reply.answer is not Answer.BUSY:
                await self._isolate(batch, parcel, shares, reply)
                break
            if not await self._hold(batch, parcel, shares, reply):
                break
            parcel = parcel.part(batch.events)
        self.moved.wake()

    def _settled(
        self, batch: Batch, parcel: Parcel, results: Results | DeliveryError | None, shares: Shares
    ) -> tuple[Batch, Reply | None]:
        """What is still open after a run, and the reply that says why; everything else has its fate."""
        if results is None:
            shares.delivered(batch, parcel)
            return batch, None
        if isinstance(results, DeliveryError):
            reply = results.reply
            if not results.is_final or reply.status in SPLITTABLE:
                return batch, reply
            shares.bury(batch, parcel, self._shown(reply))
            return batch, None
        trouble = _trouble(results)
        if trouble is not None:
            return batch, trouble
        if delivered := [e for e, error in zip(batch.events, results, strict=True) if error is None]:
            shares.delivered(batch.part(delivered), parcel)
        for event, error in zip(batch.events, results, strict=True):
            one = batch.part([event])
            if error is not None and error.is_final:
                shares.bury(one, parcel, self._shown(error.reply))
            elif error is not None:  # the destination took others: this one steps aside
                shares.park(one, parcel, self._shown(error.reply), self.last_success)
        return batch, None

    async def _run(self, parcel: Parcel, shares: Shares) -> Results | DeliveryError | None:
        """One try of a flow: None when all was delivered, an error for all, or one result an event.

        It begins when its first request may leave, so that what it says of the time is true. What an answer says
        about the destination is known when the flow has read it: some say "too fast" in a 200.
        """
        await self._until(self.gate.enter)
        sent: tuple[Request, Reply] | None = None
        is_inside = True
        end: Results | DeliveryError | None = None
        steps = None
        try:
            steps = parcel.begin(parcel.events)
            request = await begin(steps)
            while True:
                if not is_inside:
                    await self._until(self.gate.enter)
                    is_inside = True
                request, reply = await self._sent(request)
                sent = request, reply
                request = await go_on(steps, reply)
                self._tell(parcel, sent, None, is_last=False)
                sent, is_inside = None, False
        except Ended as ended:
            end = self._ended(ended.results, len(parcel.events))
        except DeliveryError as error:
            end = error
        except Exception as error:  # noqa: BLE001  a flow that cannot cope with an answer must not stop the rest
            self._fault(error)
            end = Refused("", FAULT)
        finally:
            if sent is not None:
                self._tell(parcel, sent, _trouble(end), is_last=not shares.has_shared)
            elif is_inside and (trouble := _trouble(end)) is not None:
                self._cannot(trouble)  # nobody could be asked: no token, no child to run the flow
            elif is_inside:
                self.gate.left(unused=True)
            await leave(steps)
        return end

    def _ended(self, results: Results | None, events: int) -> Results | DeliveryError | None:
        """What a flow returned: if it failed for some, it must say for which."""
        if results is None or not any(results):
            return None
        if len(results) != events:
            self._fault(IndexError())
            return Refused("", FAULT)
        return results

    def _tell(
        self, parcel: Parcel, sent: tuple[Request, Reply], trouble: Reply | None, *, is_last: bool
    ) -> None:
        """An exchange is over. `trouble`: why the destination could not, whatever its answer looked like."""
        request, reply = sent
        self._answers[reply.answer if trouble is None else Answer.BUSY].inc()
        self._seconds.observe(reply.seconds)
        if trouble is not None:
            self._cannot(trouble)
        else:
            was_held = self.gate.is_held
            self.gate.succeeded(reply.seconds)
            self.last_success = self._fates.now_ms()
            if was_held:
                self.last_error = None
                log.info("destination answers again", destination=self._config.name)
            self.moved.wake()
        is_last = is_last and trouble is None
        self._observer.attempted(
            self._config.name, parcel.events, request, reply, self._masked, is_last=is_last
        )

    def _cannot(self, trouble: Reply) -> None:
        """The destination cannot now, or nobody can ask it."""
        if not self.gate.is_held:
            log.warning("destination cannot, holding", destination=self._config.name, reason=trouble.reason)
            self.held_since = self._fates.now_ms()
        self.gate.failed(trouble.retry_after)
        self.last_error = trouble.reason
        self.moved.wake()

    def _fault(self, error: Exception) -> None:
        log.error("a request could not be formed", destination=self._config.name, kind=type(error).__name__)

    async def _until(self, opens: Callable[[], float | None]) -> None:
        """Wait for the gate. Whatever moves is a reason to look again."""
        while True:
            if self.is_stopping:
                raise asyncio.CancelledError
            seconds = None if self.is_paused else opens()
            if seconds == 0.0:
                return
            try:
                async with asyncio.timeout(seconds):
                    await self.moved.wait()
            except TimeoutError:
                pass

    async def _sent(self, request: Request) -> tuple[Request, Reply]:
        """The request as it left, and its reply."""
        if self._config.endpoint is not None:
            request = msgspec.structs.replace(request, url=at_endpoint(request.url, self._config.endpoint))
        if self._credentials is None:
            reply = await self._sender.send(request, self._config.timeout)
        else:
            reply = await self._authorized(request, self._credentials)
        if reply.is_ours:  # nobody was asked, so it says nothing about the destination
            raise Refused(reply.text, reply.reason)
        return request, reply

    async def _authorized(self, request: Request, credentials: Credentials) -> Reply:
        """The reply to a request with a token, renewed once when it has run out."""
        signed = await credentials.signed(request)
        if isinstance(signed, Reply):
            return signed
        reply = await self._sender.send(signed, self._config.timeout)
        if reply.status != UNAUTHORIZED:
            return reply
        signed = await credentials.renewed(request, signed)
        return signed if isinstance(signed, Reply) else await self._sender.send(signed, self._config.timeout)

    async def _hold(self, batch: Batch, parcel: Parcel, shares: Shares, reply: Reply) -> bool:
        """After a busy answer: True to try the same again, False when the events are cared for otherwise."""
        others_pass = batch.tries > 0 and self.gate.successes > batch.seen_successes
        batch.tries += 1
        batch.seen_successes = self.gate.successes
        is_throttled = reply.status == TOO_MANY
        was_answered = reply.status is not None and not is_throttled
        is_single = len(batch.events) == 1
        if batch.parked is not None:
            shares.park(batch, parcel, self._shown(reply), self.last_success)
            return False
        if others_pass and (not is_throttled or batch.tries >= THROTTLED_TRIES):
            if is_single:
                shares.park(batch, parcel, self._shown(reply), self.last_success)
            else:
                await self._isolate(batch, parcel, shares, reply)
            return False
        if was_answered and not is_single and batch.tries >= SPLIT_AFTER:
            await self._isolate(batch, parcel, shares, reply)
            return False
        if was_answered and batch.tries >= STEP_ASIDE_AFTER:
            shares.park(batch, parcel, self._shown(reply), self.last_success)
            return False
        for event in batch.events:
            event.decoded = None  # what waits takes no more memory than its bytes
        return True

    async def _isolate(self, batch: Batch, parcel: Parcel, shares: Shares, reply: Reply) -> None:
        """Send the halves of a parcel one after the other; a single event gets what the reply says."""
        if len(batch.events) == 1:
            shares.bury(batch, parcel, self._shown(reply))
            return
        middle = len(batch.events) // 2
        for half in (batch.events[:middle], batch.events[middle:]):
            part = batch.part(half)
            part.tries = min(part.tries, 1)
            await self._deliver(part, parcel.part(half), shares)

    def _shown(self, reply: Reply) -> Reply:
        """The reply as it may be kept: some vendors repeat the key they were given."""
        reply.text = self._masked(reply.text)
        return reply


def _is_in_order(parcels: Sequence[Parcel]) -> bool:
    """Whether, parcel after parcel, nobody's event is sent after a later one of theirs."""
    latest: dict[str, tuple[int, int]] = {}
    for event in (event for parcel in parcels for event in parcel.events) if len(parcels) > 1 else ():
        place, user = (event.sequence, event.index), user_key(event)
        if place < latest.get(user, place):
            return False
        latest[user] = place
    return True


def _trouble(end: Results | DeliveryError | None) -> Reply | None:
    """Why the destination itself could not, when that is how a flow ended: nobody got through."""
    if end is None:
        return None
    errors = [end] if isinstance(end, DeliveryError) else end
    busy = [error.reply for error in errors if error is not None and not error.is_final]
    return busy[0] if len(busy) == len(errors) else None

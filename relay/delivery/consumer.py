"""The consumer that sends: one destination, one cursor, and every event one fate.

It takes events from the feed, gives those their fate that need no sending, and starts batches; a courier
takes each to the destination. No more than `concurrency` batches travel at once, and no more than
MAX_OPEN_RECORDS records are open, whatever hangs.
"""

import asyncio
import time
from collections.abc import Callable

import orjson

from relay.delivery.batch import Batch, user_key
from relay.delivery.config import DestinationConfig
from relay.delivery.courier import Courier
from relay.delivery.credentials import Credentials
from relay.delivery.fates import Fates
from relay.delivery.ledger import Ledger
from relay.delivery.observer import Observer
from relay.delivery.retries import Retries
from relay.delivery.routing import NO_MAPPING, Routing
from relay.delivery.sender import Sender
from relay.delivery.window import Window
from relay.destinations.base import Destination
from relay.destinations.bridge.runtime import Runtime
from relay.event import Event
from relay.log.feed import Feed
from relay.log.state import State
from relay.outcome import Outcome

READ_EVENTS = 500
MAX_OPEN_RECORDS = 20_000


class Consumer:
    """Delivers what the feed holds to one destination: `run`, and `stop` from elsewhere."""

    def __init__(
        self,
        config: DestinationConfig,
        settings: Destination,
        *,
        feed: Feed,
        state: State,
        ledger: Ledger,
        sender: Sender,
        observer: Observer,
        window: Window,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        name: str | None = None,
        fates: Fates | None = None,
        credentials: Credentials | None = None,
        bridge: Runtime | None = None,
    ) -> None:
        """`name` and `fates`, of a consumer that is not the destination's own: see `replaying`."""
        self.config = config
        self.settings = settings
        self.name = name or config.name
        self.window = window
        self.credentials = credentials
        self.fates = fates or Fates(config, self.window, ledger, observer, now)
        self.courier = Courier(config, settings, self.fates, sender, observer, clock, credentials, bridge)
        self.retries = Retries(
            self.name,
            state=state,
            feed=feed,
            fates=self.fates,
            courier=self.courier,
            ledger=ledger,
            start=self.start,
            sift=self._route_again,
            is_idle=lambda: not self._travelling,
            limits=(config.batch_size or settings.batch, settings.max_bytes),
        )
        self._routing = Routing(config, settings.title)
        self._takes_all = self._routing.is_open and self.courier.route.takes_all
        self._feed = feed
        self._ledger = ledger
        self._clock = clock
        self._batch_size = config.batch_size or settings.batch
        self._sources = None if config.sources is None else frozenset(config.sources)
        self._pending: list[Event] = []
        self._pending_bytes = 0
        self._pending_since = 0.0
        self._travelling = 0
        self._users: set[str] = set()
        self._loops: list[asyncio.Task[None]] = []
        self._group: asyncio.TaskGroup

    async def run(self) -> None:
        """Take, batch and send until stopped. Raises what went wrong beyond repair."""
        await self.retries.load()
        if self.courier.is_stopping:
            return
        async with asyncio.TaskGroup() as self._group:
            self._loops = [
                self._group.create_task(self._take_forever(), name=f"consume:{self.name}"),
                self._group.create_task(self.retries.run(), name=f"retry:{self.name}"),
            ]

    def stop(self) -> None:
        """Take nothing more; `run` returns when what is on its way has arrived."""
        self.courier.is_stopping = True
        for loop in self._loops:
            loop.cancel()
        self.courier.moved.wake()

    def pause(self, *, is_paused: bool) -> None:
        """Stop or start asking the destination; what is on its way arrives."""
        self.courier.is_paused = is_paused
        self.courier.moved.wake()

    def snapshot(self) -> tuple[object, ...]:
        """What the ledger saves: place and fates, as parameters of save_consumer."""
        taken, open_ranges = self.window.resume()
        ranges, delays = (orjson.dumps(some).decode() for some in (open_ranges, self.window.tally.delays))
        return (self.window.mark, taken, ranges, *self.fates.totals.values(), delays, self.name)

    async def _take_forever(self) -> None:
        while True:
            await self._ready_for_more()
            due_in = self._pending_since + self.config.batch_wait - self._clock() if self._pending else None
            if due_in is not None and due_in <= 0:
                await self._send_pending()
                continue
            groups, reached = await self._read()
            if reached == self.window.taken:
                await self._wait_for_events(due_in)
            else:
                await self._take(groups)
                self.window.skip_to(reached)

    async def _read(self) -> tuple[list[list[Event]], int]:
        return await self._feed.read(self.window.taken, READ_EVENTS)

    async def _ready_for_more(self) -> None:
        while self.courier.is_paused or self.window.open_records > MAX_OPEN_RECORDS:
            if self._pending and not self.courier.is_paused:
                await self._send_pending()  # it may be what keeps the records open
            else:
                await self.courier.moved.wait()
        await self._ledger.room()

    async def _wait_for_events(self, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._feed.wait(self.window.taken)
        except TimeoutError:
            pass

    async def _take(self, groups: list[list[Event]]) -> None:
        for some in groups:
            if not some or (self._sources is not None and some[0].source not in self._sources):
                continue
            if self.window.is_finished(some[0].sequence):
                continue
            self.window.take(some[0].sequence, len(some), some[0].received_at)
            for event in self._unsettled(some) if self.window.settled else some:
                if (
                    self._takes_all
                    and event.outcome is None
                    and event.integrations is None
                    and not self.fates.parked_users
                ):
                    await self._put(event)  # nearly always, and all that it may cost
                else:
                    await self._consider(event)

    def _unsettled(self, some: list[Event]) -> list[Event]:
        """The events of a record, but for those that an earlier process has parked or buried."""
        left = []
        for event in some:
            place = event.sequence, event.index
            if place in self.window.settled:
                self.window.settle(event.sequence, self.window.settled.pop(place))
            else:
                left.append(event)
        return left

    async def _consider(self, event: Event) -> None:
        if event.outcome is not None and event.outcome is not Outcome.FILTERED:
            self.fates.judged(event, event.outcome)
        elif isinstance(routed := self._routing.route(event), str):
            self.fates.filtered(event, routed)
        elif not self.courier.route.wants(routed):
            self.fates.filtered(event, NO_MAPPING)
        elif not self._park_behind(event):
            await self._put(routed)

    def _park_behind(self, event: Event) -> bool:
        """As of `fates`; what of the user is pending is parked first, or its successors would be tried before it."""
        if not self.fates.is_behind(event):
            return False
        self._pending = [one for one in self._pending if not self.fates.park_behind(one)]
        self._pending_bytes = sum([len(one.json) + 1 for one in self._pending])
        return self.fates.park_behind(event)

    def _route_again(self, event: Event) -> Event | str:
        return self._routing.route(event, again=True)

    async def _put(self, event: Event) -> None:
        if not self._pending:
            self._pending_since = self._clock()
        self._pending.append(event)
        self._pending_bytes += len(event.json) + 1
        if len(self._pending) >= self._batch_size or self._pending_bytes >= self.settings.max_bytes:
            await self._send_pending()

    async def _send_pending(self) -> None:
        events, self._pending, self._pending_bytes = self._pending, [], 0
        await self.start(Batch(events))

    async def start(self, batch: Batch) -> "asyncio.Task[None]":
        """Send `batch` as soon as fewer than `concurrency` travel, and with order kept none of its users does."""
        keys = {user_key(e) for e in batch.events} if self.fates.keeps_order else set()
        while self._travelling >= self.config.concurrency or not keys.isdisjoint(self._users):
            await self.courier.moved.wait()
        self._travelling += 1
        self._users |= keys
        return self._group.create_task(self._travel(batch, keys), name=f"deliver:{self.name}")

    async def _travel(self, batch: Batch, keys: set[str]) -> None:
        try:
            await self.courier.deliver(batch)
        finally:
            self._travelling -= 1
            self._users -= keys
            self.courier.moved.wake()

"""The consumer of a replay.

It is the destination's consumer with a cursor and a retry table of its own, a gate of its own that yields to live
delivery, and an end: when it has gone through its part of the log and nothing is parked any more, it stops by
itself. A dry run is one that never sends: see `dry_run`.
"""

import asyncio
import time
from collections.abc import Callable, Sequence

import msgspec

from relay import metrics
from relay.bucket import Bucket
from relay.delivery.config import DestinationConfig
from relay.delivery.consumer import READ_EVENTS, Consumer
from relay.delivery.credentials import Credentials
from relay.delivery.fates import Fates
from relay.delivery.ledger import Ledger
from relay.delivery.observer import Observer
from relay.delivery.pace import Gate
from relay.delivery.replay import Address, Replay, Selection
from relay.delivery.sender import Sender
from relay.delivery.window import Window
from relay.destinations.base import Destination, Request
from relay.destinations.bridge.runtime import Runtime
from relay.destinations.reply import Reply
from relay.destinations.secrets import Mask
from relay.destinations.segment import Segment
from relay.event import Event
from relay.log.feed import Feed
from relay.log.state import SQL, State
from relay.outcome import Outcome

# While events come in, a replay takes small portions, and after each leaves the loop to others for a multiple of the
# time that the portion took: an answer to a sender must not wait behind what has waited for days.
PORTION = 100  # events: a millisecond or two
GIVE_WAY = 3.0
LONGEST_PAUSE = 0.02  # seconds: what took longer waited for the destination
QUIET_SECONDS = 0.5  # since the last event came in

LOOK_SECONDS = 0.25  # between looks at what a replay waits for
BURST_SECONDS = 0.1  # of `rate`, let through at once: as of a destination's `rate_limit`


class Marked:
    """An observer that is told of a replay's attempts, as those of `NAME (replay)`."""

    def __init__(self, observer: Observer, destination: str) -> None:
        self._observer = observer
        self._name = f"{destination} (replay)"

    def attempted(
        self,
        destination: str,  # noqa: ARG002
        events: Sequence[Event],
        request: Request,
        reply: Reply,
        masked: Mask,
        *,
        is_last: bool = True,
    ) -> None:
        self._observer.attempted(self._name, events, request, reply, masked, is_last=is_last)

    def settled(self, destination: str, event: Event, fate: str, reason: str, detail: str = "") -> None:  # noqa: ARG002
        self._observer.settled(self._name, event, fate, reason, detail)


class ReplayFates(Fates):
    """Fates that are noted in the replay's name, and counted apart from those of live delivery."""

    def __init__(
        self,
        name: str,
        config: DestinationConfig,
        window: Window,
        ledger: Ledger,
        observer: Observer,
        now: Callable[[], float],
    ) -> None:
        super().__init__(config, window, ledger, observer, now)
        self._name = name
        self._bound = {o: metrics.REPLAYED.labels(config.name, o) for o in Outcome}


class ReplayGate(Gate):
    """A gate that stays shut while live delivery waits for the same destination, or probes it.

    A live gate that is held, and whose wait is over without anybody having something to send, says nothing about
    the destination any more: the replay is then its own probe.
    """

    def __init__(
        self,
        cap: int,
        per_second: float | None,
        live: Callable[[], Gate | None],
        clock: Callable[[], float],
    ) -> None:
        super().__init__(cap, per_second, clock)
        self._live = live

    def look(self) -> float | None:
        """As of any gate; while live delivery is held, not yet."""
        live = self._live()
        if live is not None and live.is_held and (live.active > 0 or live.opens_in > 0):
            return LOOK_SECONDS
        return super().look()


def gentle(config: DestinationConfig) -> DestinationConfig:
    """A destination's configuration for its replays: half of what live delivery may ask of it."""
    return msgspec.structs.replace(
        config,
        concurrency=max(1, config.concurrency // 2),
        rate_limit=None if config.rate_limit is None else config.rate_limit / 2,
    )


class Replaying(Consumer):
    """Delivers the events of a replay. `is_done` once every one of them has its fate.

    `live` gives the gate of live delivery to the same destination, None while there is none.
    """

    def __init__(
        self,
        replay: Replay,
        config: DestinationConfig,
        settings: Destination,
        *,
        feed: Feed,
        state: State,
        ledger: Ledger,
        sender: Sender,
        observer: Observer,
        window: Window,
        live: Callable[[], Gate | None],
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        fates: Fates | None = None,
        credentials: Credentials | None = None,
        bridge: Runtime | None = None,
    ) -> None:
        config, marked = gentle(config), Marked(observer, config.name)
        super().__init__(
            config,
            settings,
            feed=feed,
            state=state,
            ledger=ledger,
            sender=sender,
            observer=marked,
            window=window,
            clock=clock,
            now=now,
            name=replay.name,
            fates=fates or ReplayFates(replay.name, config, window, ledger, marked, now),
            credentials=credentials,
            bridge=bridge,
        )
        self.courier.gate = ReplayGate(config.concurrency, config.rate_limit, live, clock)
        self.is_done = False
        self._last = replay.last
        self._state = state
        self._live_cursor = feed.cursor
        self._live_at = self._read_at = clock() - QUIET_SECONDS
        self._selects = Selection(replay.query)
        names = (config.name, settings.title, *settings.also_called)
        self._addressed = Address(names, forwards=isinstance(settings, Segment))
        rate = replay.query.rate
        self._bucket = None if rate is None else Bucket(rate, max(1.0, rate * BURST_SECONDS), clock)

    async def _read(self) -> tuple[list[list[Event]], int]:
        """As any consumer, but never past the last sequence."""
        if self.window.taken >= self._last:
            return [], self.window.taken
        groups, reached = await self._feed.read(self.window.taken, await self._portion())
        excess = reached - self._last
        if excess <= 0:
            return groups, reached
        return groups[:-excess], self._last

    async def _portion(self) -> int:
        """How many events to read: see above."""
        now = self._clock()
        if self._feed.cursor != self._live_cursor:
            self._live_cursor, self._live_at = self._feed.cursor, now
        if now - self._live_at > QUIET_SECONDS:
            return READ_EVENTS
        await asyncio.sleep(min(GIVE_WAY * (now - self._read_at), LONGEST_PAUSE))
        self._read_at = self._clock()
        return PORTION

    async def _take(self, groups: list[list[Event]]) -> None:
        await super()._take([[self._seen(e) for e in some if self._selects(e)] for some in groups])

    def _seen(self, event: Event) -> Event:
        return self._addressed(event) if event.outcome is None else event

    def _route_again(self, event: Event) -> Event | str:
        return super()._route_again(self._seen(event))

    async def _put(self, event: Event) -> None:
        while self._bucket is not None and (seconds := self._bucket.wait()):
            if self._pending and self._clock() + seconds > self._pending_since + self.config.batch_wait:
                await self._send_pending()
            await asyncio.sleep(seconds)
        await super()._put(event)

    async def _wait_for_events(self, seconds: float | None) -> None:  # noqa: ARG002
        """Nothing more will come: send what is pending, wait for what is open, then end."""
        if self._pending:
            await self._send_pending()
        elif self.window.open_records or await self._parked():
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self.courier.moved.wait()
            except TimeoutError:
                pass
        else:
            self.is_done = True
            self.stop()

    async def _parked(self) -> int:
        await self._ledger.flush()
        name = (self.name,)
        count: int = await self._state.read(lambda c: c.execute(SQL["count_parked"], name).fetchone()[0])
        return count

"""All consumers that send: started, changed and stopped as the configuration says, watched, and paused.

A destination that was away (not configured, or not enabled) comes back at the head: it is not sent what happened
meanwhile. One that is new to the data directory starts at the beginning only if the log is as new as it is.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import structlog

from relay import metrics
from relay.database import row_to_dict
from relay.delivery.account import Account
from relay.delivery.config import DestinationConfig
from relay.delivery.consumer import Consumer
from relay.delivery.credentials import Accounts
from relay.delivery.ledger import Ledger
from relay.delivery.logins import Logins
from relay.delivery.observer import Observer
from relay.delivery.sender import Sender
from relay.delivery.tally import Tally, Why
from relay.delivery.window import Window
from relay.destinations.base import Destination
from relay.destinations.bridge.runtime import Runtime
from relay.log.feed import Feed
from relay.log.state import SQL, State, rows_json
from relay.outcome import Outcome

log = structlog.get_logger()

RESTART_SECONDS = 5.0  # after a fault of our own
STOP_SECONDS = 10.0  # for what is on its way


class Delivery:
    """The running consumers, by destination name."""

    def __init__(
        self, feed: Feed, state: State, observer: Observer, encryption_key: str | None = None
    ) -> None:
        self.consumers: dict[str, Consumer] = {}
        self.bridge: Runtime | None = None  # what runs bridged destinations; set before `apply`
        self.sender = Sender.open()
        self.accounts = Accounts(state, self.sender, encryption_key)
        self.logins = Logins(self.accounts, self._logged_in)
        self.ledger = Ledger(state)
        self._feed = feed
        self._state = state
        self._observer = observer
        self._runs: dict[str, asyncio.Task[None]] = {}
        self._changing = asyncio.Lock()

    async def apply(
        self, destinations: Sequence[DestinationConfig], settings: Mapping[str, Destination]
    ) -> None:
        """Make the consumers those of `destinations`: what is unchanged goes on undisturbed."""
        async with self._changing:
            await self._apply(destinations, settings)

    async def _apply(
        self, destinations: Sequence[DestinationConfig], settings: Mapping[str, Destination]
    ) -> None:
        self.accounts.apply(destinations, settings)
        wanted = {d.name: d for d in destinations if d.enabled}
        gone = [
            name
            for name, consumer in self.consumers.items()
            if name not in wanted or (consumer.config, consumer.settings) != (wanted[name], settings[name])
        ]
        await asyncio.gather(*(self._stop(name) for name in gone))
        await self.ledger.flush()
        names = rows_json(wanted)
        await self._state.write(lambda c: c.execute(SQL["mark_absent"], (names,)) and None)
        for name, config in wanted.items():
            if name not in self.consumers:
                await self._start(config, settings[name])

    async def close(self) -> None:
        """Stop all, let what is on its way arrive, and save every cursor."""
        async with self._changing:
            await asyncio.gather(*(self._stop(name) for name in list(self.consumers)))
        await self.ledger.flush()
        await self.accounts.close()
        await self.sender.close()

    async def pause(self, name: str, *, is_paused: bool) -> None:
        """Pause or resume a destination, over restarts. Raises KeyError for one that does not run."""
        self.consumers[name].pause(is_paused=is_paused)
        await self._state.write(lambda c: c.execute(SQL["set_paused"], (is_paused, name)) and None)

    def _logged_in(self, account: Account) -> None:
        for consumer in self.consumers.values():
            if consumer.credentials is not None and consumer.credentials.account is account:
                consumer.courier.try_again()

    @property
    def mark(self) -> int | None:
        """The slowest consumer's low-water mark, None without consumers."""
        return min((c.window.mark for c in self.consumers.values()), default=None)

    async def _start(self, config: DestinationConfig, settings: Destination) -> None:
        consumer = await self._consumer(config, settings)
        self._take_up(consumer)
        self._runs[config.name] = asyncio.create_task(self._run(consumer), name=f"destination:{config.name}")

    def _take_up(self, consumer: Consumer) -> None:
        self.consumers[consumer.name] = consumer
        self.ledger.follow(consumer.name, consumer.snapshot, consumer.window.tally)

    async def _consumer(self, config: DestinationConfig, settings: Destination) -> Consumer:
        """One that goes on where the state database says."""
        row = await self._state.write(lambda connection: _enrol(connection, config))
        credentials = self.accounts.credentials(config, settings)
        if credentials is not None:
            credentials.account.retry_at_once()
        consumer = Consumer(
            config,
            settings,
            feed=self._feed,
            state=self._state,
            ledger=self.ledger,
            sender=self.sender,
            observer=self._observer,
            window=Window(
                row["cursor"],
                row["taken"],
                orjson.loads(row["open_ranges"]),
                row["tally"],
                settled=row["settled"],
            ),
            credentials=credentials,
            bridge=self.bridge,
        )
        consumer.fates.counts.update({o: row[o] for o in Outcome})
        consumer.courier.is_paused = bool(row["is_paused"])
        return consumer

    async def _run(self, consumer: Consumer) -> None:
        """Until it is stopped: a fault of our own costs a pause, and what was not noted is repeated."""
        while not await self._has_run(consumer):
            with contextlib.suppress(sqlite3.Error):
                await self.ledger.flush()
            self.ledger.unfollow(consumer.name)
            again = await self._again(consumer)
            if again is None:
                return
            self._take_up(again)
            consumer = again

    async def _has_run(self, consumer: Consumer) -> bool:
        try:
            await consumer.run()
        except Exception:
            log.exception("delivery failed by a fault of relay's own, restarting", destination=consumer.name)
            return False
        return True

    async def _again(self, failed: Consumer) -> Consumer | None:
        """One in the place of `failed`, after a pause; None when that is told to stop."""
        again = None
        while again is None:
            await asyncio.sleep(RESTART_SECONDS)
            if failed.courier.is_stopping:
                return None
            try:
                again = await self._consumer(failed.config, failed.settings)
            except sqlite3.Error as error:
                log.error(
                    "a destination cannot go on, trying again", destination=failed.name, error=str(error)
                )
        return None if failed.courier.is_stopping else again

    async def _stop(self, name: str) -> None:
        """Let what is on its way arrive, and save the cursor. Begun again, if it was given up in the middle."""
        consumer, run = self.consumers[name], self._runs[name]
        consumer.stop()
        done, _ = await asyncio.wait([run], timeout=STOP_SECONDS)
        if not done:
            run.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await run
        await self.ledger.flush()
        self.ledger.unfollow(name)
        del self.consumers[name], self._runs[name]

    def states(self) -> dict[str, str]:
        """Of each destination: running, paused, or held since it cannot."""
        return {name: consumer.courier.state for name, consumer in self.consumers.items()}

    async def status(self) -> list[dict[str, Any]]:
        """One object a destination: where it stands, its fates, what it waits for."""
        # a list of its own: a reload may change them meanwhile
        return [await self._status_of(consumer) for consumer in list(self.consumers.values())]

    async def _status_of(self, consumer: Consumer) -> dict[str, Any]:
        name = (consumer.name,)

        def counts(connection: sqlite3.Connection) -> tuple[int, int]:
            (parked,) = connection.execute(SQL["count_parked"], name).fetchone()
            (dead,) = connection.execute(SQL["count_dead_letters"], name).fetchone()
            return parked, dead

        parked, dead = await self._state.read(counts)
        gate = consumer.courier.gate
        lag = max(0, self._feed.cursor - consumer.window.mark)  # one that is new may be ahead of the feed
        self._measure(consumer, lag, parked, dead)
        return {
            "name": consumer.name,
            "type": consumer.config.type,
            "state": consumer.courier.state,
            "cursor": consumer.window.mark,
            "lag": lag,
            "retrying": parked,
            "deadLetters": dead,
            "concurrency": gate.concurrency.limit,
            "opensInSeconds": round(gate.opens_in, 3),
            "lastError": consumer.courier.last_error,
            "login": None if consumer.credentials is None else await consumer.credentials.status(),
            "events": {str(o): n for o, n in consumer.fates.totals.items()},
        }

    def _measure(self, consumer: Consumer, lag: int, parked: int, dead: int) -> None:
        gate = consumer.courier.gate
        metrics.LAG.labels(consumer.name).set(lag)
        metrics.PARKED.labels(consumer.name).set(parked)
        metrics.DEAD_LETTERS.labels(consumer.name).set(dead)
        metrics.CONCURRENCY.labels(consumer.name).set(gate.concurrency.limit)
        metrics.HELD.labels(consumer.name).set(gate.is_held)


def _enrol(connection: sqlite3.Connection, config: DestinationConfig) -> dict[str, Any]:
    """The row of a consumer, made or brought back to the head if need be.

    `tally` is what it has counted, `settled` what of records that are not finished is parked or buried. The head is what
    admission has written, not yet what the feed has: what comes after is due here, and counted so.
    """
    name = config.name
    (head,) = connection.execute(SQL["admission_cursor"]).fetchone()
    found = connection.execute(SQL["consumer"], (name,))
    row = found.fetchone()
    if row is None:
        connection.execute(SQL["add_consumer"], (name, head))
    elif row_to_dict(found, row)["is_absent"]:
        connection.execute(SQL["return_consumer"], (head, name))
    sources = None if config.sources is None else rows_json(config.sources)
    connection.execute(SQL["set_consumer_sources"], (sources, name))
    found = connection.execute(SQL["consumer"], (name,))
    kept = row_to_dict(found, found.fetchone())
    reasons = connection.execute(SQL["fate_reasons"], (name,)).fetchall()
    settled = {
        (sequence, place): None if outcome is None else Why(Outcome(outcome), reason, place)
        for sequence, place, outcome, reason in connection.execute(
            SQL["settled_after"], (name, kept["cursor"])
        )
    }
    return kept | {"tally": Tally(reasons, orjson.loads(kept["delays"])), "settled": settled}

"""What is to be sent waits in the state database until its channel has taken it, over restarts too.

Each channel of a rule is a queue of its own: one message at a time, the oldest first, and a channel that fails is tried
again after 10 s, then 20 s, up to an hour, for a day. So one that is down holds up no other, and is not stormed when it
is back. Delivery is at least once: a crash between a channel's yes and its note repeats a message, under the same key.
"""

import asyncio
import random
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import msgspec
import structlog

from relay import metrics
from relay.alerts.channels import Channel, Failed
from relay.alerts.message import Message
from relay.database import named_queries
from relay.log.state import State, rows_json

FIRST_SECONDS = 10.0  # before the second try, doubling
MAX_SECONDS = 3600.0
GIVE_UP_SECONDS = 86_400.0  # a day: who does not hear of it by then looks elsewhere
MAX_WAITING = 24  # of one channel: a day's worth at an hour of quiet; then the oldest has to go
STOP_SECONDS = 5.0  # for what is on its way when relay stops

SQL = named_queries("relay.log", "sql/alerts.sql")
Key = tuple[str, str]  # alert, channel

log = structlog.get_logger()
_decode = msgspec.json.Decoder(Message).decode


class Waiting(NamedTuple):
    """The oldest message for a channel. `waiting`: how many there are."""

    id: int
    alert: str
    channel: str
    message: str
    made_at: int
    attempts: int
    next_at: int
    problem: str | None
    waiting: int


def add(connection: sqlite3.Connection, messages: Iterable[Message], channels: Iterable[Key]) -> None:
    """Write down messages, for every channel of their alerts. A part of the transaction that decides on them."""
    by_alert = {message.alert: message for message in messages}
    rows = [
        (alert, channel, msgspec.json.encode(by_alert[alert]).decode(), by_alert[alert].at)
        for alert, channel in channels
        if alert in by_alert
    ]
    connection.execute(SQL["add_alert_messages"], (rows_json(rows),))


def waiting(connection: sqlite3.Connection) -> list[Waiting]:
    return [Waiting(*row) for row in connection.execute(SQL["waiting_alert_messages"])]


def delay(attempts: int, rand: Callable[[], float]) -> float:
    """Seconds until the next try after `attempts`, spread by a quarter."""
    seconds: float = min(FIRST_SECONDS * 2 ** min(attempts - 1, 20), MAX_SECONDS)
    return seconds * (0.75 + rand() / 2)


class Outbox:
    """Sends what waits. `freed` is called when a channel may be given its next message."""

    def __init__(
        self,
        state: State,
        clock: Callable[[], int],
        freed: Callable[[], None],
        rand: Callable[[], float] = random.random,
    ) -> None:
        """`clock` gives ms."""
        self._state = state
        self._clock = clock
        self._freed = freed
        self._rand = rand
        self._busy: dict[Key, asyncio.Task[None]] = {}
        self._unwritten: dict[int, str | None] = {}  # what became of messages, until that is written down

    async def dispatch(self, channels: Mapping[Key, Channel]) -> int | None:
        """Begin to send what is due. When the next one is, None: nothing waits."""
        now = self._clock()
        next_at: int | None = None
        for one in await self._state.read(waiting):
            key = (one.alert, one.channel)
            if key in self._busy or key not in channels:
                continue
            if one.next_at <= now:
                self._busy[key] = asyncio.create_task(
                    self._send(one, channels[key]), name=f"alert:{one.alert}"
                )
            else:
                next_at = one.next_at if next_at is None else min(next_at, one.next_at)
        return next_at

    async def settled(self) -> None:
        """Return when nothing is on its way any more."""
        if self._busy:
            await asyncio.wait(self._busy.values())

    async def close(self) -> None:
        """Let what is on its way arrive, within a limit: cut off it would be sent again after the next start."""
        tasks = list(self._busy.values())
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _send(self, one: Waiting, channel: Channel) -> None:
        try:
            if one.id not in self._unwritten:
                self._unwritten[one.id] = await self._attempt(one, channel)
            problem = self._unwritten[one.id]
            if problem is None:
                await self._sent(one)
            else:
                await self._failed(one, problem)
            del self._unwritten[one.id]
        except sqlite3.Error as error:
            log.error(
                "what became of an alert cannot be written down, a restart may repeat it",
                alert=one.alert,
                channel=one.channel,
                error=str(error),
            )
        finally:
            del self._busy[one.alert, one.channel]
            self._freed()

    async def _attempt(self, one: Waiting, channel: Channel) -> str | None:
        try:
            message = _decode(one.message)
        except msgspec.DecodeError:
            return "it was written by another version of relay"
        return await attempt(channel, message, f"{self._state.log_id}-{one.id}")

    async def _sent(self, one: Waiting) -> None:
        now = self._clock()

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(SQL["drop_alert_message"], (one.id,))
            connection.execute(SQL["alert_sent"], (now, one.alert))

        await self._state.write_through(work)
        _count(one, "sent")
        log.info("alert sent", alert=one.alert, channel=one.channel)

    async def _failed(self, one: Waiting, problem: str) -> None:
        attempts, now = one.attempts + 1, self._clock()
        next_at = now + int(delay(attempts, self._rand) * 1000)
        if next_at - one.made_at > GIVE_UP_SECONDS * 1000 or one.waiting > MAX_WAITING:
            await self._write("drop_alert_message", one.id)
            _count(one, "given_up")
            log.error("an alert was given up", alert=one.alert, channel=one.channel, problem=problem)
            return
        await self._write("postpone_alert_message", attempts, next_at, problem, one.id)
        _count(one, "failed")
        log.warning(
            "an alert could not be sent, it is tried again",
            alert=one.alert,
            channel=one.channel,
            problem=problem,
            attempts=attempts,
        )

    async def _write(self, statement: str, *values: Any) -> None:
        await self._state.write_through(lambda connection: connection.execute(SQL[statement], values))


async def attempt(channel: Channel, message: Message, key: str) -> str | None:
    """Try to send a message: None, or why it did not go."""
    try:
        await channel.send(message, key)
    except Failed as failed:
        return str(failed)
    except Exception as error:  # noqa: BLE001  a fault of ours must neither stop relay nor show what it was given
        log.error("an alert's channel failed", alert=message.alert, error=type(error).__name__)
        return "a fault of relay"
    return None


def _count(one: Waiting, outcome: str) -> None:
    metrics.ALERTS.labels(one.alert, one.channel, outcome).inc()

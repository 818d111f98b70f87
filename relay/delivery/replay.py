"""What a replay is: stored events, delivered to one destination again, or for the first time.

A `Query` says which events: those received between two moments, of some sources, of some names, of some users, and
that match a filter. All of it must hold; what is left out, or empty, holds for every event. Moments are ISO 8601, or
a duration back from now. The request for a replay is this object as JSON, in camel case:

    {"destination": "orders", "since": "3d", "events": ["Order Completed"], "rate": 100}

What is sent says in `integrations` that it is for this destination alone, as Segment's replays do; options that the
event held for the destination are kept. To Segment and to another relay an event goes with its own `integrations`:
there they say where it goes next.
"""

import math
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from relay.body import encode
from relay.destinations.fql import FqlError, compile_filter
from relay.errors import RelayError
from relay.event import Event
from relay.times import format_iso, moment_ms

RUNNING, DONE, CANCELLED, FAILED = "running", "done", "cancelled", "failed"
PREFIX = "replay:"  # of a replay's own cursor and retry table; no destination has a colon in its name

_EMPTY = b',"integrations":{}}'  # how nearly every event ends: see admission


class BadQuery(RelayError):
    """A replay that cannot be made of what was asked for; the sentence begins with the field."""


class Query(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Which events go where. `since` and `until` are ISO 8601 once it has been read; `rate`: events a second."""

    destination: str
    since: str | None = None  # None: from the beginning of the log
    until: str | None = None  # None: up to now
    sources: tuple[str, ...] = ()
    events: tuple[str, ...] = ()  # names or types
    users: tuple[str, ...] = ()  # userId or anonymousId
    filter: str | None = None  # FQL
    rate: float | None = None
    dry_run: bool = False


class Replay(msgspec.Struct, frozen=True):
    """A replay as the state database has it. Times in ms; `first` to `last` are the sequences it goes through."""

    id: int
    query: Query
    first: int
    last: int
    state: Literal["running", "done", "cancelled", "failed"]
    reason: str | None
    started_at: int
    ended_at: int | None
    found: dict[str, dict[str, int]]  # of a dry run: by event name, how many of each fate

    @property
    def name(self) -> str:
        """Of its cursor and its retry table."""
        return f"{PREFIX}{self.id}"


def read_query(body: Mapping[str, Any], now: int) -> Query:
    """A query that is right in itself, its moments fixed. Raises BadQuery. `now` in ms."""
    try:
        query = msgspec.convert(body, Query)
    except msgspec.ValidationError as error:
        raise BadQuery(str(error)) from None
    since = None if query.since is None else _moment("since", query.since, now)
    until = None if query.until is None else _moment("until", query.until, now)
    if since is not None and since > (now if until is None else until):
        raise BadQuery(
            "since: must not be after `until`" if until is not None else "since: lies in the future"
        )
    if query.rate is not None and not (math.isfinite(query.rate) and query.rate > 0):
        raise BadQuery("rate: must be more than 0 events a second")
    if query.filter is not None:
        try:
            compile_filter(query.filter)
        except FqlError as error:
            raise BadQuery(f"filter: {error}") from None
    return msgspec.structs.replace(
        query,
        since=None if since is None else format_iso(since),
        until=None if until is None else format_iso(until),
    )


def _moment(field: str, text: str, now: int) -> int:
    """The moment in ms: not before 1970, and `until` not after now."""
    try:
        ms = moment_ms(text, now)
    except ValueError as error:
        raise BadQuery(f"{field}: {error}") from None
    return min(ms, now) if field == "until" else ms


class Selection:
    """A query, compiled: says of each event whether it is meant. Time is left to who reads the log."""

    def __init__(self, query: Query) -> None:
        self._sources = frozenset(query.sources)
        self._events = frozenset(query.events)
        self._users = frozenset(query.users)
        self._matches = None if query.filter is None else compile_filter(query.filter)
        self._looks_inside = bool(query.events or query.users or query.filter)

    def __call__(self, event: Event) -> bool:
        if self._sources and event.source not in self._sources:
            return False
        return not self._looks_inside or self._is_meant(event.data)

    def _is_meant(self, data: dict[str, Any]) -> bool:
        if self._events and not any(_is_in(data.get(key), self._events) for key in ("event", "name", "type")):
            return False
        if self._users and not any(_is_in(data.get(key), self._users) for key in ("userId", "anonymousId")):
            return False
        try:
            return self._matches is None or self._matches(data)
        except FqlError:  # a filter fails closed
            return False


def _is_in(value: Any, names: frozenset[str]) -> bool:
    return type(value) is str and value in names


class Address:
    """Makes events say that they are for one destination alone.

    `names`: the destination's own, its type's title, and further ones of its tool.

    `forwards`: the destination sends them on to others by what they say, so it is only told here, not sent.
    """

    def __init__(self, names: tuple[str, ...], *, forwards: bool = False) -> None:
        self._names = names
        self._forwards = forwards
        self._alone: dict[str, Any] = {"All": False, names[1]: True}
        self._tail = b',"integrations":' + (encode(self._alone) or b"{}") + b"}"

    def __call__(self, event: Event) -> Event:
        """The event with `integrations` replaced."""
        if self._forwards:
            return msgspec.structs.replace(event, integrations=self._alone)
        if event.integrations is None and event.json.endswith(_EMPTY):
            json = event.json[: -len(_EMPTY)] + self._tail
            return msgspec.structs.replace(event, json=json, integrations=self._alone, decoded=None)
        given = event.integrations or {}
        options = {name: given[name] for name in self._names if type(given.get(name)) is dict}
        integrations = self._alone | options
        data = event.data | {"integrations": integrations}
        json = encode(data) or event.json  # None: nested as deeply as can be read, not written
        return msgspec.structs.replace(event, json=json, integrations=integrations, decoded=data)

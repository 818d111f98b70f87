"""From events to payloads to parcels: the subscriptions of one destination, compiled.

For each subscription whose FQL an event matches: its mapping, then the action's fields. What travels together
is decided here; a payload that cannot be is a parcel of its own that ends refused, before anything is sent.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

import msgspec

from relay.body import encode
from relay.destinations.actions.action import Action, ActionDestination, Call, Subscription
from relay.destinations.actions.fused import compile_fused
from relay.destinations.actions.schema import Fitting
from relay.destinations.base import Parcel, Route, Steps
from relay.destinations.errors import DeliveryError, Refused
from relay.destinations.fql import compile_subscription
from relay.destinations.mapping import MappingError, compile_mapping
from relay.event import Event

SYNC_MODE = "__segment_internal_sync_mode"
DIGEST_CHARACTERS = 8

NAMES_KEPT = 2000  # event names whose subscriptions are remembered
LONGEST_NAME = 200  # characters of such a name

Now = Callable[[], float]
Name = tuple[Any, Any]


class Asks(Protocol):
    """A subscription as a route needs it: which events, and what travels together of them."""

    matches: Callable[[Mapping[str, Any]], bool]
    is_by_name: bool
    digest: str

    def parcels(self, events: Sequence[Event], *, is_batch: bool) -> Iterable[Parcel]:
        """What is sent for `events`, all of which match."""


class ActionRoute(Route):
    """`subscriptions` in their order, for one destination."""

    takes_all = False

    def __init__(
        self, settings: ActionDestination, subscriptions: Iterable[Subscription], now: Now = time.time
    ) -> None:
        super().__init__(settings)
        self.legs: Sequence[Asks] = [Leg(settings, one, now) for one in subscriptions if one.enabled]
        alike: Counter[str] = Counter()
        for leg in self.legs:
            alike[said := leg.digest] += 1
            if alike[said] > 1:  # two that say the same are two all the same
                leg.digest = f"{said}.{alike[said]}"
        self._by_name: dict[Name, list[Asks]] = {}

    def wants(self, event: Event) -> bool:
        return bool(self._legs_of(event.data))

    def parcels(self, events: Sequence[Event], *, is_batch: bool) -> list[Parcel]:
        wanted: dict[Asks, list[Event]] = {leg: [] for leg in self.legs}
        for event in events:
            for leg in self._legs_of(event.data):
                wanted[leg].append(event)
        return [
            parcel for leg, some in wanted.items() if some for parcel in leg.parcels(some, is_batch=is_batch)
        ]

    def _legs_of(self, data: Mapping[str, Any]) -> list[Asks]:
        """The subscriptions that ask for an event: most look at type and name only, and are asked once for each."""
        name = data.get("type"), data.get("event")
        try:
            legs = self._by_name.get(name)
        except TypeError:  # a name that is no text
            return [leg for leg in self.legs if leg.matches(data)]
        if legs is None:
            legs = [leg for leg in self.legs if not leg.is_by_name or leg.matches(data)]
            self._remember(name, legs)
        if all(leg.is_by_name for leg in legs):
            return legs
        return [leg for leg in legs if leg.is_by_name or leg.matches(data)]

    def _remember(self, name: Name, legs: list[Asks]) -> None:
        if isinstance(name[1], str) and len(name[1]) > LONGEST_NAME:
            return
        if len(self._by_name) >= NAMES_KEPT:
            self._by_name.clear()
        self._by_name[name] = legs


class Leg:
    """One subscription. Raises MappingError for a mapping, and KeyError for an action, that cannot be."""

    def __init__(self, settings: ActionDestination, subscription: Subscription, now: Now) -> None:
        self.subscription = subscription
        self.action: Action = settings.actions[subscription.action]
        self.mapping: Mapping[str, Any] = (
            self.action.default_mapping() if subscription.mapping is None else subscription.mapping
        )
        compiled = compile_subscription(subscription.subscribe)
        self.matches = compiled.matches
        self.is_by_name = is_by_name(compiled.tree)
        self.digest = digest_of(subscription)
        self._map = compile_mapping(self.mapping)
        self._fitting = Fitting(self.action.fields)
        self._payload = compile_fused(self.mapping, self._fitting, self._mapped)
        self._payload_with_empty = compile_fused(
            self.mapping, self._fitting, partial(self._mapped, keeps_empty=True), keeps_empty=True
        )
        self._settings = settings
        self._now = now
        self._sync_mode = self.mapping.get(SYNC_MODE) or next(iter(self.action.sync_modes), None)

    def call(self, event: Event, *, keeps_empty: bool = False) -> Call:
        """The action's payload for an event. Raises `Refused`."""
        data = event.data
        try:
            payload = self._payload_with_empty(data) if keeps_empty else self._payload(data)
        except MappingError as error:
            raise Refused(f"the mapping failed at {error}", "INVALID_MAPPING") from None
        return Call(payload, data, int(self._now() * 1000), self._sync_mode, self.mapping)

    def _mapped(self, data: Mapping[str, Any], *, keeps_empty: bool = False) -> dict[str, Any]:
        mapped = self._map(data)
        return self._fitting.fit(mapped if type(mapped) is dict else {}, keeps_empty=keeps_empty)

    def parcels(self, events: Sequence[Event], *, is_batch: bool) -> Iterable[Parcel]:
        groups: dict[Hashable, _Group] = {}
        keeps_empty = is_batch and self.action.keeps_empty_in_batches
        for event in events:
            try:
                call = self.call(event, keeps_empty=keeps_empty)
            except Refused as error:
                yield Parcel((event,), self.digest, _refuser(error))
                continue
            if not (is_batch and self._is_batched(call)):
                yield self._parcel([event], [self.call(event) if keeps_empty else call], is_batch=False)
                continue
            key = self._key(call)
            group = groups.setdefault(key, _Group())
            weight = self.action.weight(call) if self.action.weight is not None else 1
            if group.is_full(event, weight, self._most(call), self._settings.max_bytes):
                yield self._parcel(group.events, group.calls, is_batch=True)
                group = groups[key] = _Group()
            group.add(event, call, weight)
        for group in groups.values():
            yield self._parcel(group.events, group.calls, is_batch=True)

    def _is_batched(self, call: Call) -> bool:
        if self.action.perform_batch is None:
            return False
        is_asked = call.payload.get("enable_batching")
        return is_asked is True if not self.action.batches_unasked else is_asked is not False

    def _most(self, call: Call) -> int:
        size = call.payload.get("batch_size")
        return min(size, self.action.max_batch) if type(size) is int and size > 0 else self.action.max_batch

    def _key(self, call: Call) -> Hashable:
        names = call.payload.get("batch_keys")
        own = self.action.batch_key(call) if self.action.batch_key is not None else None
        if not isinstance(names, list):
            return own
        return own, encode([call.payload.get(str(name)) for name in names])

    def _parcel(self, events: list[Event], calls: list[Call], *, is_batch: bool) -> Parcel:
        """The calls serve the first try; later ones, which are rare, map again and hold no memory."""
        once = [calls]

        def begin(some: Sequence[Event]) -> Steps:
            mapped = once.pop() if once else None
            if mapped is None or len(mapped) != len(some):
                keeps_empty = is_batch and self.action.keeps_empty_in_batches
                mapped = [self.call(event, keeps_empty=keeps_empty) for event in some]
            return self._perform(mapped, is_batch=is_batch)

        return Parcel(events, self.digest, begin)

    def _perform(self, calls: list[Call], *, is_batch: bool) -> Steps:
        """A batch of one is a batch: it may go another way than a single event, and be told apart by other fields."""
        if is_batch and self.action.perform_batch is not None:
            return self.action.perform_batch(self._settings, calls)
        return self.action.perform(self._settings, calls[0])


class _Group(msgspec.Struct):
    """What goes into one request so far."""

    events: list[Event] = msgspec.field(default_factory=list)
    calls: list[Call] = msgspec.field(default_factory=list)
    size: int = 0
    weight: int = 0

    def is_full(self, event: Event, weight: int, most: int, max_bytes: int) -> bool:
        if not self.events:
            return False
        return self.weight + weight > most or self.size + len(event.json) > max_bytes

    def add(self, event: Event, call: Call, weight: int) -> None:
        self.events.append(event)
        self.calls.append(call)
        self.size += len(event.json)
        self.weight += weight


def _refuser(error: DeliveryError) -> Callable[[Sequence[Event]], Steps]:
    def refused(_: Sequence[Event]) -> Steps:
        raise error
        yield  # a flow without a request

    return refused


def is_by_name(tree: Mapping[str, Any] | None) -> bool:
    """Whether a subscription looks at nothing but an event's type and name."""
    if tree is None:
        return True
    if tree["type"] == "group":
        return all(map(is_by_name, tree["children"]))
    return tree["type"] in ("event-type", "event")


def digest_of(subscription: Subscription) -> str:
    said = msgspec.json.encode((subscription.action, subscription.subscribe, subscription.mapping))
    return hashlib.sha256(said).hexdigest()[:DIGEST_CHARACTERS]

"""From events to calls of the package: which subscription asks for an event is decided here, its mapping there."""

import time
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from relay.destinations.actions import ActionDestination, Subscription
from relay.destinations.actions.route import ActionRoute, digest_of, is_by_name
from relay.destinations.base import Parcel
from relay.destinations.bridge.catalogue import Bridged
from relay.destinations.bridge.flow import Job, job
from relay.destinations.flow import AsyncSteps
from relay.destinations.fql import compile_subscription
from relay.destinations.mapping import MappingError, compile_mapping
from relay.event import Event

if TYPE_CHECKING:
    from relay.destinations.bridge.runtime import Runtime, Tokens

DEFAULT_BATCH = 1000


class BridgeRoute(ActionRoute):
    """`subscriptions` of one destination. `runs_in` must be called before anything is sent."""

    def __init__(
        self,
        settings: ActionDestination,
        declared: Bridged,
        subscriptions: Iterable[Subscription],
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(settings, (), now)
        self._own = [BridgeLeg(settings, declared, one) for one in subscriptions if one.enabled]
        self.legs = self._own

    def run_in(self, runtime: "Runtime | None", tokens: "Tokens | None") -> None:
        """Where the calls are made; `tokens` for a destination that needs a login."""
        for leg in self._own:
            leg.runtime, leg.tokens = runtime, tokens


class BridgeLeg:
    """One subscription."""

    def __init__(self, settings: ActionDestination, declared: Bridged, subscription: Subscription) -> None:
        action = settings.actions[subscription.action]
        self.subscription = subscription
        self.mapping: Mapping[str, Any] = (
            action.default_mapping() if subscription.mapping is None else subscription.mapping
        )
        compiled = compile_subscription(subscription.subscribe)
        self.matches = compiled.matches
        self.is_by_name = is_by_name(compiled.tree)
        self.digest = digest_of(subscription)
        self.runtime: Runtime | None = None
        self.tokens: Tokens | None = None
        self.job = Job(declared, settings, subscription.action, self.mapping)
        has_batch = any(one.get("hasPerformBatch") for one in declared.actions if one["name"] == action.name)
        self._is_batched = has_batch and self.mapping.get("enable_batching") is True
        size = self.mapping.get("batch_size")
        self._most = size if type(size) is int and size > 0 else DEFAULT_BATCH
        self._max_bytes = settings.max_bytes
        self._key = _keys(self.mapping)

    def parcels(self, events: Sequence[Event], *, is_batch: bool) -> Iterable[Parcel]:
        """One for each event, or as many together as may go in one batch."""
        if not (is_batch and self._is_batched):
            return [Parcel((event,), self.digest, self._begin_single) for event in events]
        groups: dict[Hashable, list[list[Event]]] = {}
        sizes: dict[Hashable, int] = {}
        for event in events:
            key = self._key(event)
            chunks = groups.setdefault(key, [[]])
            size = sizes.get(key, 0) + len(event.json)
            if len(chunks[-1]) >= self._most or (size > self._max_bytes and chunks[-1]):
                chunks.append([])
                size = len(event.json)
            chunks[-1].append(event)
            sizes[key] = size
        return [Parcel(some, self.digest, self._begin_batch) for chunks in groups.values() for some in chunks]

    def _begin_single(self, events: Sequence[Event]) -> AsyncSteps:
        return job(self.job, events, self.runtime, self.tokens, is_batch=False)

    def _begin_batch(self, events: Sequence[Event]) -> AsyncSteps:
        return job(self.job, events, self.runtime, self.tokens, is_batch=True)


def _keys(mapping: Mapping[str, Any]) -> Callable[[Event], Hashable]:
    """What must be equal in one batch: the fields that `batch_keys` names."""
    names = mapping.get("batch_keys")
    wanted = {name: mapping[name] for name in names if name in mapping} if isinstance(names, list) else {}
    if not wanted:
        return lambda _: None
    mapped = compile_mapping(wanted)

    def key(event: Event) -> Hashable:
        try:
            return orjson.dumps(mapped(event.data))
        except (MappingError, TypeError):
            return None

    return key

"""Where events went between two moments, stage by stage: differences of totals, which add up.

Of a source: what was received has failed on ingest, was filtered at the source, or was admitted. What the gateway
refused never came in, and its sender was told; it stands beside.

Of a destination: what it had not done with at the first moment, what was tried anew after it had been refused, and what was
received meanwhile: all of that has its fate now, waits in the retry table, or is in hand.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

import msgspec

from relay.history.figures import error_rate, grown, quantile
from relay.history.totals import (
    ADMITTED,
    DESTINATION,
    FAILED_DELIVERY,
    FAILED_ON_INGEST,
    FILTERED_AT_DESTINATION,
    FILTERED_AT_SOURCE,
    SOURCE,
    Count,
    DestinationTotals,
    Key,
    Place,
    Samples,
    SourceTotals,
    Standing,
)


class Reason(msgspec.Struct, frozen=True):
    """Why events ended at a stage; `words` are empty where the code says it all.

    `samples` are places of the newest: sequence and index.
    """

    code: str
    outcome: str
    words: str
    events: int
    samples: tuple[Place, ...] = ()


class Stage(msgspec.Struct, frozen=True):
    """What ended here; `reasons` add up to it, the most frequent first."""

    events: int = 0
    reasons: tuple[Reason, ...] = ()


class SourceFunnel(msgspec.Struct, frozen=True, rename="camel"):
    """received = failed_on_ingest + filtered_at_source + admitted. `answers`: requests by HTTP status."""

    name: str
    received: int
    failed_on_ingest: Stage
    filtered_at_source: Stage
    admitted: int
    refused: Stage
    answers: dict[str, int]


class DestinationFunnel(msgspec.Struct, frozen=True, rename="camel"):
    """carried + redriven + received = the four stages + delivered + pending_retry + in_hand.

    `carried` was pending or in hand at the beginning; `redriven` had failed before it. `dead_letters` and `lag` are those of
    now; p50 and p95 are delays in seconds.
    """

    name: str
    state: str
    carried: int
    redriven: int
    received: int
    failed_on_ingest: Stage
    filtered_at_source: Stage
    filtered_at_destination: Stage
    failed_delivery: Stage
    delivered: int
    pending_retry: int
    in_hand: int
    dead_letters: int
    lag: int
    error_rate: float | None
    p50: float | None
    p95: float | None


class Funnel(msgspec.Struct, frozen=True):
    """Times in ms. Destinations are counted over all their sources."""

    since: int
    until: int
    sources: tuple[SourceFunnel, ...]
    destinations: tuple[DestinationFunnel, ...]


T = TypeVar("T", SourceTotals, DestinationTotals)
Words = Callable[[str], str]
Base = Mapping[tuple[str, str], SourceTotals | DestinationTotals]  # of a kind and a name, at the beginning


def make_funnel(
    since: int,
    until: int,
    base: Base,
    now: Standing,
    source: str | None = None,
    destination: str | None = None,
    words: Words = str,
) -> Funnel:
    """What happened from `base` until `now`, of one source or all, and of one destination or all.

    `words` says what a reason means.
    """
    sources = [
        _source(name, _before(base, SOURCE, name, SourceTotals()), totals, now.samples, words)
        for name, totals in now.sources.items()
        if source in (None, name)
    ]
    destinations = [
        _destination(name, _before(base, DESTINATION, name, DestinationTotals()), totals, now.samples, words)
        for name, totals in now.destinations.items()
        if destination in (None, name)
    ]
    return Funnel(since, until, tuple(sources), tuple(destinations))


def _before(base: Base, kind: str, name: str, none: T) -> T:
    found = base.get((kind, name))
    return found if isinstance(found, type(none)) else none


def _source(
    name: str, before: SourceTotals, now: SourceTotals, samples: Samples, words: Words
) -> SourceFunnel:
    counts = _differences(before.counts, now.counts)
    stages = _Stages(SOURCE, name, counts, samples, words)
    refused = [
        Reason(code, "refused", words(code), n) for code, n in _added(before.refused, now.refused).items()
    ]
    return SourceFunnel(
        name,
        sum(counts.values()),
        stages.of(FAILED_ON_INGEST),
        stages.of(FILTERED_AT_SOURCE),
        stages.of(ADMITTED).events,
        _stage(refused),
        _added(before.answers, now.answers),
    )


def _destination(
    name: str, before: DestinationTotals, now: DestinationTotals, samples: Samples, words: Words
) -> DestinationFunnel:
    counts = _differences(before.counts, now.counts)
    stages = _Stages(DESTINATION, name, counts, samples, words)
    delivered, failed = now.delivered - before.delivered, stages.of(FAILED_DELIVERY)
    delays = grown(before.delays, now.delays)
    return DestinationFunnel(
        name,
        now.state,
        before.parked + before.in_hand,
        -sum(n for n in counts.values() if n < 0),
        now.due - before.due,
        stages.of(FAILED_ON_INGEST),
        stages.of(FILTERED_AT_SOURCE),
        stages.of(FILTERED_AT_DESTINATION),
        failed,
        delivered,
        now.parked,
        now.in_hand,
        now.dead_letters,
        now.lag,
        error_rate(delivered, failed.events),
        quantile(delays, 0.5),
        quantile(delays, 0.95),
    )


class _Stages:
    """Counts, sorted into stages."""

    def __init__(
        self, kind: str, name: str, counts: Mapping[Key, int], samples: Samples, words: Words
    ) -> None:
        self._reasons: dict[str, list[Reason]] = {}
        for key, n in counts.items():
            if n > 0:
                stage, outcome, code = key
                places = samples.get((kind, name, key), ())[:n]
                reason = Reason(code, outcome, words(code), n, places)
                self._reasons.setdefault(stage, []).append(reason)

    def of(self, stage: str) -> Stage:
        return _stage(self._reasons.get(stage, ()))


def _stage(reasons: Iterable[Reason]) -> Stage:
    most_first = sorted(reasons, key=lambda reason: -reason.events)
    return Stage(sum(reason.events for reason in most_first), tuple(most_first))


def _differences(before: Iterable[Count], now: Iterable[Count]) -> dict[Key, int]:
    """How much each count has grown; less than nothing where what had been refused is tried anew."""
    grown = {count.key: count.n for count in now}
    for count in before:
        grown[count.key] = grown.get(count.key, 0) - count.n
    return grown


def _added(before: Mapping[str, int], now: Mapping[str, int]) -> dict[str, int]:
    return {code: n - before.get(code, 0) for code, n in now.items() if n > before.get(code, 0)}

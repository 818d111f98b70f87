"""What happened over time: totals at moments, and between two of them their differences.

All series have one axis. Where a moment was not written, since relay did not run or a destination was not there, a series
has None, and its next value is of the whole time since the one before. Lag, backlog and state are as they were at the moment.

What failed has failed, though it was tried again later: failures are added up from row to row, so that those of a long step, or
of all, are those of its short ones. Only what fails and is tried again between two rows is not seen.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import msgspec

from relay.history.figures import error_rate, grown, quantile
from relay.history.totals import FAILED_DELIVERY, DestinationTotals, Key, SourceTotals, Totals

Found = Mapping[int, Totals]  # by moment in ms


class SourceSeries(msgspec.Struct, rename="camel"):
    """Events: how many were received, and how many a second; and how many were refused at the door."""

    name: str
    received: list[int | None] = []
    received_per_second: list[float | None] = []
    refused: list[int | None] = []


class DestinationSeries(msgspec.Struct, rename="camel"):
    """Events; delays in seconds; `lag` in requests of the log, `backlog` in events."""

    name: str
    delivered: list[int | None] = []
    delivered_per_second: list[float | None] = []
    failed: list[int | None] = []
    error_rate: list[float | None] = []
    p50: list[float | None] = []
    p95: list[float | None] = []
    lag: list[int | None] = []
    backlog: list[int | None] = []
    dead_letters: list[int | None] = []

    def error_rate_of_all(self) -> float | None:
        return error_rate(sum(n or 0 for n in self.delivered), sum(n or 0 for n in self.failed))


class Series(msgspec.Struct, rename="camel"):
    """`at` are the ends of intervals, in ms. The first begins at `since`."""

    since: int
    at: list[int]
    sources: list[SourceSeries]
    destinations: list[DestinationSeries]


def make_series(since: int, at: Sequence[int], found: Mapping[tuple[str, str], Found]) -> Series:
    """`found`, of each kind and name, has the totals at the beginning and at moments in `at`."""
    sources, destinations = [], []
    for (_, name), totals in found.items():
        if isinstance(next(iter(totals.values())), SourceTotals):
            sources.append(_source(name, at, totals))
        else:
            destinations.append(_destination(name, at, totals))
    return Series(since, list(at), sources, destinations)


def _source(name: str, at: Sequence[int], found: Found) -> SourceSeries:
    series = SourceSeries(name)
    for seconds, before, now in _steps(at, found):
        if not isinstance(before, SourceTotals) or not isinstance(now, SourceTotals):
            series.received.append(None)
            series.received_per_second.append(None)
            series.refused.append(None)
            continue
        received = sum(c.n for c in now.counts) - sum(c.n for c in before.counts)
        series.received.append(received)
        series.received_per_second.append(_rate(received, seconds))
        series.refused.append(sum(now.refused.values()) - sum(before.refused.values()))
    return series


def _destination(name: str, at: Sequence[int], found: Found) -> DestinationSeries:
    series = DestinationSeries(name)
    failures = _failures(found)
    so_far = 0
    for moment, (seconds, before, now) in zip(at, _steps(at, found), strict=True):
        if not isinstance(before, DestinationTotals) or not isinstance(now, DestinationTotals):
            for values in msgspec.structs.astuple(series)[1:]:
                values.append(None)
            continue
        delivered, failed = now.delivered - before.delivered, failures[moment] - so_far
        so_far = failures[moment]
        delays = grown(before.delays, now.delays)
        series.delivered.append(delivered)
        series.delivered_per_second.append(_rate(delivered, seconds))
        series.failed.append(failed)
        series.error_rate.append(error_rate(delivered, failed))
        series.p50.append(quantile(delays, 0.5))
        series.p95.append(quantile(delays, 0.95))
        series.lag.append(now.lag)
        series.backlog.append(now.parked + now.in_hand)
        series.dead_letters.append(now.dead_letters)
    return series


def _steps(at: Sequence[int], found: Found) -> Iterator[tuple[float, Totals | None, Totals | None]]:
    """For each moment the seconds since the one before that was written, and both their totals; None without."""
    wanted = {min(found), *at}
    moments = sorted(moment for moment in found if moment in wanted)
    before = dict(pairwise(reversed(moments)))
    for moment in at:
        if moment in found and moment in before:
            earlier = before[moment]
            yield (moment - earlier) / 1000, found[earlier], found[moment]
        else:
            yield 0.0, None, None


def _rate(events: int, seconds: float) -> float | None:
    return round(events / seconds, 3) if seconds else None


def _failures(found: Found) -> dict[int, int]:
    """How many had failed by each moment, since the first."""
    failures, total = dict[int, int](), 0
    before: dict[Key, int] | None = None
    for moment, totals in sorted(found.items()):
        now = {count.key: count.n for count in totals.counts if count.stage == FAILED_DELIVERY}
        if before is not None:
            total += sum(max(0, n - before.get(key, 0)) for key, n in now.items())
        failures[moment], before = total, now
    return failures

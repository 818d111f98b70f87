"""Figures that are made of counts: a share, a quantile."""

from collections.abc import Sequence


def error_rate(delivered: int, failed: int) -> float | None:
    """The share that failed of what was sent and has its fate; None when that is nothing."""
    return failed / (delivered + failed) if delivered + failed else None


def grown(before: Sequence[int], now: Sequence[int]) -> list[int]:
    """How many came into each class of delays."""
    return [n - (before[number] if number < len(before) else 0) for number, n in enumerate(now)]


def quantile(delays: Sequence[int], share: float) -> float | None:
    """The delay in seconds that `share` of the events do not exceed, as far as their classes tell; None without events."""
    total = sum(delays)
    if not total:
        return None
    wanted, below = share * total, 0
    for number, events in enumerate(delays):
        if events and below + events >= wanted:
            low, high = (1 << number >> 1), 1 << number
            return round((low + (high - low) * (wanted - below) / events) / 1000, 4)
        below += events
    return None

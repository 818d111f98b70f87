"""Moments as numbers, for comparing."""

from datetime import UTC, datetime, timedelta

from relay.times import parse_moment


def parse_iso(text: object) -> int | None:
    """Milliseconds since 1970 of what `parse_moment` reads."""
    moment = parse_moment(text)
    return (
        None if moment is None else (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    )

"""Which events are in a sample: by chance, or by a value, so that all events of a user share one fate."""

import json
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any

from relay.destinations.fql.errors import FqlError
from relay.destinations.fql.logic import Test, always, never
from relay.destinations.fql.paths import reader, split


def sampled(percent: float, path: str | None, random: Callable[[], float]) -> Test:
    """What says whether an event stays when `percent` (0 to 1) of them shall.

    With a `path` the value there decides: what stays at one percentage stays at each higher one, in every
    filter and on every machine. Events without the value share one fate.
    """
    if not 0 < percent < 1:
        return always if percent >= 1 else never
    if not path:
        return lambda _event: random() < percent
    read = reader(split(path))

    def stays(event: Mapping[str, Any]) -> bool:
        return share(read(event)) < percent

    return stays


def share(value: Any) -> float:
    """Where `value` falls between 0 and 1, evenly and always the same."""
    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    except RecursionError:
        raise FqlError(0, "the value to sample by is nested too deeply") from None
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) / 2**64

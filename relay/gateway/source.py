"""The sources as the gateway knows them: by write key, each with its bucket and its counts."""

import binascii
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from relay.bucket import Bucket
from relay.gateway.config import SourceConfig

BURST_SECONDS = 2.0  # of the rate limit, when relay.toml gives no burst
MAX_CACHED = 10_000  # Authorization headers that need no second parsing


class Source:
    """A source and what it did. Counts are plain numbers here; /metrics reads them."""

    def __init__(self, config: SourceConfig, clock: Callable[[], float]) -> None:
        self.config = config
        self.name = config.name
        self.is_enabled = config.enabled
        burst = config.burst if config.burst is not None else config.rate_limit * BURST_SECONDS
        self.bucket = Bucket(config.rate_limit, max(burst, 1.0), clock)
        self.origins = None if config.allowed_origins is None else frozenset(config.allowed_origins)
        self.events = 0
        self.statuses: Counter[int] = Counter()
        self.rejected: Counter[str] = Counter()

    def allows(self, origin: str | None) -> bool:
        return origin is None or self.origins is None or origin in self.origins


class Sources:
    """All sources, by name and by key."""

    def __init__(self, configs: Iterable[SourceConfig], clock: Callable[[], float]) -> None:
        self._clock = clock
        self.by_name: dict[str, Source] = {}
        self._by_key: dict[str, Source] = {}
        self.known: dict[str | None, Source] = {}  # enabled sources, by Authorization headers seen before
        self.apply(configs)

    def apply(self, configs: Iterable[SourceConfig]) -> None:
        """Take up a new configuration; a source keeps its counts, and one that did not change its bucket."""
        before = self.by_name
        self.by_name = {c.name: self._source(c, before.get(c.name)) for c in configs}
        self._by_key = {key: source for source in self.by_name.values() for key in source.config.keys}
        self.known = {}

    def _source(self, config: SourceConfig, before: Source | None) -> Source:
        if before is not None and before.config == config:
            return before
        source = Source(config, self._clock)
        if before is not None:
            source.events, source.statuses, source.rejected = before.events, before.statuses, before.rejected
        return source

    def status(self) -> list[dict[str, Any]]:
        """One object a source: what came, and how it was answered."""
        return [
            {
                "name": source.name,
                "enabled": source.is_enabled,
                "events": source.events,
                "answers": {str(status): n for status, n in sorted(source.statuses.items())},
                "rejected": dict(source.rejected),
            }
            for source in self.by_name.values()
        ]

    def by_key(self, key: Any) -> Source | None:
        return self._by_key.get(key) if type(key) is str else None

    def by_authorization(self, header: str) -> Source | None:
        """The source of a Basic header; the colon after the key may be missing."""
        found = self.by_key(_basic_user(header))
        if found is not None and found.is_enabled and len(self.known) < MAX_CACHED:
            self.known[header] = found
        return found

    def allow_origin(self, origin: str) -> bool:
        """Whether any source takes requests from `origin`: a preflight does not say which it is for."""
        return any(source.allows(origin) for source in self.by_name.values())


def _basic_user(header: str) -> str | None:
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return b64decode(value.strip() + "==", validate=False).decode().partition(":")[0]
    except (binascii.Error, ValueError):
        return None

"""One of `[[destinations]]` in relay.toml."""

from typing import Any, Literal

import msgspec

from relay.destinations.actions import Subscription
from relay.destinations.fql.actions import Filters
from relay.destinations.transformations import Transformation
from relay.times import Duration


class DestinationConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[[destinations]]`: where events go and how gently. `settings` are checked by the type's own struct."""

    name: str
    type: str
    enabled: bool = True
    sources: tuple[str, ...] | None = None  # None: all
    endpoint: str | None = None  # None: the vendor's own
    filter: str | None = None  # FQL: what goes there; None: everything
    settings: dict[str, Any] = {}
    rate_limit: float | None = None  # requests a second; None: no limit
    concurrency: int = 8
    batch_size: int | None = None  # None: the type's own
    batch_wait: Duration = Duration("200ms")
    timeout: Duration = Duration("10s")
    retry_for: Duration = Duration("4h")
    order: Literal["none", "user"] = "none"
    mode: Literal["cloud", "device"] = "cloud"  # device: the browser's events go by its script
    engine: Literal["native", "bridge"] | None = None  # None: native where relay has one
    consent: tuple[str, ...] = ()  # categories that must all be granted
    filters: Filters = ()
    subscriptions: tuple[Subscription, ...] | None = None  # None: the type's presets
    transformations: tuple[Transformation, ...] = ()

"""One of `[[destinations]]` in relay.toml."""

from typing import Any, Literal

import msgspec

from relay.times import Duration


class DestinationConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[[destinations]]`: where events go and how gently. `settings` are checked by the type's own struct."""

    name: str
    type: str
    enabled: bool = True
    sources: tuple[str, ...] | None = None  # None: all
    endpoint: str | None = None  # None: the vendor's own
    settings: dict[str, Any] = {}
    rate_limit: float | None = None  # requests a second; None: no limit
    concurrency: int = 8
    batch_size: int | None = None  # None: the type's own
    batch_wait: Duration = Duration("200ms")  # noqa: RUF009  immutable
    timeout: Duration = Duration("10s")  # noqa: RUF009  immutable
    retry_for: Duration = Duration("4h")  # noqa: RUF009  immutable
    order: Literal["none", "user"] = "none"

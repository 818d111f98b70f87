"""The `[log]` table of relay.toml."""

from typing import Literal

import msgspec

from relay.times import Duration, Size


class LogConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[log]`: how long and how safely events are kept."""

    retention: Duration = Duration("30d")
    max_bytes: Size | None = None  # None: as much as the disk holds
    durability: Literal["full", "normal"] = "full"
    drop_undelivered: bool = False  # True: retention goes past the slowest destination

"""The `[violations]` table of relay.toml."""

import msgspec


class ViolationsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[violations]`: how samples of events that break their plan are shown."""

    show_values: bool = False  # False: only what kind of value stands where

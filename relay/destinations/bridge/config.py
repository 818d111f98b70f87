"""`[integrations]` in relay.toml: what Segment's own destinations are given besides their settings."""

import msgspec


class IntegrationsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`secrets` go to the destinations that read them, as their environment; `features` are flags that are on."""

    secrets: dict[str, str] = {}
    features: tuple[str, ...] = ()

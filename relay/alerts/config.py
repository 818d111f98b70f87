"""`[[alerts]]` and `[smtp]` in relay.toml: what somebody wants to hear of, and by which channels."""

from typing import Literal

import msgspec

from relay.times import Duration

CHANNELS = ("webhook", "slack", "email")  # by the keys that name them


class AlertConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[[alerts]]`: one rule. URLs are secrets, as whoever has one may post there."""

    name: str
    on: Literal["new_violation", "violation_rate"]
    sources: tuple[str, ...] | None = None  # None: all
    events: tuple[str, ...] | None = None  # None: all
    over: int | None = None  # of rates: more than so many violations
    within: Duration | None = None  # of rates: in this time
    quiet: Duration = Duration("1h")  # after an alert
    webhook: str | None = None
    secret: str | None = None  # signs what goes to `webhook`
    slack: str | None = None
    email: tuple[str, ...] = ()

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels that it names."""
        return tuple(channel for channel in CHANNELS if getattr(self, channel))


class SmtpConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[smtp]`: the server that takes the mail."""

    host: str
    sender: str = msgspec.field(name="from")
    port: int = 587  # RFC 6409: submission
    username: str | None = None
    password: str | None = None
    security: Literal["starttls", "tls", "none"] = "starttls"

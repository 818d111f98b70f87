"""`[[alerts]]` and `[smtp]` in relay.toml: what somebody wants to hear of, and by which channels."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import msgspec

from relay.times import Duration

CHANNELS = ("webhook", "slack", "email")  # by the keys that name them
AT_LEAST = 100  # events that a share or a change is worth telling of


class Kind(NamedTuple):
    """What an alert is `on`: the keys that narrow it, its thresholds, and those of them that it cannot do without."""

    names: tuple[str, ...]
    thresholds: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    after: float | None = None  # seconds, where nothing is said
    within: float | None = None


_DESTINATIONS, _SOURCES = ("destinations",), ("sources",)
KINDS: Mapping[str, Kind] = {
    "new_violation": Kind(("sources", "events")),
    "violation_rate": Kind(("sources", "events"), ("over", "within"), ("over", "within")),
    "destination_failing": Kind(_DESTINATIONS, ("after",), after=300.0),
    "destination_lagging": Kind(_DESTINATIONS, ("over", "after")),
    "destination_paused": Kind(_DESTINATIONS, ("after",), after=3600.0),
    "dead_letters": Kind(_DESTINATIONS, ("over", "within"), ("over", "within")),
    # Segment: successful deliveries of the last 24 hours
    "delivery_rate": Kind(_DESTINATIONS, ("below", "within", "at_least"), ("below",), within=86_400.0),
    "source_blocked": Kind(_SOURCES, ("over", "within"), ("over", "within")),
    "source_silent": Kind(_SOURCES, ("after",), after=3600.0),
    "source_volume": Kind(_SOURCES, ("change", "within", "at_least"), ("change",), within=3600.0),
}
VIOLATIONS = ("new_violation", "violation_rate")


class AlertConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[[alerts]]`: one rule. URLs are secrets, as whoever has one may post there."""

    name: str
    on: Literal[
        "new_violation",
        "violation_rate",
        "destination_failing",
        "destination_lagging",
        "destination_paused",
        "dead_letters",
        "delivery_rate",
        "source_blocked",
        "source_silent",
        "source_volume",
    ]
    sources: tuple[str, ...] | None = None  # None: all
    events: tuple[str, ...] | None = None  # None: all
    destinations: tuple[str, ...] | None = None  # None: all
    over: int | None = None  # more than so many
    within: Duration | None = None  # in this time
    after: Duration | None = None  # when it has lasted so long
    below: float | None = None  # percent of events
    change: float | None = None  # percent of events
    at_least: int | None = None  # events; None: AT_LEAST
    quiet: Duration = Duration("1h")  # after an alert
    webhook: str | None = None
    secret: str | None = None  # signs what goes to `webhook`
    slack: str | None = None
    email: tuple[str, ...] = ()

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels that it names."""
        return tuple(channel for channel in CHANNELS if getattr(self, channel))

    @property
    def after_ms(self) -> int | None:
        return _ms(self.after, KINDS[self.on].after)

    @property
    def within_ms(self) -> int | None:
        return _ms(self.within, KINDS[self.on].within)


def _ms(given: float | None, otherwise: float | None) -> int | None:
    seconds = otherwise if given is None else given
    return None if seconds is None else int(seconds * 1000)


class SmtpConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[smtp]`: the server that takes the mail."""

    host: str
    sender: str = msgspec.field(name="from")
    port: int = 587  # RFC 6409: submission
    username: str | None = None
    password: str | None = None
    security: Literal["starttls", "tls", "none"] = "starttls"

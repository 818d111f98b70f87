"""Whether an event goes to one destination, and as what: consent, then `integrations`, device mode, then the sieve.

In Segment's order: what the person did not agree to is final, whatever the sender or a filter say. An event
that is tried again is asked for consent and sifted again; whether its sender wants it here was settled
when it first came, or by a replay that does not ask.

In device mode an event's `_metadata` says whether its browser sent it there itself. Segment believes that of every
destination; here one in cloud mode does not look at it, for what a page has loaded from elsewhere is not what relay.toml
names. The event that tells of a withdrawn consent is for relay to send: a browser keeps it from the tool's script, as it keeps
all others.
"""

from collections.abc import Callable
from typing import Any

from relay.delivery.config import DestinationConfig
from relay.delivery.sieve import Sieve
from relay.destinations import CATALOGUE
from relay.destinations.device import DEVICE_ONLY, browser_name
from relay.destinations.segment import Segment
from relay.event import PREFERENCE_UPDATED, Event

NO_CONSENT = "FILTERED_BY_END_USER_CONSENT"
NOT_WANTED = "FILTERED_BY_INTEGRATIONS_OBJECT"
SIFTED = "FILTERED_BY_RULES"
SENT_THERE = "MESSAGE_SENT_CLIENT_SIDE"
DEVICE_MODE_ONLY = "DEVICE_MODE_ONLY"  # this type is sent nothing but by browsers
NO_MAPPING = "NO_MATCHING_MAPPING"  # no subscription asks for it


class Routing:
    """The way of events to one destination. `title`: what its type is called in `integrations`.

    The plain names of its tool are those of relay's own type, whichever engine runs it.
    """

    def __init__(self, config: DestinationConfig, title: str) -> None:
        self._has_consent = _consent(config.consent) if config.consent else None
        own = CATALOGUE.get(config.type) or DEVICE_ONLY.get(config.type)
        self._names = (config.name, title, *(own.also_called if own else ()))
        self._forwards = own is not None and issubclass(own, Segment)
        self._sieve = Sieve(config)
        self._in_browser: frozenset[str] | None = None  # what `_metadata` may call it
        if config.mode == "device":
            self._in_browser = frozenset((config.name, browser_name(config.type, config.name, title)))
        self._is_sent_nothing = config.type in DEVICE_ONLY

    @property
    def is_open(self) -> bool:
        """Whether every event goes that says nothing about where it goes."""
        return self._has_consent is None and self._in_browser is None and self._sieve.is_open

    def route(self, event: Event, *, again: bool = False) -> Event | str:
        """The event as it is to be sent, or the reason why it is not."""
        if event.outcome is not None:  # by a transformation of its source, which is read with the event
            return event.reason or SIFTED
        is_granted = self._has_consent is None or self._has_consent(event.data)
        if not is_granted and not _is_preference(event.data):
            return NO_CONSENT
        integrations = None if again else event.integrations
        if integrations is not None and not self._is_wanted(integrations):
            return NOT_WANTED
        if self._in_browser is not None and not again:
            if is_granted and _was_sent(event.data.get("_metadata"), self._in_browser):
                # the browser keeps to the same filters
                return SENT_THERE if self._sieve.sift(event, again=True) else SIFTED
            if self._is_sent_nothing:
                return DEVICE_MODE_ONLY
        return self._sieve.sift(event, again=again) or SIFTED

    def _is_wanted(self, integrations: dict[str, Any]) -> bool:
        """Whether an event's `integrations` lets it go here: by name, type's title, tool's name, else `All`.

        To Segment and to another relay `All` says where it goes from there: as Segment's own SDKs have it, it goes.
        """
        for name in self._names:
            if name in integrations:
                return _is_on(integrations[name])
        return self._forwards or _is_on(integrations.get("All", True))


def _was_sent(metadata: Any, names: frozenset[str]) -> bool:
    """Whether a browser says that it sent the event to one of `names`, and that this did not fail."""
    if type(metadata) is not dict or _names_one(metadata.get("failedInitializations"), names):
        return False
    return _names_one(metadata.get("bundledIds"), names) or _names_one(metadata.get("bundled"), names)


def _names_one(said: Any, names: frozenset[str]) -> bool:
    return type(said) is list and any(type(one) is str and one in names for one in said)


def _is_on(value: Any) -> bool:
    """Options count as true; only what is plainly off is off."""
    return value is not False and value is not None


def _is_preference(event: dict[str, Any]) -> bool:
    """Whether it tells what its person agreed to from now on: every destination is to know."""
    return event.get("event") == PREFERENCE_UPDATED and event.get("type") == "track"


def _consent(categories: tuple[str, ...]) -> Callable[[dict[str, Any]], bool]:
    """What says whether an event's person agreed to every one of `categories`.

    An event without a consent object says nothing about consent, and goes. Of one that has it, only a plain
    true agrees: what is missing, or has another shape, does not.
    """

    def has_consent(event: dict[str, Any]) -> bool:
        consent = event["context"].get("consent") if type(event.get("context")) is dict else None
        if consent is None or consent == "":  # absent, as everywhere
            return True
        given = consent.get("categoryPreferences") if type(consent) is dict else None
        return type(given) is dict and all(given.get(category) is True for category in categories)

    return has_consent

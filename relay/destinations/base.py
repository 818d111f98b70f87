"""What a destination is: frozen settings, and pure functions from events to requests.

Nothing here touches the network. A flow yields a request and receives the reply to it; delivery paces, sends,
retries and records:

    def requests(self, events, *, is_batch=False):
        found = yield Request("GET", …)
        yield Request("POST", …)

An answer other than 2xx is thrown into the flow as `HttpError`; a flow that does not catch it ends with it. A flow is
begun anew on every try. It may return one `DeliveryError | None` for each event; without, all share the end.
"""

from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from typing import Any, ClassVar, get_type_hints
from urllib.parse import urlsplit, urlunsplit

import msgspec

from relay.destinations.errors import DeliveryError
from relay.destinations.reply import Reply
from relay.event import Event


class Request(msgspec.Struct, frozen=True):
    """One HTTP request to a destination. `url` is absolute.

    Never shown: the values of `secret` headers, and of `url` the parts in `hidden`: whole segments of its path, whole
    values of its query, its user info.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""
    secret: frozenset[str] = frozenset()
    hidden: tuple[str, ...] = ()


Results = Sequence[DeliveryError | None]
# returns Results or None; Any, so that most need not say `return None`
Steps = Generator[Request, Reply, Any]


class Parcel(msgspec.Struct):
    """Events that travel together by one flow. `subscription`: for which of them (a digest), "" without any."""

    events: Sequence[Event]
    subscription: str
    begin: Callable[[Sequence[Event]], Steps | AsyncGenerator[Request, Reply]]

    def part(self, events: Sequence[Event]) -> "Parcel":
        """Some of the events, by the same flow."""
        return Parcel(events, self.subscription, self.begin)


class Route:
    """The way of events to a destination that takes them as they are; see `actions.route` for the other."""

    takes_all = True  # every event is wanted, whatever it is

    def __init__(self, settings: "Destination") -> None:
        self._settings = settings

    def wants(self, event: Event) -> bool:  # noqa: ARG002  for others
        """Whether any subscription asks for it."""
        return True

    def parcels(self, events: Sequence[Event], *, is_batch: bool) -> list[Parcel]:
        """What is sent for `events`; an event in none of them is not for this destination."""
        return [Parcel(events, "", lambda some: self._settings.requests(some, is_batch=is_batch))]


class Destination(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The settings of one kind of destination; subclasses add fields and `requests`."""

    title: ClassVar[str]  # the display name: what an event's `integrations` object calls it
    also_called: ClassVar[tuple[str, ...]] = ()  # and what people call it there: the tool's plain name
    summary: ClassVar[str]  # one sentence for the catalogue
    default_endpoint: ClassVar[str | None] = None  # scheme, host and port; None: from the settings
    needs_endpoint: ClassVar[bool] = False  # relay.toml must name one
    batch: ClassVar[int] = 1  # events a request when relay.toml says nothing
    max_batch: ClassVar[int] = 1  # the most a request may carry
    max_bytes: ClassVar[int] = (
        1_000_000  # of a request's body, about: from 2**20 on aiohttp sends it in pieces
    )

    def route(self, subscriptions: Any = None) -> Route:  # noqa: ARG002  for subclasses
        """How events go there. `subscriptions`: those of relay.toml, for a destination that has actions."""
        return Route(self)

    def requests(self, events: Sequence[Event], *, is_batch: bool = False) -> Steps:
        """The flow that delivers `events`. `is_batch`: several may come at once, though this may be one."""
        raise NotImplementedError

    def missing(self, *, has_subscriptions: bool) -> str | None:  # noqa: ARG002  likewise
        """What the settings lack, as a sentence."""
        return None

    @property
    def place(self) -> str | None:
        """A URL on the host that requests go to; None: only subscriptions say where."""
        return self.default_endpoint

    @property
    def token(self) -> str | None:
        """The OAuth access token that the settings hold; None for a destination without OAuth, or without it."""
        return None

    def check(self) -> Steps | None:
        """The flow that tells whether the credentials are good and changes nothing; None: there is no such."""
        return None

    @property
    def untested(self) -> str | None:
        """What these settings lack for `check`, in a few words."""
        return None


def about(sentence: str) -> msgspec.Meta:
    """Annotate a setting with what it is."""
    return msgspec.Meta(description=sentence)


def secret(sentence: str) -> msgspec.Meta:
    """Annotate a setting that is never shown with what it is."""
    return msgspec.Meta(description=sentence, extra={"secret": True})


def is_secret(kind: type[Destination], field: str) -> bool:
    """Whether this setting (by its name in Python) is never shown."""
    return any((meta.extra or {}).get("secret") for meta in metas(kind, field))


def metas(kind: type[Destination], field: str) -> list[msgspec.Meta]:
    """What a setting is annotated with."""
    hint = get_type_hints(kind, include_extras=True)[field]
    return [meta for meta in getattr(hint, "__metadata__", ()) if isinstance(meta, msgspec.Meta)]


def at_endpoint(url: str, endpoint: str | None) -> str:
    """`url` with its scheme, host and port replaced by those of `endpoint`."""
    if endpoint is None:
        return url
    place = urlsplit(endpoint)
    return urlunsplit(urlsplit(url)._replace(scheme=place.scheme, netloc=place.netloc))

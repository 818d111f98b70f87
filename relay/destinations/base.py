"""What a destination is: frozen settings and one pure function from events to requests.

`requests` touches no network. Delivery paces, sends, retries and records. A request names the events
it carries; when the destination answers, all of them share that answer.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar
from urllib.parse import urlsplit, urlunsplit

import msgspec

from relay.event import Event


class Request(msgspec.Struct, frozen=True):
    """One HTTP request to a destination. `url` is absolute; values of `secret` headers are never shown."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    events: Sequence[Event]
    secret: frozenset[str] = frozenset()


class Destination(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The settings of one kind of destination; subclasses add fields and `requests`."""

    title: ClassVar[str]  # the display name: what an event's `integrations` object calls it
    summary: ClassVar[str]  # one sentence for the catalogue
    default_endpoint: ClassVar[str | None] = None  # scheme, host and port; None: from the settings
    needs_endpoint: ClassVar[bool] = False  # relay.toml must name one
    batch: ClassVar[int] = 1  # events a request when relay.toml says nothing
    max_batch: ClassVar[int] = 1  # the most a request may carry
    max_bytes: ClassVar[int] = (
        1_000_000  # of a request's body, about: from 2**20 on aiohttp sends it in pieces
    )

    def requests(
        self, events: Sequence[Event], endpoint: str | None, *, is_batch: bool = False
    ) -> Iterator[Request]:
        """The requests that deliver `events`; an event in none of them is not for this destination.

        `endpoint` replaces scheme, host and port. `is_batch`: the destination takes several events a request,
        though this one may have a single event.
        """
        raise NotImplementedError


def at_endpoint(url: str, endpoint: str | None) -> str:
    """`url` with its scheme, host and port replaced by those of `endpoint`."""
    if endpoint is None:
        return url
    place = urlsplit(endpoint)
    return urlunsplit(urlsplit(url)._replace(scheme=place.scheme, netloc=place.netloc))

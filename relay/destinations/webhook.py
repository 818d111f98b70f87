"""Webhook: any URL, the event as it is; with `batch_size` over 1 an array of events.

Signed when there is a shared secret: `X-Signature` is the hex HMAC-SHA1 of the event's JSON text exactly as it is
sent, in a batch that of the first event, as Segment's own webhook does it. With subscriptions of its own it
sends what their mappings say instead: `data` to `url`, with `headers` of their own.
"""

import hmac
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import unquote, unquote_plus, urlsplit

from relay.body import encode
from relay.destinations.actions import Action, ActionDestination, Call, Preset, Subscription, by_name
from relay.destinations.actions.fields import boolean, integer, path, record, text
from relay.destinations.base import Request, Route, Steps, about, secret
from relay.destinations.errors import Refused
from relay.destinations.mapping import javascript
from relay.event import Event

_JSON = {"Content-Type": "application/json"}
SIGNATURE = "X-Signature"
_METHODS = ("POST", "PUT", "PATCH")


def _send(settings: "Webhook", call: Call) -> Steps:
    yield settings.mapped([call], is_array=False)


def _send_batch(settings: "Webhook", calls: Sequence[Call]) -> Steps:
    yield settings.mapped(calls, is_array=True)


def _place(call: Call) -> tuple[Any, ...]:
    return call.get("url"), call.get("method"), encode(call.get("headers"))


SEND = Action(
    name="send",
    title="Send",
    about="One request to a URL, with JSON made by a mapping.",
    fields={
        "url": text("Where to; the setting `url` when there is none.", format="uri"),
        "method": text("How.", choices=_METHODS, default="POST"),
        "headers": record("Headers beside the content type.", default={}),
        "data": record("The body; the whole event when nothing else is said.", default=path("$.")),
        "batch_size": integer("Events a request at most.", default=None),
        "enable_batching": boolean("Whether several events may go in one array.", default=True),
    },
    perform=_send,
    perform_batch=_send_batch,
    max_batch=10_000,
    batch_key=_place,
)


class Webhook(ActionDestination, frozen=True):
    """Settings of `type = "webhook"`."""

    title: ClassVar[str] = "Webhook"
    summary: ClassVar[str] = "Any URL: the event as JSON, one a request or an array of them."
    max_batch: ClassVar[int] = 10_000
    actions: ClassVar[Mapping[str, Action]] = by_name(SEND)
    presets: ClassVar[Sequence[Preset]] = ()
    notes: ClassVar[Sequence[str]] = (
        (
            "The values in a URL's query, and a user and password in it, are never shown; its path is: put a key in a"
            " header, or in the query."
        ),
    )

    url: Annotated[str | None, about("Where events go; needed unless subscriptions say it.")] = None
    method: Annotated[Literal["POST", "PUT", "PATCH"], about("The request's method.")] = "POST"
    headers: Annotated[Mapping[str, str], secret("Headers of every request.")] = {}
    shared_secret: Annotated[str | None, secret("Signs each request in `X-Signature`.")] = None

    def __post_init__(self) -> None:
        if self.url is not None and not _is_url(self.url):
            raise ValueError("url must be an http or https URL")

    @property
    def place(self) -> str | None:
        return self.url

    def missing(self, *, has_subscriptions: bool) -> str | None:
        """A mapping may say where to; without one the settings must."""
        return "missing setting `url`" if self.url is None and not has_subscriptions else None

    def route(self, subscriptions: Sequence[Subscription] | None = None) -> Route:
        """The event untouched, or what subscriptions make of it."""
        return Route(self) if subscriptions is None else super().route(subscriptions)

    def requests(self, events: Sequence[Event], *, is_batch: bool = False) -> Steps:
        """One request for all `events`: an array for a webhook that takes batches, else the event itself."""
        bodies = [event.json for event in events]
        yield self._request(self.url, self.method, {}, bodies, is_array=is_batch or len(events) > 1)

    def mapped(self, calls: Sequence[Call], *, is_array: bool) -> Request:
        """The request for what a mapping made."""
        bodies = [_json(call.payload["data"]) for call in calls if "data" in call.payload]
        first = calls[0]
        headers = first.get("headers") or {}
        return self._request(
            first.get("url") or self.url,
            first.get("method") or self.method,
            {name: javascript.text(value) for name, value in headers.items()},
            bodies,
            is_array=is_array,
        )

    def _request(
        self,
        url: str | None,
        method: str,
        headers: Mapping[str, str],
        bodies: Sequence[bytes],
        *,
        is_array: bool,
    ) -> Request:
        if url is None or not _is_url(url):
            raise Refused("url is missing or not an http or https URL", fields=("url",))
        sent = {**self.headers, **headers}
        secrets, hidden = frozenset(sent) | {SIGNATURE}, _keys_in(url)
        if not bodies:
            return Request(method, url, sent, secret=secrets, hidden=hidden)
        if "content-type" not in map(str.lower, sent):
            sent = {**_JSON, **sent}
        if self.shared_secret is not None:
            sent[SIGNATURE] = signature(self.shared_secret, bodies[0])
        body = b"[" + b",".join(bodies) + b"]" if is_array else bodies[0]
        return Request(method, url, sent, body, secrets, hidden)


def signature(secret: str, body: bytes) -> str:
    """What proves that `body` comes from somebody who knows the secret."""
    return hmac.digest(secret.encode(), body, "sha1").hex()


def _json(data: Any) -> bytes:
    written = encode(data)
    if written is None:
        raise Refused("data is nested too deeply", fields=("data",))
    return written


@lru_cache(1000)
def _keys_in(url: str) -> tuple[str, ...]:
    """What of a URL may be a key: its user info, and every value of its query, as they stand there and as meant."""
    parts = urlsplit(url)
    user = parts.netloc.rpartition("@")[0]
    password = user.partition(":")[2]
    pairs = (pair.partition("=") for pair in parts.query.split("&"))
    values = [value if is_pair else name for name, is_pair, value in pairs]
    found = (user, unquote(user), password, unquote(password), *values, *map(unquote_plus, values))
    return tuple(dict.fromkeys(filter(None, found)))


def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # its text would quote the URL, which may hold a secret
        return False

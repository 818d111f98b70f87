"""What is asked of Mixpanel, and what its answers mean.

/import names the events of a batch that it refuses (`failed_records`); the others have landed. /track, /engage and
/groups say 200 whatever happens, and 0 for what they did not take.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from relay.destinations.actions import Call
from relay.destinations.actions.parts import Parts
from relay.destinations.actions.requests import basic, form_request, json_request, json_text
from relay.destinations.base import Results, Steps
from relay.destinations.errors import HttpError, of_status
from relay.destinations.mixpanel import events, profiles
from relay.destinations.reply import Reply

INVALID = 400


class Settings(Protocol):
    """What flows want of `Mixpanel`."""

    @property
    def project_token(self) -> str:
        """Of the project."""

    @property
    def api_secret(self) -> str:
        """Of the project."""

    @property
    def source_name(self) -> str | None:
        """What events say they come from."""

    @property
    def strict_mode(self) -> str:
        """Whether Mixpanel says which events it refuses."""

    def url(self, path: str) -> str:
        """Where in the region."""


Maker = Callable[[Call, str | None], Iterable[dict[str, Any]]]


def track(settings: Settings, call: Call) -> Steps:
    return _import(settings, [events.event(call, settings.source_name)])


def track_all(settings: Settings, calls: Sequence[Call]) -> Steps:
    return _import_all(settings, calls, lambda call, source: (events.event(call, source),))


def purchase(settings: Settings, call: Call) -> Steps:
    return _import(settings, list(events.order(call, settings.source_name)))


def purchase_all(settings: Settings, calls: Sequence[Call]) -> Steps:
    return _import_all(settings, calls, events.order)


def _import(settings: Settings, made: Sequence[dict[str, Any]]) -> Steps:
    url = settings.url(f"import?strict={settings.strict_mode}")
    yield json_request("POST", url, made, basic(settings.api_secret))


def _import_all(settings: Settings, calls: Sequence[Call], make: Maker) -> Steps:
    made = [(at, event) for at, call in enumerate(calls) for event in make(call, settings.source_name)]
    try:
        yield from _import(settings, [event for _, event in made])
    except HttpError as error:
        results = _named(error.reply, [at for at, _ in made], len(calls))
        if error.status != INVALID or not any(results):
            raise
        return results


def _named(reply: Reply, places: Sequence[int], count: int) -> Results:
    """Which calls the answer refuses; `places` says whose an event is."""
    results: list[Any] = [None] * count
    body = reply.json()
    records = body.get("failed_records") if isinstance(body, dict) else None
    for record in records if isinstance(records, list) else ():
        index = record.get("index") if isinstance(record, dict) else None
        if type(index) is int and 0 <= index < len(places):
            results[places[index]] = of_status(INVALID, str(record.get("message") or record.get("field")))
    return results


def identify(settings: Settings, call: Call) -> Steps:
    """The user's two ids first, then the traits."""
    joined = profiles.identify_event(call, settings.project_token, settings.source_name)
    if joined is not None:
        yield from _post(settings, "track", joined)
    update = profiles.user(call, settings.project_token)
    if update is not None:
        yield from _post(settings, "engage", update)


def identify_all(settings: Settings, calls: Sequence[Call]) -> Steps:
    joined = [profiles.identify_event(call, settings.project_token, settings.source_name) for call in calls]
    yield from _post_all(settings, "track", joined)
    yield from _post_all(settings, "engage", [profiles.user(call, settings.project_token) for call in calls])


def alias(settings: Settings, call: Call) -> Steps:
    return _post(settings, "track", profiles.alias_event(call, settings.project_token, settings.source_name))


def alias_all(settings: Settings, calls: Sequence[Call]) -> Steps:
    made = [profiles.alias_event(call, settings.project_token, settings.source_name) for call in calls]
    return _post_all(settings, "track", made)


def group(settings: Settings, call: Call) -> Steps:
    yield from _post(settings, "groups", profiles.group(call, settings.project_token))


def group_all(settings: Settings, calls: Sequence[Call]) -> Steps:
    parts = Parts.of(calls, lambda call: profiles.group(call, settings.project_token))
    yield from _post_all(settings, "groups", parts.made)
    return parts.results


def increment(settings: Settings, call: Call) -> Steps:
    update = profiles.increments(call, settings.project_token)
    if update is not None:
        yield from _post(settings, "engage", update)


def increment_all(settings: Settings, calls: Sequence[Call]) -> Steps:
    parts = Parts.of(calls, lambda call: profiles.increments(call, settings.project_token))
    yield from _post_all(settings, "engage", parts.made)
    return parts.results


def _post_all(settings: Settings, path: str, made: Sequence[dict[str, Any] | None]) -> Steps:
    some = [one for one in made if one is not None]
    if some:
        yield from _post(settings, path, some)


def _post(settings: Settings, path: str, data: Any) -> Steps:
    reply = yield form_request("POST", settings.url(path), {"data": json_text(data)})
    body = reply.json()
    status = body.get("status") if isinstance(body, dict) else body
    if type(status) is int and status == 0:
        raise HttpError(Reply(INVALID, reply.text))

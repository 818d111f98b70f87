"""What is asked of Amplitude, and how often."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from relay.destinations.actions import Call
from relay.destinations.actions.dates import day_ms
from relay.destinations.actions.requests import form_request, json_request, json_text
from relay.destinations.amplitude import events
from relay.destinations.amplitude.replies import faults
from relay.destinations.base import Request, Steps
from relay.destinations.errors import DeliveryError, HttpError


class Settings(Protocol):
    """What flows want of `Amplitude`."""

    @property
    def api_key(self) -> str:
        """Of the project."""

    def url(self, path: str) -> str:
        """Where in the region."""


_MEMBER: tuple[str, ...] = ("device_id", "user_id", "insert_id")
_GROUP: tuple[str, ...] = ("group_properties", "group_value", "group_type")

Maker = Callable[[Call], Iterable[Mapping[str, Any]]]


def batch_key(call: Call) -> tuple[Any, ...]:
    """What a request says once for all of its events."""
    return call.payload.get("use_batch_endpoint") is True, _least(call)


def _least(call: Call) -> int | None:
    length = call.payload.get("min_id_length")
    return length if length is not None and length > 0 else None


def send_event(settings: Settings, call: Call) -> Steps:
    yield _upload(settings, call, [events.event(call)])


def send_order(settings: Settings, call: Call) -> Steps:
    yield _upload(settings, call, list(events.order(call)))


def send_events(settings: Settings, calls: Sequence[Call]) -> Steps:
    return _send_all(settings, calls, lambda call: (events.event(call),))


def send_orders(settings: Settings, calls: Sequence[Call]) -> Steps:
    return _send_all(settings, calls, events.order)


def _send_all(settings: Settings, calls: Sequence[Call], make: Maker) -> Steps:
    """One request; another without the events that the answer names, until it names none."""
    made = [(at, event) for at, call in enumerate(calls) for event in make(call)]
    failed: dict[int, DeliveryError] = {}
    while made:
        try:
            yield _upload(settings, calls[0], [event for _, event in made])
            break
        except HttpError as error:
            named = {made[place][0]: fault for place, fault in faults(error, len(made)).items()}
            if not named or all(at in named and not named[at].is_final for at in range(len(calls))):
                raise
        failed |= named
        made = [(at, event) for at, event in made if at not in failed]
    return [failed.get(at) for at in range(len(calls))]


def _upload(settings: Settings, call: Call, made: Sequence[Mapping[str, Any]]) -> Request:
    body: dict[str, Any] = {"api_key": settings.api_key, "events": made}
    least = _least(call)
    if least is not None:
        body["options"] = {"min_id_length": least}
    return json_request(
        "POST", settings.url("batch" if call.get("use_batch_endpoint") else "2/httpapi"), body
    )


def identify(settings: Settings, call: Call) -> Steps:
    yield _form(settings, "identify", call, events.person(call))


def identify_all(settings: Settings, calls: Sequence[Call]) -> Steps:
    yield _form(settings, "identify", calls[0], [events.person(call) for call in calls])


def group(settings: Settings, call: Call) -> Steps:
    return group_all(settings, [call])


def group_all(settings: Settings, calls: Sequence[Call]) -> Steps:
    """The users into their groups, then the groups' properties."""
    members = [_member(call) for call in calls if call.get("user_id") or call.get("device_id")]
    if members:
        yield _form(settings, "identify", calls[0], members)
    yield _form(settings, "groupidentify", calls[0], [_group(call) for call in calls])


def _member(call: Call) -> dict[str, Any]:
    groups = {call.payload["group_type"]: call.payload["group_value"]}
    made: dict[str, Any] = {n: call.payload[n] for n in _MEMBER if n in call.payload}
    time = day_ms(call.payload["time"]) if "time" in call.payload else call.now_ms
    return {**made, "groups": groups, "user_properties": groups, "time": time, "library": "segment"}


def _group(call: Call) -> dict[str, Any]:
    made: dict[str, Any] = {n: call.payload[n] for n in _GROUP if n in call.payload}
    return {**made, "library": "segment"}


def map_user(settings: Settings, call: Call) -> Steps:
    return map_users(settings, [call])


def map_users(settings: Settings, calls: Sequence[Call]) -> Steps:
    least = _least(calls[0])
    yield form_request(
        "POST",
        settings.url("usermap"),
        {
            "api_key": settings.api_key,
            "mapping": json_text([call.payload for call in calls]),
            **({} if least is None else {"options": json_text({"min_id_length": least})}),
        },
    )


def _form(settings: Settings, path: str, call: Call, identification: Any) -> Request:
    least = _least(call)
    options = "undefined" if least is None else json_text({"min_id_length": least})
    form = {"api_key": settings.api_key, "identification": json_text(identification), "options": options}
    return form_request("POST", settings.url(path), form)

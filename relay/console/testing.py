"""What would become of a request, from the door to what destinations would be sent. Nothing is kept, nothing leaves.

The same steps as a request takes: its body is read, admission fills in and corrects, the plan rules, crawlers and the source's
transformations have their say, then each destination. Only duplicates are not looked for, and no limit of rate counts.
"""

import asyncio
import time
from typing import Any

import msgspec

from relay.admission.normalise import events_of
from relay.console.json_text import NotJson, parsed
from relay.console.reasons import words
from relay.console.relay import Relay
from relay.console.tracing import Delivery, shown_requests, takers, try_out
from relay.errors import EventRejected
from relay.event import MAX_BATCH, Event, name_of
from relay.gateway.validating import route_of
from relay.log.record import Record
from relay.outcome import Outcome

SHOWN = 20  # events of a batch that are looked at whole; of the others only the verdict is told
MOST_NAMES = 100  # of what was filled in


class Tried(msgspec.Struct):
    """One event. `filled`: what admission added or changed; `said`: what its plan says of it."""

    name: str
    event: Event
    verdict: str
    reason: str | None
    filled: list[str]
    notes: tuple[str, ...]
    said: dict[str, Any]
    deliveries: list[Delivery]


class Outcomes(msgspec.Struct):
    """What would become of a request. `refusal`: why it is refused as a whole; `others`: verdicts of those not in `tried`."""

    tried: list[Tried] = []
    refusal: str | None = None
    mistake: str | None = None
    is_batch: bool = False
    others: dict[str, int] = {}


async def try_request(relay: Relay, source: str, text: str) -> Outcomes:
    """`source` is one that there is."""
    body = text.encode("utf-8", "replace")
    try:
        sent = parsed(text)
        route = route_of(body)
        events = events_of(_record(relay, source, route, body), relay.state.log_id)
    except NotJson as error:
        return Outcomes(mistake=str(error))
    except EventRejected as error:
        return Outcomes(mistake=f"This would be refused with 400, {error.code}: {error.message}.")
    found = Outcomes(is_batch=route == "batch", refusal=_refusal(relay, source, body, events))
    members = sent["batch"] if found.is_batch else [sent]
    for event in events:
        if len(found.tried) < SHOWN:
            raw = members[event.index] if event.index < len(members) else None
            found.tried.append(await _tried(relay, event, raw))
        else:
            verdict = _judged(relay, event)["verdict"]
            found.others[verdict] = found.others.get(verdict, 0) + 1
        await asyncio.sleep(0)
    return found


def _record(relay: Relay, source: str, route: str, body: bytes) -> Record:
    """As if it came in now and were the next in the log."""
    return Record(
        received_at=int(time.time() * 1000),
        source=source,
        route=route,
        client=False,
        ip=None,
        user_agent=None,
        sent_at=None,
        events=1,
        body=body,
        sequence=relay.log.head + 1,
    )


def _refusal(relay: Relay, source: str, body: bytes, events: list[Event]) -> str | None:
    known = relay.sources.by_name[source]
    if not known.is_enabled:
        return "The source is switched off: whatever it sends is refused with 401, invalid_write_key."
    if len(body) > MAX_BATCH:
        return f"It has more than {MAX_BATCH:,} bytes: it is refused with 400, payload_too_large."
    if known.config.strict and any(relay.plans.breaches(event) for event in events):
        return "The source is strict: one event that breaks the plan, and the whole request is refused with 400, schema_violation."
    return None


def _judged(relay: Relay, event: Event) -> dict[str, Any]:
    """Decide as admission does. Afterwards the event is as destinations would get it."""
    said: dict[str, Any] = relay.plans.judged(event)
    relay.transformations.transform(relay.bots.judge([event]))
    if event.outcome is Outcome.FILTERED:
        said |= {"verdict": str(event.outcome), "reason": event.reason}
    return said


async def _tried(relay: Relay, event: Event, raw: Any) -> Tried:
    filled = [] if event.outcome is not None else _filled(raw, event.data)
    corrected = event.notes
    said = _judged(relay, event)
    data = event.data
    return Tried(
        name_of(data) if isinstance(data.get("type"), str) else "An event that relay refuses",
        event,
        said["verdict"],
        said["reason"],
        filled,
        corrected,
        said,
        [await _delivery(relay, config, event) for config in takers(relay, event)],
    )


async def _delivery(relay: Relay, config: Any, event: Event) -> Delivery:
    settings = relay.config.settings[config.name]
    trial = await try_out(relay, config, event)
    return Delivery(
        config.name,
        type(settings).title,
        trial.outcome,
        trial.reason,
        trial.detail or words(trial.reason),
        len(trial.requests),
        shown_requests(settings, trial),
        is_recomputed=True,
    )


def _filled(raw: Any, data: dict[str, Any], path: str = "") -> list[str]:
    """The names that are new in `data` or have another value than they were sent with; one level into `context`."""
    if not isinstance(raw, dict):
        return []
    names: list[str] = []
    for name, value in data.items():
        if name == "context" and not path and isinstance(raw.get(name), dict) and isinstance(value, dict):
            names += _filled(raw[name], value, "context.")
        elif name not in raw or raw[name] != value:
            names.append(path + name)
    return names[:MOST_NAMES]

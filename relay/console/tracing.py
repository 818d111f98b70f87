"""One event from end to end: what arrived, what admission made of it, and what became of it at each destination.

While it is among the newest, the debugger has the requests and replies as they were. Of an older one the fate is told by what
delivery keeps, and the request is made anew, as the configuration of today makes it, and marked so.
"""

import sqlite3
from typing import Any

import msgspec
import structlog

from relay.admission.blocked import Standing
from relay.admission.own import ROUTES as OWN_ROUTES
from relay.body import decode
from relay.console.exchanges import shown_request
from relay.console.listening import Place
from relay.console.relay import Relay
from relay.console.rendering import masked
from relay.delivery.trial import Trial, Trying
from relay.destinations.bridge.route import BridgeRoute
from relay.destinations.secrets import hiding, mask, secrets_of
from relay.event import Event
from relay.log.record import Record
from relay.log.state import SQL, rows_json
from relay.outcome import Outcome
from relay.sandbox.errors import SandboxError

log = structlog.get_logger()

WAITING = "waiting"
PASSED = (
    "The destination is past this event, and nothing else is kept of it. Or it was configured only later, "
    "or a dead letter of it was dropped."
)


class Delivery(msgspec.Struct):
    """What one destination did or would do. `is_recomputed`: `requests` are not what was sent, but what would be sent now."""

    destination: str
    title: str
    state: str
    reason: str | None = None
    detail: str | None = None
    attempts: int = 0
    requests: list[dict[str, Any]] = []
    is_recomputed: bool = False
    dead_letter: int | None = None


class Traced(msgspec.Struct):
    """`arrived`: as it was sent, None where only its normalised form is kept; `record`: the request that it came in.

    `blocked`: where it is kept until its plan lets it through.
    """

    event: Event
    record: Record
    arrived: Any
    deliveries: list[Delivery]
    blocked: Standing | None = None


async def trace(relay: Relay, place: Place) -> Traced | None:
    """The event at a place; None when the log has it no more, or not yet admitted."""
    record = next(iter(await relay.log.find({place[0]})), None)
    if record is None or place[0] > relay.feed.cursor:
        return None
    found = relay.debugger.at(place)
    event = found[0] if found else await _read(relay, place)
    if event is None:
        return None
    known = found[1] if found else relay.debugger.deliveries({place}, {event.source}).get(place, {})
    some = takers(relay, event)
    kept = await _kept(relay, place, [taker.name for taker in some])
    deliveries = [await _delivery(relay, taker, event, known.get(taker.name), kept) for taker in some]
    blocked = None
    if event.outcome is Outcome.BLOCKED:
        blocked = await relay.blocked_events.at(place, event.message_id)
    return Traced(event, record, _arrived(record, place[1]), deliveries, blocked)


async def _read(relay: Relay, place: Place) -> Event | None:
    groups, _ = await relay.feed.read(place[0] - 1, 1)
    return next((e for group in groups for e in group if (e.sequence, e.index) == place), None)


def _arrived(record: Record, index: int) -> Any:
    """As it was sent, without the write key: who may only look could send with it."""
    if record.route in OWN_ROUTES:
        return None
    try:
        body = decode(record.body)
        event = body["batch"][index] if record.route == "batch" else body
    except (ValueError, LookupError, TypeError):
        return None
    if isinstance(event, dict) and isinstance(event.get("writeKey"), str):
        event["writeKey"] = masked(event["writeKey"])
    return event


def takers(relay: Relay, event: Event) -> list[Any]:
    """The destinations that get events of its source, when admission let it through."""
    if event.outcome not in (None, Outcome.FILTERED):
        return []
    return [
        d for d in relay.config.destinations if d.enabled and (d.sources is None or event.source in d.sources)
    ]


async def _kept(relay: Relay, place: Place, names: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What delivery wrote down about one event, by destination: parked ones, and dead letters."""
    of = (rows_json(names), *place)

    def work(connection: sqlite3.Connection) -> tuple[dict[str, Any], dict[str, Any]]:
        parked = connection.execute(SQL["parked_at"], of).fetchall()
        dead = connection.execute(SQL["dead_letters_at"], of).fetchall()
        return {row[0]: row[1:] for row in parked}, {row[0]: row[1:] for row in dead}

    await relay.delivery.ledger.flush()
    kept: tuple[dict[str, Any], dict[str, Any]] = await relay.state.read(work)
    return kept


async def _delivery(
    relay: Relay,
    config: Any,
    event: Event,
    known: dict[str, Any] | None,
    kept: tuple[dict[str, Any], dict[str, Any]],
) -> Delivery:
    settings = relay.config.settings[config.name]
    made = Delivery(config.name, type(settings).title, WAITING)
    parked, dead = (of.get(config.name) for of in kept)
    made.dead_letter = dead[0] if dead else None
    if known is not None:
        made.state, made.reason, made.detail = known["state"], known.get("reason"), known.get("detail")
        made.attempts, made.requests = known["attempts"], known.get("requests", [])
        if made.requests or made.state == Outcome.FILTERED:
            return made
    trial = await try_out(relay, config, event)
    made.is_recomputed = bool(trial.requests)
    made.requests = shown_requests(settings, trial)
    if known is None:
        _tell_fate(relay, made, event, trial, parked, dead)
    return made


def _tell_fate(relay: Relay, made: Delivery, event: Event, trial: Trial, parked: Any, dead: Any) -> None:
    """What is written down of it, else what follows from how far the destination has come."""
    consumer = relay.delivery.consumers.get(made.destination)
    if dead:
        _, made.attempts, made.reason, made.state = dead
    elif parked:
        made.state = "parked"
        made.attempts, made.reason, _ = parked
    elif consumer is None or not consumer.window.is_done(event.sequence):
        made.detail = trial.detail
    elif trial.outcome == Outcome.FILTERED:
        made.state, made.reason = Outcome.FILTERED, trial.reason
    else:
        made.state, made.detail = Outcome.DELIVERED, PASSED


async def try_out(relay: Relay, config: Any, event: Event) -> Trial:
    """What `config` would do with an event now; nothing leaves."""
    trying = Trying(config, relay.config.settings[config.name])
    if isinstance(trying.route, BridgeRoute):
        trying.route.run_in(relay.delivery.bridge, None)
    try:
        return await trying.of(event)
    except SandboxError as error:
        return Trial(WAITING, "INTERNAL", str(error))
    except Exception as error:  # noqa: BLE001  as delivery has it: an event that cannot be mapped
        log.error("a request could not be formed", destination=config.name, kind=type(error).__name__)
        return Trial(Outcome.REJECTED, "INTERNAL")


def shown_requests(settings: Any, trial: Trial) -> list[dict[str, Any]]:
    """The requests of a trial in the form of those that were sent, without secrets."""
    masked = mask(secrets_of(settings))
    return [
        {"request": shown_request(one, hiding(one, masked)), "reply": None, "seconds": None, "at": None}
        for one in trial.requests
    ]

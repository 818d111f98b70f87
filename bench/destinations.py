"""destinations: what an event costs between the feed and the socket, for destinations that batch.

Events are admitted once, as relay does. Then, for each type, by its presets: a filter and routing, the mapping and the
check of fields, the flow that writes requests, with HTTP left out: every request is answered 200 at once.

How to read it: `times_loads` is the CPU time per event and destination as a multiple of `orjson.loads` of the same event
in the same run (`loads_us`); at most ten is promised. Decoding the event is not in it: it is done once, for all
destinations. The last section has single mappings and filters, in ns.
"""

import time
from collections.abc import Callable
from typing import Any

import click
import msgspec
import orjson

from bench.events import batches, single_events
from bench.report import Report, json_option, run, say
from relay.admission.normalise import events_of
from relay.delivery.config import DestinationConfig
from relay.delivery.routing import Routing
from relay.destinations import CATALOGUE
from relay.destinations.base import Route
from relay.destinations.fql import compile_filter
from relay.destinations.mapping import compile_mapping
from relay.destinations.reply import Reply
from relay.destinations.tried import run as run_flow
from relay.event import Event
from relay.log.record import Record

SETTINGS: dict[str, dict[str, Any]] = {
    "amplitude": {"apiKey": "key", "secretKey": "secret"},
    "mixpanel": {"projectToken": "token", "apiSecret": "secret"},
    "google-analytics-4": {"apiSecret": "secret", "measurementId": "G-1"},
    "webhook": {"url": "https://www.example.com/events"},
}
_FILTER = 'type = "track" and event != "Heartbeat" and properties.price > 0.5'
_BATCH = 500
_MAPPINGS: dict[str, Any] = {
    "@path of two names": {"v": {"@path": "$.properties.price"}},
    "@if of two paths": {
        "v": {
            "@if": {
                "exists": {"@path": "$.userId"},
                "then": {"@path": "$.userId"},
                "else": {"@path": "$.anonymousId"},
            }
        }
    },
    "@template": {"v": {"@template": "Viewed {{properties.name}}"}},
    "@case": {"v": {"@case": {"operator": "lower", "value": {"@path": "$.properties.category"}}}},
    "ten paths": {f"v{n}": {"@path": f"$.properties.{n}"} for n in "abcdefghij"},
}
_FILTERS = {
    "by type and name": 'type = "track" and event = "Signed Up"',
    "by a number": _FILTER,
    "by contains and match": 'contains(event, "Prod") or match(context.page.url, "https://www.*")',
}


@click.command()
@click.option("--rounds", default=20, help="How often the events go through, of which the fastest counts.")
@json_option
def destinations(*, rounds: int, as_json: bool) -> None:
    """Measure what mapping, validation and encoding cost."""
    run(_destinations(rounds), as_json=as_json)


async def _destinations(rounds: int) -> Report:
    report = Report("destinations")
    for section, events in (
        ("events of 1,500 bytes", admitted(batches(100).render(0), "batch", 5)),
        (
            "events of 1,000 bytes",
            [e for n in range(500) for e in admitted(single_events().render(n), "track")],
        ),
    ):
        say(section)
        for kind in SETTINGS:
            _measure(report, section, kind, events, rounds)
    _small(report, events, rounds)
    return report


def admitted(request: bytes, route: str, copies: int = 1) -> list[Event]:
    body = request.partition(b"\r\n\r\n")[2]
    now = int(time.time() * 1000)
    record = Record(
        now, "web", route, client=False, ip="203.0.113.9", user_agent=None, sent_at=None, events=1, body=body
    )
    return [event for n in range(copies) for event in _numbered(record, n + 1)]


def _numbered(record: Record, sequence: int) -> list[Event]:
    return events_of(msgspec.structs.replace(record, sequence=sequence), "bench")


def _measure(report: Report, section: str, kind: str, events: list[Event], rounds: int) -> None:
    settings = msgspec.convert(SETTINGS[kind], CATALOGUE[kind])
    routing = Routing(DestinationConfig(name="it", type=kind, filter=_FILTER), settings.title)
    route = settings.route(None)
    batch = events[:_BATCH]
    for event in batch:
        event.decoded = None
    loads = _us(lambda: [orjson.loads(event.json) for event in batch], rounds, len(batch))
    for event in batch:
        event.data  # noqa: B018  decoded once for everybody
    routed = _us(lambda: [routing.route(event) for event in batch], rounds, len(batch))
    mapped = _us(lambda: _mapped(route, batch), rounds, len(batch))
    whole = _us(lambda: _sent(route, batch), rounds, len(batch))
    requests, size = _sent(route, batch)
    total = routed + whole
    report.add(
        section,
        kind,
        {
            "loads_us": round(loads, 2),
            "filter_us": round(routed, 2),
            "mapping_us": round(mapped, 2),
            "flow_us": round(max(whole - mapped, 0.0), 2),
            "total_us": round(total, 2),
            "times_loads": round(total / loads, 1),
            "requests": requests,
            "bytes_per_event": size // len(batch),
        },
    )
    if total / loads > 10:
        report.problems.append(f"{kind}: {total / loads:.1f} times orjson.loads")


def _mapped(route: Route, events: list[Event]) -> None:
    list(route.parcels([event for event in events if route.wants(event)], is_batch=True))


def _sent(route: Route, events: list[Event]) -> tuple[int, int]:
    """How many requests were written, and how large they were in all."""
    sent: list[Any] = []
    for parcel in route.parcels([event for event in events if route.wants(event)], is_batch=True):
        run_flow(parcel, iter([Reply(200, "{}")]), sent)
    return len(sent), sum(len(request.body) for request in sent)


def _small(report: Report, events: list[Event], rounds: int) -> None:
    data = [event.data for event in events[:_BATCH]]
    loads = _us(lambda: [orjson.loads(event.json) for event in events[:_BATCH]], rounds, len(data))
    for title, compile_one, cases in (
        ("one mapping", compile_mapping, _MAPPINGS),
        ("one filter", compile_filter, _FILTERS),
    ):
        for name, said in cases.items():
            ns = 1000 * _us(_each(compile_one(said), data), rounds, len(data))
            report.add(title, name, {"ns": round(ns), "share_of_loads": round(ns / loads / 1000, 3)})


def _each(closure: Callable[[dict[str, Any]], Any], data: list[dict[str, Any]]) -> Callable[[], object]:
    return lambda: [closure(one) for one in data]


def _us(work: Callable[[], object], rounds: int, n: int) -> float:
    """Microseconds of CPU for one of `n`: the fastest round, which other programs disturbed least."""
    best = float("inf")
    for _ in range(rounds):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return best / n * 1e6

"""The overview: what came in and what became of it, in charts, as a funnel, and destination by destination.

What is shown is sums of fates. While nothing has ever come in, the page says how to send the first event, and greets it.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
import orjson
from aiohttp import web

from relay.browser.snippet import snippet
from relay.console import curl
from relay.console.gatekeeping import Mistake
from relay.console.relay import Relay
from relay.console.rendering import SESSION, masked, number, page, seconds
from relay.event import name_of
from relay.history.funnel import DestinationFunnel, Funnel, Reason, Stage
from relay.history.history import RANGES, Overview
from relay.history.series import Series
from relay.times import format_iso

DEFAULT = "1h"
HELD = "held"  # the state of a destination that cannot be reached, or answers nobody
SAID = {"1h": "last hour", "24h": "last 24 hours", "7d": "last 7 days"}


class Row(NamedTuple):
    """A stage of the funnel. `share` is in steps of five per cent, for its bar."""

    title: str
    hint: str
    events: int
    share: int
    kind: str
    reasons: tuple[Reason, ...] = ()


class Chart(NamedTuple):
    """What is said of a chart to who does not see it: a sentence, and a table."""

    name: str
    title: str
    unit: str
    summary: str
    columns: list[str]
    rows: list[tuple[str, list[str]]]


def overview_routes(relay: Relay) -> list[web.RouteDef]:
    pages = _Pages(relay)
    return [
        web.get("/", pages.show),
        web.get("/overview/figures", pages.figures),
        web.get("/overview/series", pages.series),
        web.get("/overview/first", pages.first),
    ]


class _Pages:
    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    async def show(self, request: web.Request) -> web.Response:
        if self._relay.feed.cursor == 0:
            return page(request, "overview_first.html", **self._how_to_begin(request))
        return page(request, "overview.html", **await self._values(request))

    async def figures(self, request: web.Request) -> web.Response:
        """The part that is fetched again and again."""
        return page(request, "overview_figures.html", **await self._values(request))

    async def series(self, request: web.Request) -> web.Response:
        found = await self._relay.history.overview(_range(request))
        body = orjson.dumps(_charts_json(found.series))
        return web.Response(body=body, content_type="application/json")

    async def first(self, request: web.Request) -> web.Response:
        """The first event, as soon as there is one."""
        events = await self._first_events()
        if not events:
            return web.Response(status=204)  # nothing is swapped, so nothing is read out again
        return page(request, "overview_greeting.html", event=events[0], name=_called(events[0]))

    async def _first_events(self) -> list[Any]:
        groups, _ = await self._relay.feed.read(0, 1)
        return [event for group in groups for event in group]

    async def _values(self, request: web.Request) -> dict[str, Any]:
        of = _range(request)
        found: Overview = await self._relay.history.overview(of)
        return {
            "range": of,
            "ranges": SAID,
            "said": SAID[of],
            "charts": charts(found, SAID[of]),
            "source_rows": source_rows(found.funnel),
            "refused": _merged(source.refused for source in found.funnel.sources),
            "destinations": [(one, destination_rows(one)) for one in found.funnel.destinations],
            "error_words": error_words,
            "configured": len(self._relay.config.destinations),
        }

    def _how_to_begin(self, request: web.Request) -> dict[str, Any]:
        config = self._relay.config
        source = next((one for one in config.sources if one.enabled), None)
        session = request.get(SESSION)
        key = source.keys[0] if source is not None else ""
        if session is None or not session.can_change:
            key = masked(key)
        at = curl.public_address(config.server, curl.seen_as(request))
        body = '{"userId": "me", "event": "First Event"}'
        return {
            "source": None if source is None else source.name,
            "snippet": snippet(key, at, config.browser, is_readable=False),
            "curl": f"curl {at}/v1/track -u '{key}:' -d '{body}'",
        }


def _range(request: web.Request) -> str:
    of = request.query.get("range", DEFAULT)
    if of not in RANGES:
        raise Mistake(f"The range must be one of {', '.join(RANGES)}.")
    return of


def _called(event: Any) -> str:
    return name_of(event.data) if isinstance(event.data.get("type"), str) else "an event"


def _merged(stages: Iterable[Stage]) -> Stage:
    """Stages of several sources as one."""
    events, reasons = 0, dict[tuple[str, str], Reason]()
    for stage in stages:
        events += stage.events
        for reason in stage.reasons:
            key = (reason.code, reason.outcome)
            before = reasons.get(key)
            if before is not None:
                samples = tuple(sorted((*before.samples, *reason.samples), reverse=True)[:10])
                reason = msgspec.structs.replace(  # noqa: PLW2901
                    reason, events=before.events + reason.events, samples=samples
                )
            reasons[key] = reason
    return Stage(events, tuple(sorted(reasons.values(), key=lambda reason: -reason.events)))


def _row(title: str, hint: str, stage: Stage | int, whole: int, kind: str = "") -> Row:
    events, reasons = (stage, ()) if isinstance(stage, int) else (stage.events, stage.reasons)
    share = 0 if whole <= 0 else max(0, min(20, -(-20 * events // whole))) * 5
    return Row(title, hint, events, share, kind, reasons)


def source_rows(funnel: Funnel) -> list[Row]:
    """Of all sources together: what was received, and where it went."""
    received = sum(source.received for source in funnel.sources)
    return [
        _row("Received", "kept in the log", received, received),
        _row(
            "Failed on ingest",
            "in batches, and can never be accepted",
            _merged(source.failed_on_ingest for source in funnel.sources),
            received,
            "bad",
        ),
        _row(
            "Filtered at source",
            "duplicates, blocked by a tracking plan, or by a rule of the source",
            _merged(source.filtered_at_source for source in funnel.sources),
            received,
        ),
        _row(
            "Admitted", "goes on to destinations", sum(s.admitted for s in funnel.sources), received, "good"
        ),
    ]


def destination_rows(one: DestinationFunnel) -> list[Row]:
    """Where events of one destination went; the stages add up to the first row."""
    whole = one.carried + one.redriven + one.received
    earlier = f", {number(one.carried + one.redriven)} of them left from before" * bool(
        one.carried + one.redriven
    )
    return [
        _row("Came in", f"for this destination{earlier}", whole, whole),
        _row("Failed on ingest", "can never be accepted", one.failed_on_ingest, whole, "bad"),
        _row("Filtered at source", "the same for every destination", one.filtered_at_source, whole),
        _row("Filtered at destination", "not for this one", one.filtered_at_destination, whole),
        _row("Failed delivery", "refused for good, or expired", one.failed_delivery, whole, "bad"),
        _row("Pending retry", "waits to be tried again", one.pending_retry, whole, "warn"),
        _row("In hand", "on its way, or waiting in the log", one.in_hand, whole),
        _row("Delivered", "", one.delivered, whole, "good"),
    ]


def _charts_json(series: Series) -> dict[str, Any]:
    """Data of the charts: their lines, by chart, each of a source or destination. Moments in seconds, as uPlot has them."""
    return {
        "at": [moment / 1000 for moment in series.at],
        "throughput": [
            *(
                _line(f"source {one.name}", f"{one.name} received", one.received_per_second)
                for one in series.sources
            ),
            *(
                _line(one.name, f"{one.name} delivered", one.delivered_per_second)
                for one in series.destinations
            ),
        ],
        "errors": [
            _line(one.name, one.name, [None if r is None else r * 100 for r in one.error_rate])
            for one in series.destinations
        ],
        "delay": [
            line
            for one in series.destinations
            for line in (
                _line(one.name, f"{one.name} p50", one.p50),
                _line(one.name, f"{one.name} p95", one.p95),
            )
        ],
        "backlog": [_line(one.name, one.name, one.backlog) for one in series.destinations],
        "lag": [_line(one.name, one.name, one.lag) for one in series.destinations],
    }


def _line(of: str, label: str, values: Sequence[float | None]) -> dict[str, Any]:
    """`of`: what has one colour in all charts. Names have no spaces, so that those of sources are told apart."""
    return {"of": of, "label": label, "values": values}


TITLES = {
    "throughput": ("Throughput", "events a second"),
    "errors": ("Error rate", "% of deliveries that were refused for good, or expired"),
    "delay": ("Delivery delay", "seconds from receipt to delivery"),
    "backlog": ("Backlog", "events that wait"),
    "lag": ("Lag", "requests in the log that are not done with"),
}


def charts(found: Overview, said: str) -> list[Chart]:
    """Every chart in words and numbers."""
    table, sentences = _charts_json(found.table), _sentences(found.funnel, said)
    moments = [format_iso(moment)[:16].replace("T", " ") for moment in found.table.at]
    made = []
    for name, (title, unit) in TITLES.items():
        lines = table[name]
        rows = [
            (moment, [_figure(name, line["values"][at]) for line in lines])
            for at, moment in enumerate(moments)
        ]
        made.append(Chart(name, title, unit, sentences[name], [line["label"] for line in lines], rows))
    return made


def _figure(chart: str, value: float | None) -> str:
    if value is None:
        return "\u2013"
    return seconds(value) if chart == "delay" else number(round(value, 1))


def _sentences(funnel: Funnel, said: str) -> dict[str, str]:
    """What each chart shows, in one sentence."""
    received = sum(source.received for source in funnel.sources)
    each = funnel.destinations
    delivered = sum(one.delivered for one in each)
    return {
        "throughput": f"Events that came in in the {said}: {number(received)}. Deliveries: {number(delivered)}.",
        "errors": _of_each(
            each,
            [error_words(d) for d in each],
            "No delivery has come to its end.",
        ),
        "delay": _of_each(
            each,
            [
                None if d.p50 is None else f"half within {seconds(d.p50)}, 95 % within {seconds(d.p95)}"
                for d in each
            ],
            "Nothing was delivered.",
        ),
        "backlog": _of_each(
            each, [number(d.pending_retry + d.in_hand) for d in each], "No destination runs."
        ),
        "lag": _of_each(each, [number(d.lag) for d in each], "No destination runs."),
    }


def error_words(one: DestinationFunnel) -> str | None:
    """Its error rate, and that it takes nothing now: what is held has not failed yet, and is in no rate."""
    waiting = one.pending_retry + one.in_hand
    held = f"takes nothing, {number(waiting)} wait" if one.state == HELD and waiting else None
    if one.error_rate is None:
        return held
    rate = f"{number(round(one.error_rate * 100, 1))} %"
    return rate if held is None else f"{rate}, {held}"


def _of_each(each: Sequence[DestinationFunnel], said: Sequence[str | None], otherwise: str) -> str:
    told = [f"{one.name}: {text}" for one, text in zip(each, said, strict=True) if text is not None]
    return f"{'; '.join(told)}." if told else otherwise

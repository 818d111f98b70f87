"""pipeline: from a batch request to webhooks: rate, lag, loss.

100-event batches on 8 connections, closed loop, a bounded number of events. Two runs, each with a
fresh relay: to three batch webhooks (500 events a request), then with a fourth webhook beside them
that gets every event in a request of its own. That one is slow by nature, so it has its own columns.

How to read it: `events_per_second` runs from the first request until the last batch webhook has
everything, `sending_events_per_second` only until the last 200. `cpu_us_per_event` is all of relay's
threads until the batch webhooks have everything (in the second run with what was done for the single
one meanwhile), `cpu_us_per_event_all` until every webhook has. Lag is counted in events at the moment
of the last 200. A refused request is sent again. `lost` are accepted events that never came, and must
be 0; duplicates may be few.
"""

import asyncio
import time
from collections.abc import Sequence

import click

from bench.delivered import Delivery, all_delivered, arrived, lag
from bench.events import batches
from bench.load import Result, closed_loop, percentile_ms
from bench.measure import Meter, Use
from bench.processes import Sink, Stage, Webhook
from bench.report import Column, Report, json_option, run, say

_BATCH = 500
_CONNECTIONS = 8


@click.command()
@click.option("--events", default=100_000, help="Events to send in each run.")
@json_option
def pipeline(*, events: int, as_json: bool) -> None:
    """Ingest to three batch webhooks and a single one: lag and loss."""
    run(_pipeline(events), as_json=as_json)


async def _pipeline(events: int) -> Report:
    report = Report("pipeline")
    await _deliver(report, "three batch webhooks", events, ["batch-1", "batch-2", "batch-3"])
    await _deliver(report, "and a single one", events, ["batch-1", "batch-2", "batch-3", "single"])
    return report


async def _deliver(report: Report, section: str, events: int, names: Sequence[str]) -> None:
    say(f"{section}: {events} events")
    async with Stage() as stage:
        sinks = [await stage.sink(name) for name in names]
        hooks = [Webhook(sink.name, sink.port, 1 if sink.name == "single" else _BATCH) for sink in sinks]
        relay = await stage.relay(webhooks=hooks)
        requests, meter, began = batches(), Meter(relay), time.time()
        result = await closed_loop(
            relay.port, requests, connections=_CONNECTIONS, total=events // requests.events_each
        )
        sent, accepted = time.time(), len(result.accepted) * requests.events_each
        lags = await asyncio.gather(*(lag(sink, accepted) for sink in sinks))
        uses = []
        for group in (sinks[:3], sinks[3:]):
            await asyncio.gather(*(arrived(sink, accepted) for sink in group))
            uses.append(meter.read())
        deliveries = [await all_delivered(sink, requests, result.accepted) for sink in sinks]
        finished = max(delivery.last_at for delivery in deliveries[:3])
        _add_relay(report, section, result, accepted, seconds=finished - began, uses=uses)
        for sink, behind, delivery in zip(sinks, lags, deliveries, strict=True):
            _add_sink(report, section, sink, delivery, behind=behind, sent=sent)


def _add_relay(
    report: Report, section: str, result: Result, accepted: int, *, seconds: float, uses: Sequence[Use]
) -> None:
    column: Column = {
        "accepted": accepted,
        "refused_requests": result.refused,
        "sending_events_per_second": accepted / max(result.seconds, 0.001),
        "answer_p99_ms": percentile_ms(result.waits, 0.99),
        "events_per_second": accepted / max(seconds, 0.001),
        "cpu_us_per_event": 1e6 * uses[0].cpu_seconds / max(accepted, 1),
        "cpu_us_per_event_all": 1e6 * uses[1].cpu_seconds / max(accepted, 1),
        "others_percent": uses[0].others_percent,
    }
    report.add(section, "relay", column)
    if not accepted:
        report.problems.append(f"{section}: nothing was accepted")


def _add_sink(
    report: Report, section: str, sink: Sink, delivery: Delivery, *, behind: int, sent: float
) -> None:
    column: Column = {
        "lag_events_at_last_answer": behind,
        "delivered_seconds_after": max(0.0, delivery.last_at - sent),
        "delivered": delivery.delivered,
        "lost": delivery.lost,
        "duplicates": delivery.duplicates,
        "requests": delivery.requests,
    }
    report.add(section, sink.name, column)
    if delivery.lost:
        report.problems.append(f"{section}: {sink.name} never got {delivery.lost} accepted events")

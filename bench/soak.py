"""soak: N sources at R requests a second each for a while, every event delivered to one batch webhook.

Single events, `POST /v1/track`, open loop: requests leave when they are due, not when the server has
time, and each wait counts from the due time. Nothing is sent again. First a calibration: what the aiohttp
server that only reads and answers reaches on the same core in a closed loop.

How to read it: `accepted_per_second` against `offered_per_second`; `share_of_calibration` is the same
against `calibration_per_second`, for comparing machines. `late` is the load generator's own part of
the waits: when it is large, the machine was too busy to tell. `lost` are events that were accepted and
never delivered, and must be 0. `core_percent` is relay's, all threads, while sending;
`cpu_us_per_event` goes on until everything is delivered.
"""

import time

import click

from bench.delivered import Delivery, all_delivered, lag
from bench.events import Requests, single_events
from bench.load import Result, closed_loop, open_loop, percentile_ms
from bench.measure import Meter, Use
from bench.processes import Relay, Sink, Stage, Webhook
from bench.report import Column, Report, json_option, run, say

_BATCH = 500
_CONNECTIONS = 512


@click.command()
@click.option("--sources", default=16, help="Senders, each with a write key of its own.")
@click.option("--rate", default=500, help="Requests a second of each.")
@click.option("--seconds", default=60.0, help="How long they send.")
@json_option
def soak(*, sources: int, rate: int, seconds: float, as_json: bool) -> None:
    """N sources at R requests a second each, delivered to one batch webhook."""
    run(_soak(sources, rate, seconds), as_json=as_json)


async def _soak(sources: int, rate: int, seconds: float) -> Report:
    report = Report("soak")
    async with Stage() as stage:
        report.add("soak", "relay", {"calibration_per_second": await _calibrate(stage)})
        sink = await stage.sink()
        relay = await stage.relay(sources=sources, webhooks=[Webhook("sink", sink.port, _BATCH)])
        await _send(report, relay, sink, single_events(sources), sources=sources, rate=rate, seconds=seconds)
    column = report.sections["soak"]["relay"]
    share = float(column["accepted_per_second"]) / float(column["calibration_per_second"])
    report.add("soak", "relay", {"share_of_calibration": share})
    return report


async def _calibrate(stage: Stage) -> float:
    say("calibration: aiohttp that only answers")
    server = await stage.baseline("server")
    result = await closed_loop(server.port, single_events(), connections=128, seconds=5.0)
    return result.accepted_per_second


async def _send(
    report: Report, relay: Relay, sink: Sink, requests: Requests, *, sources: int, rate: int, seconds: float
) -> None:
    say(f"{sources} sources at {rate} requests a second for {seconds:.0f} seconds")
    meter = Meter(relay)
    result = await open_loop(
        relay.port, requests, connections=_CONNECTIONS, sources=sources, rate=rate, seconds=seconds
    )
    sending, sent = meter.read(), time.time()
    behind = await lag(sink, len(result.accepted))
    delivery = await all_delivered(sink, requests, result.accepted)
    report.add("soak", "relay", {"offered_per_second": sources * rate} | _answers(result))
    report.add("soak", "relay", _deliveries(delivery, behind, sent))
    report.add("soak", "relay", _costs(relay, result, sending, meter.read()))
    if delivery.lost:
        report.problems.append(f"{delivery.lost} accepted events were never delivered")


def _answers(result: Result) -> Column:
    return {
        "accepted_per_second": result.accepted_per_second,
        "offered": result.answers + result.unsent + result.unanswered + result.statuses[0],
        "accepted": len(result.accepted),
        "refused": result.refused,
        **result.refusals(),
        "p50_ms": percentile_ms(result.waits, 0.5),
        "p99_ms": percentile_ms(result.waits, 0.99),
        "max_ms": percentile_ms(result.waits, 1.0),
        "late_p99_ms": percentile_ms(result.late, 0.99),
        "late_max_ms": percentile_ms(result.late, 1.0),
    }


def _deliveries(delivery: Delivery, behind: int, sent: float) -> Column:
    return {
        "delivered": delivery.delivered,
        "lost": delivery.lost,
        "duplicates": delivery.duplicates,
        "lag_events_at_end": behind,
        "delivered_seconds_after": max(0.0, delivery.last_at - sent),
    }


def _costs(relay: Relay, result: Result, sending: Use, whole: Use) -> Column:
    return {
        "core_percent": sending.core_percent,
        "cpu_us_per_event": 1e6 * whole.cpu_seconds / max(len(result.accepted), 1),
        "others_percent": sending.others_percent,
        "rss_max_mb": relay.peak_rss_mb(),
        "load_cpu_us_per_request": 1e6 * result.load_cpu_seconds / max(result.answers, 1),
    }

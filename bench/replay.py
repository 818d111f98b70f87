"""replay: stored events, delivered again to a batch webhook that was added after they came.

Events are taken in by a relay without destinations, as 100-event batches or one a request. Then the webhook (500 events a
request) is put into relay.toml, and everything is replayed to it: first as a dry run, which reads, decides and counts,
then in earnest. Beside it the bare minimum: this process reads the same records and makes events of them.

How to read it: `events_per_second` runs from the request for the replay until the sink has the last event. `reading`
is the bare minimum; `times_reading` says how many times longer a replay takes than that. `lost` must be 0, and so
must `duplicates`: nothing failed. Beside live traffic (2,000 requests a second, open loop) a replay is slower on purpose;
the answers to senders, with it and without, show how much it costs them.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import click

from bench.delivered import all_delivered, arrived
from bench.events import Requests, batches, single_events
from bench.load import Result, closed_loop, open_loop, percentile_ms
from bench.measure import Meter
from bench.processes import BenchError, Relay, Stage, Webhook
from bench.report import Column, Report, json_option, run, say
from relay.admission.normalise import events_of
from relay.log import segment

_BATCH = 500
_CONNECTIONS = {1: 64, 100: 8}  # by events a request
_LOOK_SECONDS = 0.02
_SOURCES, _RATE, _SECONDS = 4, 500, 10.0  # of live traffic
_READ = (500, 1_000_000)  # events and bytes at a time, as relay reads


@click.command()
@click.option(
    "--events", default=300_000, help="Events to store and replay, in batches; a third of it singly."
)
@json_option
def replay(*, events: int, as_json: bool) -> None:
    """Deliver stored events again, as fast as the receiver takes them."""
    run(_replay(events), as_json=as_json)


async def _replay(events: int) -> Report:
    report = Report("replay")
    await _section(report, "100-event batches", events, batches)
    await _section(report, "single events", events // 3, single_events)
    await _beside(report, "beside live traffic", events)
    return report


async def _section(report: Report, section: str, events: int, make: Callable[[], Requests]) -> None:
    async with Stage() as stage:
        relay, requests = await stage.relay(), make()
        say(f"{section}: storing {events} events")
        result = await closed_loop(
            relay.port,
            requests,
            connections=_CONNECTIONS[requests.events_each],
            total=events // requests.events_each,
        )
        await relay.settle()
        accepted = len(result.accepted) * requests.events_each
        reading = _read_all(relay.config.parent / "data" / "log", accepted)
        sink = await stage.sink()
        await relay.add(Webhook("added", sink.port, _BATCH))
        say(f"{section}: counting")
        began, meter = time.time(), Meter(relay)
        await _until_done(relay, await _start(relay, dry_run=True))
        counting, use = time.time() - began, meter.read()
        report.add(section, "reading", {"events_per_second": accepted / reading})
        report.add(
            section,
            "dry run",
            {
                "events_per_second": accepted / counting,
                "times_reading": counting / reading,
                "cpu_us_per_event": 1e6 * use.cpu_seconds / accepted,
            },
        )
        say(f"{section}: replaying")
        began, meter = time.time(), Meter(relay)
        number = await _start(relay, dry_run=False)
        await arrived(sink, accepted)
        use = meter.read()
        await _until_done(relay, number)
        delivery = await all_delivered(sink, requests, result.accepted)
        seconds = delivery.last_at - began
        report.add(
            section,
            "replay",
            {
                "events_per_second": accepted / seconds,
                "times_reading": seconds / reading,
                "cpu_us_per_event": 1e6 * use.cpu_seconds / accepted,
                "rss_max_mb": relay.peak_rss_mb(),
                "delivered": delivery.delivered,
                "lost": delivery.lost,
                "duplicates": delivery.duplicates,
            },
        )
        if delivery.lost or delivery.duplicates:
            report.problems.append(
                f"{section}: {delivery.lost} events never came, {delivery.duplicates} came twice"
            )


async def _beside(report: Report, section: str, events: int) -> None:
    async with Stage() as stage:
        live, added = await stage.sink("live"), await stage.sink("added")
        relay = await stage.relay(sources=_SOURCES, webhooks=[Webhook("live", live.port, _BATCH)])
        requests = batches()
        say(f"{section}: storing {events} events")
        stored = await closed_loop(relay.port, requests, connections=8, total=events // requests.events_each)
        await arrived(live, len(stored.accepted) * requests.events_each)
        await relay.add(Webhook("added", added.port, _BATCH))
        await _send(relay, 2.0)  # to get used to it
        say(f"{section}: alone")
        report.add(section, "alone", _answers(await _send(relay, _SECONDS)))
        say(f"{section}: with a replay")
        number = await _start(relay, dry_run=False)
        column = _answers(await _send(relay, _SECONDS))
        replayed = (await relay.ask_admin("GET", f"/v1/replays/{number}"))["events"]["delivered"]
        report.add(section, "with a replay", column | {"replayed_events_per_second": replayed / _SECONDS})


async def _send(relay: Relay, seconds: float) -> Result:
    """Live traffic."""
    requests = single_events(_SOURCES)
    return await open_loop(
        relay.port, requests, connections=256, sources=_SOURCES, rate=_RATE, seconds=seconds
    )


def _answers(result: Result) -> Column:
    return {
        "answer_p50_ms": percentile_ms(result.waits, 0.5),
        "answer_p99_ms": percentile_ms(result.waits, 0.99),
        "refused_requests": result.refused,
    }


def _read_all(folder: Path, accepted: int) -> float:
    """The seconds it takes to read every record of a log and to make events of it."""
    began, count = time.perf_counter(), 0
    for first in segment.segment_files(folder):
        path = segment.segment_path(folder, first).absolute()
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
        after = first - 1
        while records := segment.read_after(connection, after, 2**62, *_READ):
            count += sum(len(events_of(record, "")) for record in records)
            after = records[-1].sequence
        connection.close()
    if count < accepted:
        raise BenchError(f"the log holds {count} events, {accepted} were accepted")
    return time.perf_counter() - began


async def _start(relay: Relay, *, dry_run: bool) -> int:
    body = {"destination": "added", "dryRun": dry_run}
    return int((await relay.ask_admin("POST", "/v1/replays", body))["id"])


async def _until_done(relay: Relay, number: int) -> None:
    state = "running"
    while state in ("running", "waiting"):
        await asyncio.sleep(_LOOK_SECONDS)
        state = (await relay.ask_admin("GET", f"/v1/replays/{number}"))["state"]
    if state != "done":
        raise BenchError(f"the replay is {state}")

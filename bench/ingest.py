"""ingest: what it costs relay to accept an event, against an aiohttp server that only answers.

Single events: `POST /v1/track` of about 800 bytes on 128 connections, closed loop, to relay (flushed to disk
before the 200, no destinations), to aiohttp's low-level `web.Server` and to a `web.Application` with
one route, both of which read the body and answer the same. Batches: `POST /v1/batch` of 100 events
(117 KB) on 8 connections, to relay and to the low-level server. The runs take turns and the medians
of the rounds are shown.

How to read it: the headline is relay's `cpu_ratio`: its CPU time per request (all threads), over the
low-level server's in the same run on the same core. relay's CPU includes admission: a round
ends when admission has caught up with the log, `catch_up_seconds` after the last answer. CPU per
request holds on a busy machine; requests a second only when `others_percent` is small.
"""

from collections.abc import Sequence
from statistics import median

import click

from bench.events import Requests, batches, single_events
from bench.load import closed_loop, percentile_ms
from bench.measure import Meter
from bench.processes import Server, Stage
from bench.report import Column, Report, json_option, run, say


@click.command()
@click.option("--rounds", default=3, help="Turns of each server; medians are shown.")
@click.option("--seconds", default=5.0, help="Length of each turn.")
@json_option
def ingest(*, rounds: int, seconds: float, as_json: bool) -> None:
    """Single events and batches, against aiohttp that only answers."""
    run(_ingest(rounds, seconds), as_json=as_json)


async def _ingest(rounds: int, seconds: float) -> Report:
    report = Report("ingest")
    async with Stage() as stage:
        server, application = await stage.baseline("server"), await stage.baseline("application")
        relay = await stage.relay()
        await _compare(
            report,
            "single events",
            [server, application, relay],
            single_events(),
            rounds=rounds,
            seconds=seconds,
        )
        await _compare(report, "batches of 100", [server, relay], batches(), rounds=rounds, seconds=seconds)
    return report


async def _compare(
    report: Report,
    section: str,
    servers: Sequence[Server],
    requests: Requests,
    *,
    rounds: int,
    seconds: float,
) -> None:
    connections = 128 if requests.events_each == 1 else 8
    turns: dict[str, list[Column]] = {server.name: [] for server in servers}
    for server in servers:
        await _turn(server, requests, connections, seconds / 5)  # warms caches, counts for nothing
    for n in range(rounds):
        for server in servers:
            say(f"{section}, round {n + 1} of {rounds}: {server.name}")
            turns[server.name].append(await _turn(server, requests, connections, seconds))
    for name, columns in turns.items():
        report.add(section, name, _medians(columns))
    _add_ratios(report, section)


async def _turn(server: Server, requests: Requests, connections: int, seconds: float) -> Column:
    meter = Meter(server)
    result = await closed_loop(server.port, requests, connections=connections, seconds=seconds)
    sending = meter.read()
    await server.settle()
    use = meter.read()
    accepted = max(len(result.accepted), 1)
    per_event: Column = {}
    if requests.events_each > 1:
        per_event["cpu_us_per_event"] = 1e6 * use.cpu_seconds / accepted / requests.events_each
        per_event["events_per_second"] = requests.events_each * result.accepted_per_second
    return per_event | {
        "cpu_us_per_request": 1e6 * use.cpu_seconds / accepted,
        "requests_per_second": result.accepted_per_second,
        "p50_ms": percentile_ms(result.waits, 0.5),
        "p99_ms": percentile_ms(result.waits, 0.99),
        "catch_up_seconds": use.seconds - sending.seconds,
        "refused": result.refused,
        "others_percent": sending.others_percent,
        "load_cpu_us_per_request": 1e6 * result.load_cpu_seconds / accepted,
    }


def _medians(columns: Sequence[Column]) -> Column:
    return {measure: median(float(column[measure]) for column in columns) for measure in columns[0]}


def _add_ratios(report: Report, section: str) -> None:
    columns = report.sections[section]
    for name, column in columns.items():
        ratio = float(column["cpu_us_per_request"]) / float(columns["aiohttp server"]["cpu_us_per_request"])
        report.add(section, name, {"cpu_ratio": ratio})

"""generator: what the load generator can do, so that the other benchmarks can be believed.

Measured against the aiohttp server that only reads and answers: first as fast as answered (closed
loop), then at a fixed rate (open loop).

How to read it: the load's CPU per request must be a fraction of the server's, or the generator is
what limits a closed loop. In the open loop `late` is how long after its due time a request left;
what a server adds is the wait less that. `others percent` is how busy other programs kept the
server's core.
"""

import click

from bench.events import Requests, batches, single_events
from bench.load import Result, closed_loop, open_loop, percentile_ms
from bench.measure import Meter
from bench.processes import Server, Stage
from bench.report import Column, Report, json_option, run, say


@click.command()
@click.option("--rate", default=10_000, help="Requests a second of the open loop.")
@click.option("--seconds", default=5.0, help="Length of each run.")
@json_option
def generator(*, rate: int, seconds: float, as_json: bool) -> None:
    """Measure what the load generator itself can offer."""
    run(_generator(rate, seconds), as_json=as_json)


async def _generator(rate: int, seconds: float) -> Report:
    report = Report("generator")
    async with Stage() as stage:
        server = await stage.baseline("server")
        say("closed loop, single events")
        report.add("closed loop", "single events", await _closed(server, single_events(), 128, seconds))
        say("closed loop, batches")
        report.add("closed loop", "batches of 100", await _closed(server, batches(), 8, seconds))
        say(f"open loop, {rate} requests a second")
        report.add("open loop", "single events", await _open(server, rate, seconds))
    return report


async def _closed(server: Server, requests: Requests, connections: int, seconds: float) -> Column:
    meter = Meter(server)
    result = await closed_loop(server.port, requests, connections=connections, seconds=seconds)
    return _column(result, meter)


async def _open(server: Server, rate: int, seconds: float) -> Column:
    meter = Meter(server)
    result = await open_loop(
        server.port, single_events(16), connections=256, sources=16, rate=rate / 16, seconds=seconds
    )
    late = {"late_p99_ms": percentile_ms(result.late, 0.99), "late_max_ms": percentile_ms(result.late, 1.0)}
    return {"offered_per_second": rate} | _column(result, meter) | late


def _column(result: Result, meter: Meter) -> Column:
    use = meter.read()
    return {
        "answered_per_second": result.accepted_per_second,
        "p50_ms": percentile_ms(result.waits, 0.5),
        "p99_ms": percentile_ms(result.waits, 0.99),
        "max_ms": percentile_ms(result.waits, 1.0),
        "server_cpu_us_per_request": 1e6 * use.cpu_seconds / max(result.answers, 1),
        "load_cpu_us_per_request": 1e6 * result.load_cpu_seconds / max(result.answers, 1),
        "others_percent": use.others_percent,
        **result.refusals(),
    }

"""backlog: a receiver that is down while a million events come in; memory, restart, recovery.

100-event batches are accepted for one batch webhook whose receiver is not there. Then relay is killed as by a
power cut and started again, and the time from its start to the first event accepted is taken. At last the receiver
comes up and everything must arrive.

How to read it: `rss_max_mb` of each column is the most memory relay held in that phase: it must not grow with the
backlog. `first_accepted_seconds` counts from the start of the process. `lost` must be 0; what was on its way
when relay was killed may arrive twice.
"""

import asyncio
import time

import aiohttp
import click

from bench.delivered import all_delivered, arrived
from bench.events import Requests, batches, single_events
from bench.load import closed_loop
from bench.measure import Meter
from bench.processes import BenchError, Relay, Stage, Webhook, free_port
from bench.report import Report, json_option, run, say

_CONNECTIONS = 8
_BATCH = 500
_PATIENCE = 30.0


@click.command()
@click.option("--events", default=1_000_000, help="Events to pile up.")
@json_option
def backlog(*, events: int, as_json: bool) -> None:
    """Pile up events, kill relay, start it again, and drain."""
    run(_backlog(events), as_json=as_json)


async def _backlog(events: int) -> Report:
    report = Report("backlog")
    async with Stage() as stage:
        port = free_port()
        relay = await stage.relay(webhooks=[Webhook("sink", port, _BATCH)])
        requests = batches()
        say(f"piling up {events} events")
        result = await closed_loop(
            relay.port, requests, connections=_CONNECTIONS, total=events // requests.events_each
        )
        accepted = len(result.accepted) * requests.events_each
        report.add(
            "backlog",
            "piling up",
            {
                "accepted": accepted,
                "events_per_second": accepted / max(result.seconds, 0.001),
                "rss_max_mb": relay.peak_rss_mb(),
            },
        )
        relay.kill()
        say("starting again")
        began = time.perf_counter()
        relay = stage.again(relay)
        first = await _first_accepted(relay, single_events()) - began
        report.add("backlog", "restart", {"first_accepted_seconds": first, "rss_max_mb": relay.peak_rss_mb()})
        say("draining")
        meter, up = Meter(relay), time.time()
        sink = await stage.sink("sink", port)
        await arrived(sink, accepted)
        use = meter.read()
        delivery = await all_delivered(sink, requests, result.accepted)
        report.add(
            "backlog",
            "draining",
            {
                "events_per_second": accepted / max(delivery.last_at - up, 0.001),
                "cpu_us_per_event": 1e6 * use.cpu_seconds / max(accepted, 1),
                "rss_max_mb": relay.peak_rss_mb(),
                "delivered": delivery.delivered,
                "lost": delivery.lost,
                "duplicates": delivery.duplicates,
            },
        )
        if delivery.lost or not accepted:
            report.problems.append(f"{delivery.lost} of {accepted} accepted events never came")
    return report


async def _first_accepted(relay: Relay, requests: Requests) -> float:
    """The moment of the first 200, by trying again and again."""
    head, _, body = requests.render(requests.take()).partition(b"\r\n\r\n")
    login = (
        next(line for line in head.split(b"\r\n") if line.startswith(b"Authorization"))
        .decode()
        .partition(": ")[2]
    )
    url = f"http://127.0.0.1:{relay.port}/v1/track"
    gives_up = time.perf_counter() + _PATIENCE
    async with aiohttp.ClientSession(headers={"Authorization": login}) as session:
        while time.perf_counter() < gives_up:
            try:
                async with session.post(url, data=body) as reply:
                    if reply.status == 200:
                        return time.perf_counter()
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.01)
    raise BenchError("relay accepted nothing after its restart")

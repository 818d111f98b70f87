"""console: what it costs relay that people watch.

Ten sources send 500 single events a second each, to one batch webhook, in rounds that take turns: nobody watches, then
five consoles are open. A console is what a browser has open there: a live list of all events, one with a search, and the
figures of the overview asked for every ten seconds. In between, rounds in which everything is sent as fast as it is
answered say the same of a relay at its limit. All with one relay.

How to read it: `share_of_unwatched` is the throughput with consoles in parts of that without, of the medians of all rounds;
`core_percent` is relay's. `rss_mb` is taken at the end of each column's last round: between the two it must not grow with the
time that consoles are open. `rows_per_second` is what one live list is shown, `left_out_per_second` what it only counts.
"""

import asyncio
import re
import statistics
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import click

from bench.events import Requests, single_events
from bench.load import closed_loop, open_loop, percentile_ms
from bench.measure import Meter
from bench.processes import TOKEN, BenchError, Relay, Stage, Webhook
from bench.report import Column, Report, json_option, run, say

SOURCES, RATE = 10, 500
CONSOLES = 5
OVERVIEW_SECONDS = 10.0  # as the page has it
STREAMS = ("/console/events/stream", "/console/events/stream?q=order+jane")

_OFFERED = "5,000 events a second"
_LIMIT = "as fast as answered"
_ROW = re.compile(rb'<li class="event')
_MISSED = re.compile(rb"([\d,]+) more came")


@click.command()
@click.option("--rounds", default=4, help="Of each kind, without consoles and with.")
@click.option("--seconds", default=10.0, help="How long a round sends.")
@json_option
def console(*, rounds: int, seconds: float, as_json: bool) -> None:
    """Throughput with five consoles open, beside that without."""
    run(_console(rounds, seconds), as_json=as_json)


async def _console(rounds: int, seconds: float) -> Report:
    report = Report("console")
    async with Stage() as stage:
        sink = await stage.sink()
        relay = await stage.relay(sources=SOURCES, webhooks=[Webhook("sink", sink.port, 500)])
        requests = single_events(SOURCES)
        for section in (_OFFERED, _LIMIT):
            columns: dict[str, list[Column]] = {"nobody watches": [], "five consoles": []}
            for number in range(rounds):
                for name, found in columns.items():
                    say(f"{section}: round {number + 1} of {rounds}, {name}")
                    watched = Watched()
                    async with _watching(relay, CONSOLES if name == "five consoles" else 0, watched):
                        found.append(await _round(relay, requests, section, seconds))
                    found[-1] |= watched.column(seconds) if name == "five consoles" else {}
                    await relay.settle()
            _add(report, section, columns)
    return report


async def _round(relay: Relay, requests: Requests, section: str, seconds: float) -> Column:
    meter = Meter(relay)
    if section == _OFFERED:
        result = await open_loop(
            relay.port, requests, connections=256, sources=SOURCES, rate=RATE, seconds=seconds
        )
    else:
        result = await closed_loop(relay.port, requests, connections=128, seconds=seconds)
    use = meter.read()
    return {
        "accepted_per_second": result.accepted_per_second,
        "refused": result.refused,
        "p99_ms": percentile_ms(result.waits, 0.99),
        "core_percent": use.core_percent,
        "rss_mb": relay.rss_mb(),
    }


def _add(report: Report, section: str, columns: dict[str, list[Column]]) -> None:
    for name, found in columns.items():
        column: Column = {
            key: statistics.median(float(one[key]) for one in found) for key in found[0] if key != "rss_mb"
        }
        report.add(section, name, column | {"rss_mb": found[-1]["rss_mb"]})
    without, watched = (report.sections[section][name] for name in columns)
    share = float(watched["accepted_per_second"]) / float(without["accepted_per_second"])
    report.add(section, "five consoles", {"share_of_unwatched": share})


@dataclass
class Watched:
    """What all consoles together were shown."""

    rows: int = 0
    left_out: list[int] = field(default_factory=list)  # of each stream, as it says

    def column(self, seconds: float) -> Column:
        streams = CONSOLES * len(STREAMS)
        return {
            "rows_per_second": self.rows / streams / seconds,
            "left_out_per_second": sum(self.left_out) / streams / seconds,
        }


@asynccontextmanager
async def _watching(relay: Relay, consoles: int, watched: Watched) -> AsyncIterator[None]:
    """`consoles` are open while within."""
    if not consoles:
        yield
        return
    jar = aiohttp.CookieJar(unsafe=True)  # cookies of an address, too
    timeout = aiohttp.ClientTimeout(total=None)
    base = f"http://127.0.0.1:{relay.admin_port}"
    async with aiohttp.ClientSession(base, cookie_jar=jar, timeout=timeout) as session:
        async with session.post("/console/sign-in", data={"token": TOKEN}, allow_redirects=False) as reply:
            if reply.status != 303:
                raise BenchError(f"the console let nobody in: {reply.status}")
        watchers = [
            asyncio.create_task(watch)
            for _ in range(consoles)
            for watch in (*(_stream(session, path, watched) for path in STREAMS), _overview(session))
        ]
        try:
            yield
        finally:
            for watcher in watchers:
                watcher.cancel()
            ended = await asyncio.gather(*watchers, return_exceptions=True)
        wrong = [end for end in ended if not isinstance(end, asyncio.CancelledError)]
        if wrong:
            raise BenchError(f"a console broke off: {wrong[0]!r}")


async def _stream(session: aiohttp.ClientSession, path: str, watched: Watched) -> Any:
    place = len(watched.left_out)
    watched.left_out.append(0)
    async with session.get(path) as reply:
        if reply.status != 200:
            return f"{path} was answered with {reply.status}"
        while True:
            chunk = await reply.content.readline()
            if not chunk:
                return f"{path} has ended"
            watched.rows += len(_ROW.findall(chunk))
            for missed in _MISSED.findall(chunk):
                watched.left_out[place] = int(missed.replace(b",", b""))


async def _overview(session: aiohttp.ClientSession) -> Any:
    while True:
        async with session.get("/console/", headers={"HX-Request": "true"}) as reply:
            if reply.status != 200:
                return f"the overview was answered with {reply.status}"
            await reply.read()
        await asyncio.sleep(OVERVIEW_SECONDS)

"""browser: relay's own analytics.js beside Segment's, in the same browser, the same page, the same relay.

`size`: what comes over the wire before a page's first event, every script that is needed. `page view`: one `page()` on a
fresh profile; requests with preflights, the time that these scripts ran (with what they wait for in the browser), and when the
first event was on its way after the navigation began, at once and with 40 ms to every server. `trace`: the same time without
the profiler, which stops the script ten thousand times a second: see bench/browser_trace.py. `page's clock`: without an
inspector at all, which slows whatever it watches: see bench/browser_clock.py. Medians of so many visits; a machine that
is busy with other things makes the times long.

Needs Chromium (`CHROMIUM` or in the PATH) and the `test` extra. More than 9 KB in gzip, more script time than Segment's, or
more than 10 ms of it by the page's clock even at best, is a problem.
"""

import gzip
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import click
from playwright.async_api import Page

from bench.browser_clock import clocked
from bench.browser_trace import traced
from bench.report import Column, Report, json_option, run, say
from tests.browser.visit import REFERENCE, Ground, Visit, ground_in

MOST_BYTES = 9 * 1024
MOST_MS = 10
REFERENCE_NAME = "analytics-next 1.84.3"
LATENCY_MS = 40
SAMPLE_MICROSECONDS = 100
_FIRST_EVENT = """() => performance.getEntriesByType("resource")
  .filter(({name}) => /\\/v1\\/[tpigasb]$/.test(name)).map(({startTime}) => startTime)[0]"""


@click.command()
@click.option("--visits", default=9, help="Of each library, at each latency.")
@json_option
def browser(visits: int, *, as_json: bool) -> None:
    """Measure relay's analytics.js and Segment's in Chromium."""
    run(_measured(visits), as_json=as_json)


async def _measured(visits: int) -> Report:
    report = Report("browser")
    with tempfile.TemporaryDirectory() as folder:
        async with ground_in(Path(folder)) as ground:
            hosts = {"relay": ground.front.url, REFERENCE_NAME: f"{ground.front.url}/next"}
            for name, host in hosts.items():
                say(f"{name}: {visits} visits, three times")
                report.add("size", name, await _sizes(ground, host))
                report.add("page view", name, await _page_views(ground, host, visits))
                report.add("trace", name, await traced(ground, host, visits))
            say(f"both in turns, unwatched: {visits} visits of three views")
            for name, column in (await clocked(hosts, visits)).items():
                report.add("page's clock", name, column)
    for section in report.sections.values():
        section["relay to the other"] = _ratios(section["relay"], section[REFERENCE_NAME])
    sizes, views = report.sections["size"], report.sections["page view"]
    if int(sizes["relay"]["gzip_bytes"]) > MOST_BYTES:
        report.problems.append(f"analytics.js has more than {MOST_BYTES} bytes in gzip")
    if float(views["relay"]["script_ms"]) > float(views[REFERENCE_NAME]["script_ms"]):
        report.problems.append("analytics.js runs longer than Segment's")
    if float(report.sections["page's clock"]["relay"]["first_view_script_ms_at_best"]) > MOST_MS:
        report.problems.append(f"analytics.js keeps a new visitor's page for more than {MOST_MS} ms at best")
    return report


def _ratios(ours: Column, theirs: Column) -> Column:
    return {
        name: round(float(value) / float(theirs[name]), 2)
        for name, value in ours.items()
        if float(theirs.get(name, 0))
    }


async def _sizes(ground: Ground, host: str) -> Column:
    """Of all scripts and documents that a page fetches until its first event."""
    async with ground.visit() as visit:
        await _view(visit, host)
        paths = [seen.path for seen in ground.front.seen if seen.method == "GET"]
    bodies = [_file(path) or (await ground.relay.get(path)).body for path in paths]
    column: Column = {
        "files": len(bodies),
        "plain_bytes": sum(map(len, bodies)),
        "gzip_bytes": sum(len(gzip.compress(body, 9)) for body in bodies),
    }
    if len(paths) == 1:
        async with ground.relay.session.get(
            ground.relay.public + paths[0], headers={"Accept-Encoding": "br"}, auto_decompress=False
        ) as answer:
            column["brotli_bytes"] = len(await answer.read())
    return column


def _file(path: str) -> bytes | None:
    if not path.startswith("/next/anal"):
        return None
    name = path.rpartition("/")[2]
    return (REFERENCE / ("standalone.js" if name == "analytics.min.js" else name)).read_bytes()


async def _page_views(ground: Ground, host: str, visits: int) -> Column:
    requests, preflights, script, first, late = [], [], [], [], []
    for _ in range(visits):
        async with ground.visit() as visit:
            page = await visit.new_page()
            session = await visit.context.new_cdp_session(page)
            await session.send("Profiler.enable")
            await session.send("Profiler.setSamplingInterval", {"interval": SAMPLE_MICROSECONDS})
            await session.send("Profiler.start")
            first.append(await _view(visit, host, page))
            script.append(_script_ms((await session.send("Profiler.stop"))["profile"]))
            requests.append(len(ground.front.seen))
            preflights.append(sum(seen.method == "OPTIONS" for seen in ground.front.seen))
        async with ground.visit() as visit:
            late.append(await _view(visit, host, await _slow_page(visit)))
    return {
        "requests": int(median(requests)),
        "preflights_among_them": int(median(preflights)),
        "script_ms": float(median(script)),
        "script_ms_at_best": float(min(script)),
        "first_event_after_ms": float(median(first)),
        f"first_event_after_ms_at_{LATENCY_MS}_ms": float(median(late)),
    }


async def _slow_page(visit: Visit) -> Page:
    page = await visit.new_page()
    session = await visit.context.new_cdp_session(page)
    conditions = {"offline": False, "latency": LATENCY_MS, "downloadThroughput": -1, "uploadThroughput": -1}
    await session.send("Network.emulateNetworkConditions", conditions)
    return page


async def _view(visit: Visit, host: str, page: Page | None = None) -> float:
    """When the first event was on its way."""
    page = await visit.open("analytics.page()", host=host, page=page, path="/viewed")
    front = visit.ground.front
    await front.wait_until(lambda: len(front.events()) == 1, "page view")
    await page.wait_for_function(f"({_FIRST_EVENT})() !== undefined")
    return float(await page.evaluate(_FIRST_EVENT))


def _script_ms(profile: dict[str, Any]) -> float:
    """How long the library's scripts ran, with all that they called in the browser and waited for there."""
    nodes = {node["id"]: node for node in profile["nodes"]}
    parents = {child: node["id"] for node in profile["nodes"] for child in node.get("children", ())}

    def is_own(node: int | None) -> bool:
        while node is not None:
            if "/anal" in nodes[node]["callFrame"]["url"]:
                return True
            node = parents.get(node)
        return False

    own = {node for node in nodes if is_own(node)}
    spent = zip(profile["samples"], profile["timeDeltas"], strict=True)
    return float(sum(delta for node, delta in spent if node in own)) / 1000

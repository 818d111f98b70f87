"""How long a page's library keeps the main thread, from Chromium's own trace (`EvaluateScript`, `FunctionCall`).

A visitor's first view, on a fresh profile, has the browser start what keeps cookies and storage, and compile the script; the
second, in the same tab, has neither. `wall` is with all waiting for other processes, `cpu` without. The browser is one that is
being steered: that has it look up the lines of every function that leads to a request, some milliseconds for any library.
"""

import json
from collections.abc import Iterator
from statistics import median
from typing import Any

from bench.report import Column
from tests.browser.visit import Ground

_CATEGORIES = ["devtools.timeline", "v8"]
_SLICES = ("EvaluateScript", "FunctionCall", "v8.compile", "v8.produceCache", "RunMicrotasks")
_VIEWS = ("first_view", "second_view")


async def traced(ground: Ground, host: str, visits: int) -> Column:
    """Medians and best of both views."""
    found: dict[str, list[tuple[float, float]]] = {view: [] for view in _VIEWS}
    for _ in range(visits):
        async with ground.visit() as visit:
            page = await visit.new_page()
            for view in _VIEWS:
                ground.front.seen.clear()
                await ground.browser.start_tracing(page=page, categories=_CATEGORIES)
                await visit.open("analytics.page()", host=host, page=page, path="/viewed")
                await ground.front.wait_until(lambda: len(ground.front.events()) >= 1, "page view")
                found[view].append(spent(json.loads(await ground.browser.stop_tracing())["traceEvents"]))
    column: Column = {}
    for view, times in found.items():
        for what, some in zip(("wall", "cpu"), zip(*times, strict=True), strict=True):
            column[f"{view}_{what}_ms"] = float(median(some))
            column[f"{view}_{what}_ms_at_best"] = float(min(some))
    return column


def spent(events: list[dict[str, Any]]) -> tuple[float, float]:
    """Milliseconds on the page's main thread in the library, none counted twice: by the clock, and of the processor."""
    outermost = list(_outermost(events))
    return (
        sum(one["dur"] for one in outermost) / 1000,
        sum(one.get("tdur", 0) for one in outermost) / 1000,
    )


def _outermost(events: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    threads = {_thread(one) for one in events if one["name"] == "EvaluateScript" and _is_of_library(one)}
    slices = [
        one for one in events if one.get("ph") == "X" and one["name"] in _SLICES and _thread(one) in threads
    ]
    end = 0
    for one in sorted(slices, key=lambda one: (one["ts"], -one["dur"])):
        if one["ts"] >= end:
            end = one["ts"] + one["dur"]
            if _is_counted(one):
                yield one


def _thread(event: dict[str, Any]) -> tuple[int, int]:
    return event["pid"], event["tid"]


def _is_of_library(event: dict[str, Any]) -> bool:
    arguments = event.get("args", {})
    url = (arguments.get("data") or {}).get("url") or arguments.get("fileName") or ""
    return "/anal" in url


def _is_counted(event: dict[str, Any]) -> bool:
    # what runs when promises are settled does not say whose it is
    return event["name"] == "RunMicrotasks" or _is_of_library(event)

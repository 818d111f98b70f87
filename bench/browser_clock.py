"""How long a page's library keeps the page, by the page's own clock, in a Chromium that nobody steers or traces.

The page has the library's text, puts it into a `<script>`, and reads `performance.now()` around that: `script` is all of the
compiling, the running, and what waited for promises then, waiting for storage and cookies included. relay's first event is
on its way by then. Segment's library only begins: it loads more, and `first_event` is when its event is on its way, the
waiting for servers nearby included, counted from the same moment. So `script` is too long for a library that a page loads by
its address, which is compiled beside the page while it comes, and for Segment's it is less than the whole.

A visitor's first view is that of a fresh profile in a browser just started, the second follows in the same tab. The visits
to both libraries take turns. The site is `www.shop.localhost`: a secure page under a name that has a domain for cookies.
"""

import asyncio
import tempfile
from collections.abc import Mapping
from statistics import median

import msgspec
from aiohttp import web

from bench.report import Column
from tests.browser.front import Pages
from tests.browser.snippet import page_of
from tests.browser.visit import CHROMIUM, FLAGS
from tests.gateway.relay_here import KEY

_SECONDS = 60  # for both views, and for the browser to end
_FLAGS = (*FLAGS, "--headless=new", "--disable-gpu", "--no-first-run")
_VIEWS = ("first_view", "second_view", "third_view")
_BEFORE = "analytics.load = () => {};"  # the page does it
_PAGE = """<script>
let began, ended, sent
const ask = window.fetch
window.fetch = (...given) => {
  const answer = ask(...given)
  if (!sent && /\\/v1\\/[tpigasb]$/.test(given[0])) {
    sent = performance.now()
    answer.finally(() => setTimeout(tell))
  }
  return answer
}
new PerformanceObserver((list) => {
  if (list.getEntriesByName("LIBRARY").length) ask("/go")
}).observe({type: "resource", buffered: true})
async function tell() {
  await ask("/told", {method: "POST", body: JSON.stringify({script: ended - began, first_event: sent - began})})
  if (location.search.length < 3) location.search += "-"
}
</script>
<script defer src="/begin.js"></script><script defer src="LIBRARY" onload="ended = performance.now()"></script>"""


class View(msgspec.Struct):
    """Milliseconds."""

    script: float
    first_event: float


class Shop(Pages):
    """The site. `told` has what the pages said, and `is_told` is set when both views did."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts["/begin.js"] = "began = performance.now()"
        self.told: list[View] = []
        self.is_told = asyncio.Event()
        self._is_ready = asyncio.Event()

    async def answer(self, request: web.Request) -> web.Response:
        if request.path == "/go":
            self._is_ready.set()
        elif request.path == "/begin.js":
            await self._is_ready.wait()
            self._is_ready.clear()
        elif request.path == "/told":
            self.told.append(msgspec.json.decode(await request.read(), type=View))
            if len(self.told) == len(_VIEWS):
                self.is_told.set()
        return await super().answer(request)


async def clocked(hosts: Mapping[str, str], visits: int) -> dict[str, Column]:
    """Medians and best of both views, of each library."""
    found: dict[str, list[list[View]]] = {name: [] for name in hosts}
    for _ in range(visits):
        for name, host in hosts.items():
            found[name].append(await _visit(host))
    return {name: _column(views) for name, views in found.items()}


async def _visit(host: str) -> list[View]:
    async with Shop() as shop:
        library = f"{host}/analytics.js/v1/{KEY}/analytics.min.js"
        head = _PAGE.replace("LIBRARY", library)
        shop.html["/"] = page_of(host, KEY, None, "analytics.page()", _BEFORE, "", head)
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            browser = await asyncio.create_subprocess_exec(
                CHROMIUM,
                *_FLAGS,
                f"--user-data-dir={profile}",
                f"http://www.shop.localhost:{shop.port}/",
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
            try:
                await asyncio.wait_for(shop.is_told.wait(), _SECONDS)
            finally:
                browser.terminate()
                await asyncio.wait_for(browser.wait(), _SECONDS)
        return shop.told


def _column(visits: list[list[View]]) -> Column:
    column: Column = {}
    for view, seen in zip(_VIEWS, zip(*visits, strict=True), strict=True):
        for what in View.__struct_fields__:
            times = [float(getattr(one, what)) for one in seen]
            column[f"{view}_{what}_ms"] = round(median(times), 1)
            column[f"{view}_{what}_ms_at_best"] = round(min(times), 1)
    return column

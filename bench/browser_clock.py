"""How long a page's library keeps the page, by the page's own clock, in a Chromium that nobody steers, watches or traces.

`script`: from the moment in which the browser is free to run the library, which it has fetched, until the script has run, with
what then waited for promises, and with all waiting for storage and cookies. Compiling is in it as far as the browser does not do
it beside the page while the script comes. relay's first event is on its way by then. Segment's library only begins:
it loads settings and more code first, and the time of that code is not in `script`. `first_event`: from the same moment until the
first event's request was started; of Segment's, waiting for servers nearby is in it.

The first view is the first of the site on a fresh profile, in a browser that has been open for two seconds: while it starts it
is busy with itself. The others follow in the same tab. At the second view
Chromium also writes down what it compiled, once for all later views, where the script may be cached. The
visits to the libraries take turns. The site is `www.shop.localhost`: a secure page, under a name that has a domain for cookies.

Deferred scripts do it: one that reads the clock, held back until the library is there, and then the library, whose
`load` event comes in the same task. Of the processes only the browser's own is stopped, by its id: it ends the others.
"""

import asyncio
import tempfile
from collections.abc import Mapping
from statistics import median

import msgspec
from aiohttp import web

from bench.processes import BenchError
from bench.report import Column
from tests.browser.front import Pages
from tests.browser.snippet import page_of
from tests.browser.visit import CHROMIUM, FLAGS
from tests.gateway.relay_here import KEY

_SECONDS = 60  # for all views, and for the browser to end
_FLAGS = (*FLAGS, "--headless=new", "--disable-gpu", "--no-first-run")
_VIEWS = ("first_view", "second_view", "third_view")
_START = "<!doctype html><title>Start</title><script>setTimeout(() => (location = 'SHOP'), 2000)</script>"
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
    """The site. `told` has what the pages said, and `is_told` is set when all views did."""

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
    """Medians and best of each view, by library."""
    found: dict[str, list[list[View]]] = {name: [] for name in hosts}
    for _ in range(visits):
        for name, host in hosts.items():
            found[name].append(await _visit(host))
    return {name: _column(views) for name, views in found.items()}


async def _visit(host: str) -> list[View]:
    async with Shop() as shop:
        library = f"{host}/analytics.js/v1/{KEY}/analytics.min.js"
        head = _PAGE.replace("LIBRARY", library)
        shop.html["/start"] = _START.replace("SHOP", f"http://www.shop.localhost:{shop.port}/")
        shop.html["/"] = page_of(host, KEY, None, "analytics.page()", _BEFORE, "", head)
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            browser = await asyncio.create_subprocess_exec(
                CHROMIUM,
                *_FLAGS,
                f"--user-data-dir={profile}",
                f"http://127.0.0.1:{shop.port}/start",
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
            try:
                await asyncio.wait_for(shop.is_told.wait(), _SECONDS)
            except TimeoutError:
                raise BenchError(f"{host}: a page did not say its times in {_SECONDS} seconds") from None
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

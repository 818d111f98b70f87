"""Files of Segment's CDN, as relay passes them on to browsers: fetched, looked at, kept in memory.

A file is fresh for a while; then the next who asks for it has it renewed, by its ETag. Whatever comes of that, the last good
copy is served: a CDN that is down, slow, or answers with something else changes nothing for pages.

The script and the settings of a source are kept for ever: there are as many as sources. Other files, which anybody may
name, are kept within `MAX_BYTES`, those that nobody asks for being dropped; and of those not here yet the CDN is asked for
so many a second, whoever asks relay.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Generic, TypeVar

import structlog

from relay.browser.library import Served
from relay.browser.proxy_fetch import Client, Fetched, NotThere, Unusable
from relay.browser.proxy_rewrite import read_file, read_script, read_settings
from relay.bucket import Bucket

SETTINGS_SECONDS = 60.0  # that a copy is fresh: a change in Segment's app takes so much longer
SCRIPT_SECONDS = 300.0
DAY_SECONDS = 86_400.0  # the most for a file, whatever the CDN says
PATIENCE_SECONDS = 2.0  # after the CDN was asked that those wait for another copy who could have the last
RETRY_SECONDS = 5.0  # after a failure
MAX_BYTES = 64_000_000  # of all files, compressed copies included
MAX_UNKNOWN = 500  # files that were asked for and did not come
NEW_PER_SECOND, NEW_BURST = 20.0, 200.0  # a page needs about ten, the first time

T = TypeVar("T")
log = structlog.get_logger()


class Kept(Generic[T]):
    """The last good copy of one file, and the one request that renews it. `name` is for the log.

    `seconds`: how long it is fresh; None: as the CDN says. `tasks` has what is on its way.
    """

    def __init__(
        self,
        name: str,
        fetch: Callable[[str | None], Awaitable[Fetched | None]],
        read: Callable[[Fetched], T],
        seconds: float | None,
        clock: Callable[[], float],
        tasks: set["asyncio.Task[None]"],
    ) -> None:
        self.copy: T | None = None
        self.seconds = seconds or SCRIPT_SECONDS
        self._is_told = seconds is None
        self._name = name
        self._fetch = fetch
        self._read = read
        self._clock = clock
        self._tasks = tasks
        self._tag: str | None = None
        self._until = self._not_before = self._began = 0.0
        self._problem: Unusable | None = None
        self._has_warned = False
        self._renewing: asyncio.Task[None] | None = None

    @property
    def is_due(self) -> bool:
        """Whether the CDN is asked when somebody asks for it now."""
        now = self._clock()
        is_fresh = self.copy is not None and now < self._until
        return not is_fresh and now >= self._not_before and self._renewing is None

    async def get(self) -> T:
        """The file. Raises Unusable when there never was one."""
        if self.is_due:
            self._began = self._clock()
            self._renewing = asyncio.create_task(self._renew(), name="segment's cdn")
            self._tasks.add(self._renewing)
            self._renewing.add_done_callback(self._tasks.discard)
        if self._renewing is not None:
            left = max(0.0, self._began + PATIENCE_SECONDS - self._clock())
            await asyncio.wait((self._renewing,), timeout=None if self.copy is None else left)
        if self.copy is None:
            raise (self._problem or Unusable("relay is stopping")).with_traceback(
                None
            )  # it is raised to many
        return self.copy

    async def _renew(self) -> None:
        try:
            fetched = await self._fetch(self._tag)
            if fetched is not None:
                self.copy = await asyncio.to_thread(self._read, fetched)
                self._take_note_of(fetched)
        except Unusable as problem:
            self._failed(problem)
        except ValueError:  # what `read` makes of something else
            self._failed(Unusable("what came is something else"))
        else:
            if self._has_warned:
                log.info("segment's cdn gives it again", file=self._name)
            self._problem, self._has_warned = None, False
            self._until = self._clock() + self.seconds
        finally:
            self._renewing = None

    def _take_note_of(self, fetched: Fetched) -> None:
        self._tag = fetched.tag
        if self._is_told and fetched.max_age is not None:
            self.seconds = min(max(fetched.max_age, SCRIPT_SECONDS), DAY_SECONDS)

    def _failed(self, problem: Unusable) -> None:
        is_anybodys = self._is_told and isinstance(problem, NotThere)  # a name that somebody made up
        if not self._has_warned and not is_anybodys:
            log.warning("segment's cdn does not give it", file=self._name, problem=str(problem))
            self._has_warned = True
        self._problem = problem
        self._not_before = self._clock() + RETRY_SECONDS


class Cdn:
    """What has come from the CDN."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._client = Client()
        self._own: dict[tuple[str, str], Kept[Any]] = {}  # scripts and settings
        self._files: OrderedDict[str, Kept[Served]] = OrderedDict()
        self._unknown: OrderedDict[str, Kept[Served]] = OrderedDict()
        self._bucket = Bucket(NEW_PER_SECOND, NEW_BURST, clock)
        self._tasks: set[asyncio.Task[None]] = set()

    async def script(self, cdn: str, segments_key: str, key: str) -> Served:
        """Segment's analytics.js of its source `segments_key`, which is `key` here."""
        url = f"{cdn}/analytics.js/v1/{segments_key}/analytics.min.js"
        kept: Kept[Served] | None = self._own.get((url, key))
        if kept is None:
            read = partial(read_script, segments_key=segments_key, key=key)
            kept = self._own[url, key] = self._kept("analytics.min.js", url, read, SCRIPT_SECONDS)
        return await kept.get()

    async def settings(self, cdn: str, segments_key: str) -> dict[str, Any]:
        """The settings as Segment gives them; nobody changes the document."""
        url = f"{cdn}/v1/projects/{segments_key}/settings"
        kept: Kept[dict[str, Any]] | None = self._own.get((url, ""))
        if kept is None:
            kept = self._own[url, ""] = self._kept("settings", url, read_settings, SETTINGS_SECONDS)
        return await kept.get()

    async def file(self, cdn: str, path: str) -> tuple[Served, int]:
        """A file that `is_file` knows, and for how many seconds it is good."""
        url = cdn + path
        kept = self._files.get(url) or self._new(url, path)
        served = await kept.get()
        self._unknown.pop(url, None)
        is_new = url not in self._files
        self._files[url] = kept
        self._files.move_to_end(url)
        if is_new:
            self._make_room()
        return served, int(kept.seconds)

    def _new(self, url: str, path: str) -> Kept[Served]:
        kept = self._unknown.get(url)
        if kept is None:
            kept = self._unknown[url] = self._kept(path, url, read_file, None)
            if len(self._unknown) > MAX_UNKNOWN:
                self._unknown.popitem(last=False)
        if kept.is_due and self._bucket.wait():
            raise Unusable("more files that are not here yet than relay fetches at a time")
        return kept

    def _kept(self, name: str, url: str, read: Callable[[Fetched], T], seconds: float | None) -> Kept[T]:
        return Kept(name, partial(self._client.fetch, url), read, seconds, self._clock, self._tasks)

    def _make_room(self) -> None:
        n = sum(_size(kept) for kept in self._files.values())
        while n > MAX_BYTES:
            n -= _size(self._files.popitem(last=False)[1])

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.close()


def _size(kept: Kept[Served]) -> int:
    return sum(len(body) for body, _ in kept.copy.bodies.values()) if kept.copy is not None else 0

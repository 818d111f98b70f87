"""What browsers of a source with `[sources.segment]` get: Segment's script, settings and files, through relay.

The question was what to answer when the CDN fails and there is no copy yet, after a restart. With 503 a page has no
analytics at all, and what its visitors do is lost. So it gets relay's own script and settings, which every source has:
events come here and go to Segment by its destination; only what Segment's device mode does in the page is missing. For
a file that the script asks for later there is no such other: that is 503.
"""

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import orjson
from aiohttp import web

from relay.browser.library import Served
from relay.browser.proxy import SETTINGS_SECONDS, Cdn
from relay.browser.proxy_fetch import NotThere, Unusable
from relay.browser.proxy_rewrite import is_file, packed, rewritten
from relay.browser.settings import Facts, segment_settings
from relay.gateway.answers import JSON, Answer, failure, later
from relay.gateway.cors import shared_cors_headers
from relay.gateway.files import ANYBODY, script, whole
from relay.gateway.source import Source, Sources

SCRIPTS = ("analytics.min.js", "analytics.js")
AGAIN_SECONDS = 5
MAX_PLACES = 100  # names that relay is called by, whose settings are kept ready
_HEADERS = (*ANYBODY, ("X-Content-Type-Options", "nosniff"))  # it is a script and nothing else


class SegmentFiles:
    """Answers for these sources."""

    def __init__(self, sources: Sources, facts_of: Callable[[str], Facts]) -> None:
        self._sources = sources
        self._facts_of = facts_of
        self._cdn = Cdn()
        self._ready: dict[tuple[str, str, str], tuple[object, Facts, Served]] = {}

    async def close(self) -> None:
        await self._cdn.close()

    async def answer(
        self, request: web.BaseRequest, route: str, place: Callable[[], tuple[str, str]]
    ) -> Answer | None:
        """None: it is not Segment's to answer, or Segment's CDN does not, and relay has its own.

        `place`: host and path to send events to, and the scheme.
        """
        try:
            match route.split("/"):
                case ["", "v1", "projects", key, "settings"] if (source := self._source(key)) is not None:
                    return await self._settings(request, source, unquote(key), *place())
                case ["", "analytics.js", "v1", key, name] if name in SCRIPTS:
                    source = self._source(key)
                    return None if source is None else await self._script(request, source, unquote(key))
        except Unusable:
            pass
        return None

    def _source(self, key: str) -> Source | None:
        source = self._sources.by_key(unquote(key))
        has_it = source is not None and source.is_enabled and source.config.segment is not None
        return source if has_it else None

    async def _script(self, request: web.BaseRequest, source: Source, key: str) -> Answer:
        cdn, segments_key = self._at_segment(source)
        return script(request, await self._cdn.script(cdn, segments_key, key), more=_HEADERS)

    async def _settings(
        self, request: web.BaseRequest, source: Source, key: str, api_host: str, scheme: str
    ) -> Answer:
        cdn, segments_key = self._at_segment(source)
        theirs, facts = await self._cdn.settings(cdn, segments_key), self._facts_of(source.name)
        before = self._ready.get((key, api_host, scheme))
        if before is not None and before[0] is theirs and before[1] is facts:
            served = before[2]
        else:
            ours = segment_settings(key, api_host, scheme, facts)
            served = await asyncio.to_thread(_settings_of, theirs, ours, cdn)
            if len(self._ready) >= MAX_PLACES:
                self._ready.clear()
            self._ready[key, api_host, scheme] = theirs, facts, served
        return whole(
            request, served, JSON, int(SETTINGS_SECONDS), shared_cors_headers(request.headers.get("Origin"))
        )

    async def file(self, request: web.BaseRequest, path: str) -> Answer | None:
        """A file that the script asks for: it has no key in its address, and is the same for all sources."""
        enabled = (source.config for source in self._sources.by_name.values() if source.is_enabled)
        cdn = next((config.segment.cdn for config in enabled if config.segment), None)
        if cdn is None or not is_file(path):
            return None
        try:
            served, seconds = await self._cdn.file(cdn, path)
        except NotThere:
            return failure(404, "not_found", "Segment's CDN has no such file", ANYBODY)
        except Unusable:
            return later(503, "unavailable", "Segment's CDN does not give this file", AGAIN_SECONDS, ANYBODY)
        return script(request, served, seconds, _HEADERS)

    def _at_segment(self, source: Source) -> tuple[str, str]:
        """Where this source's files are, and its key there."""
        config = source.config.segment
        assert config is not None
        return config.cdn, config.write_key or source.config.keys[0]


def _settings_of(theirs: dict[str, Any], ours: bytes, cdn: str) -> Served:
    return packed(orjson.dumps(rewritten(theirs, orjson.loads(ours), cdn)))

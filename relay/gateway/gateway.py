"""The public listener: who sends, how much, is it JSON; then into the log, and only then 200.

Everything here runs once a request. What an event means is for admission to say; the gateway looks into one only
as far as an answer depends on it: a single event that can never be accepted is refused with 400, while in
a batch it must not cost the others.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote

import structlog
from aiohttp import web

from relay import metrics
from relay.body import decode, encode
from relay.browser.analytics_next import NOT_INSTALLED, PLACE, SCRIPT, AnalyticsNext
from relay.browser.config import BrowserConfig
from relay.browser.library import MISSING, Library, plugin, plugin_names
from relay.browser.settings import Facts, rudder_settings, segment_settings
from relay.errors import EventRejected, LogUnavailable
from relay.event import Event
from relay.gateway import pixel, strict, validating
from relay.gateway.answers import JSON, SUCCESS, Answer, Headers, failure, later, success
from relay.gateway.answers import pixel as gif
from relay.gateway.cookies import renewed
from relay.gateway.cors import cors_headers, preflight, shared_cors_headers
from relay.gateway.files import ANYBODY, SCRIPT_SECONDS, script
from relay.gateway.names import Names
from relay.gateway.proxies import Proxies
from relay.gateway.reading import BodyTimeout, read_body
from relay.gateway.routes import TRACKING, Route, split_prefix
from relay.gateway.segment import SCRIPTS, SegmentFiles
from relay.gateway.source import Source, Sources
from relay.log.base import Log
from relay.log.record import Record
from relay.times import format_iso

log = structlog.get_logger()


class Body(Protocol):
    """A parsed body, as admission has it; the gateway only reads the key."""

    @property
    def write_key(self) -> Any: ...


class Parser(Protocol):
    """Admission's way from bodies to events."""

    def parse(self, body: bytes, route: str) -> Any:
        """A Body. Raises EventRejected."""

    def prepare(self, record: Record, body: Any) -> list[Event]:
        """The events of a parsed body, each good or rejected."""


class Refused(Exception):
    """The answer is not 200."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


class Gateway:
    """Answers the public listener. While the rooms behind cannot keep up (`is_pressed`), `relief` holds answers back."""

    def __init__(
        self,
        sources: Sources,
        proxies: Proxies,
        events: Log,
        *,
        parser: Parser,
        is_pressed: Callable[[], bool],
        relief: Callable[[], Awaitable[None]],
        facts_of: Callable[[str], Facts],
        judge: validating.Judge,
        breaches: strict.Breaches,
        browser: BrowserConfig,
        segments: Path,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.sources = sources
        self.proxies = proxies
        self._log = events
        self._parser = parser
        self._is_pressed = is_pressed
        self._relief = relief
        self._facts_of = facts_of
        self._library = Library()
        self._segments_folder = segments
        self._judge = judge
        self._breaches = breaches
        self._clock = clock
        self.segment = SegmentFiles(sources, facts_of)
        self.take_up(browser)

    def take_up(self, browser: BrowserConfig) -> None:
        """From now on these names and cookies, and this library as it is now installed."""
        self._names = Names(browser)
        self._cookie_domains = browser.cookie_domains
        self._is_segments = browser.library == "analytics-next"
        self._segments = AnalyticsNext(self._segments_folder)

    async def handle(self, request: web.BaseRequest) -> Answer:
        """The answer, whatever comes; a fault of our own is a 500, which clients repeat."""
        try:
            return await self._route(request)
        except Refused as refused:
            return refused.answer
        except (asyncio.CancelledError, ConnectionError):
            raise
        except Exception:
            log.exception("a request could not be answered")
            return failure(500, "internal", "internal error", cors_headers(request.headers.get("Origin")))

    async def _route(self, request: web.BaseRequest) -> Answer:
        path, _, query = request.raw_path.partition("?")
        method = request.method
        if method == "POST":
            route = TRACKING.get(path)
            if route is None:
                route = TRACKING.get(split_prefix(self._names.known(path))[1])
            if route is not None:
                return await self._track(request, route, query)
        elif method == "OPTIONS":
            origin = request.headers.get("Origin")
            return preflight(
                request.headers, is_allowed=origin is not None and self.sources.allow_origin(origin)
            )
        return await self._other(request, method, path, query)

    async def _other(self, request: web.BaseRequest, method: str, path: str, query: str) -> Answer:
        prefix, route = split_prefix(self._names.known(path))
        if method == "POST" and route in ("/v1/m", "/v1/validate"):
            return await (self._telemetry(request) if route == "/v1/m" else self._validate(request, query))
        if method in ("GET", "HEAD"):
            if route.startswith("/v1/pixel/"):
                await self._pixel(request, route.removeprefix("/v1/pixel/"), query)
                return gif()
            if path == "/healthz":
                return Answer(200, b'{"ok":true}')
            found = await self._for_browsers(request, route, prefix)
            if found is not None:
                return found
        return failure(404, "not_found", "there is nothing here", cors_headers(request.headers.get("Origin")))

    # --- tracking ------------------------------------------------------------------------------

    async def _track(self, request: web.BaseRequest, route: Route, query: str) -> Answer:
        cors = cors_headers(request.headers.get("Origin"))
        if "X-Retry-Count" in request.headers:
            metrics.RETRIED_REQUESTS.inc()
        record, parsed, source = await self._taken(request, route, query, cors)
        self._prepare_events(record, parsed, cors, source)
        if source.config.strict:
            await self._hold_to_plan(record, source, cors)
        await self._keep(record, source, cors)
        if self._cookie_domains:
            cors += renewed(request.headers, record, self._cookie_domains)
        return success(request, cors)

    async def _validate(self, request: web.BaseRequest, query: str) -> Answer:
        """As a request that tracks, with the same limits; but it only says what would become of the events."""
        cors = cors_headers(request.headers.get("Origin"))
        record, parsed, _ = await self._taken(request, None, query, cors)
        events = self._parser.prepare(record, parsed)
        found = validating.verdicts(events, record.route, self._judge)
        return Answer(200, encode(found) or b"{}", JSON, cors)

    async def _taken(
        self, request: web.BaseRequest, route: Route | None, query: str, cors: Headers
    ) -> tuple[Record, Body, Source]:
        """What a request brings, once its source may send it. Without a `route` the body says what it is."""
        headers = request.headers
        origin = headers.get("Origin")
        source = self.sources.known.get(headers.get("Authorization"))
        if source is None:
            source = self._source_of_headers(request, query, cors)
        if source is not None:
            self._admit_request(source, origin, cors)
        body = await self._body(request, cors, source)
        if route is None:
            route = self._route_in(body, cors, source)
        parsed = self._parsed(body, route, cors, source)
        if source is None:
            source = self.sources.by_key(parsed.write_key)
            if source is None or not source.is_enabled:
                raise Refused(self._unknown_key(cors))
            self._admit_request(source, origin, cors)
        record = Record(
            int(self._clock() * 1000),
            source.name,
            route.kind,
            origin is not None if route.client is None else route.client,
            None if headers.get("X-IP-Policy", "keep") != "keep" else self.proxies.client_of(request),
            headers.get("User-Agent"),
            headers.get("SentAt") if origin is not None else None,
            1,
            body,
        )
        return record, parsed, source

    def _route_in(self, body: bytes, cors: Headers, source: Source | None) -> Route:
        try:
            return Route(validating.route_of(body))
        except EventRejected as error:
            raise Refused(self._bad(error.code, error.message, cors, source)) from None

    def _prepare_events(self, record: Record, parsed: Body, cors: Headers, source: Source) -> None:
        """Look at the events as far as the answer depends on them."""
        events = record.prepared = self._parser.prepare(record, parsed)
        record.events = len(events)
        if record.route != "batch" and events[0].outcome is not None:
            code, message = events[0].reason or "", events[0].notes[0]
            source.rejected[code] += 1
            raise Refused(self._bad(code, message, cors, source))

    async def _hold_to_plan(self, record: Record, source: Source, cors: Headers) -> None:
        """Nothing of a request is kept if any of its events breaks the plan."""
        told = await strict.violations_of(
            record.prepared or [], self._breaches, is_batch=record.route == "batch"
        )
        if told:
            source.statuses[400] += 1
            source.rejected[strict.CODE] += record.events
            raise Refused(failure(400, strict.CODE, strict.MESSAGE, cors, violations=told))

    async def _keep(self, record: Record, source: Source, cors: Headers) -> None:
        """Return once the record is durable."""
        try:
            await self._log.append(record)
        except LogUnavailable as error:
            source.statuses[503] += 1
            # why is for the operator, in the log and in /readyz
            message = "events cannot be kept at the moment"
            raise Refused(later(503, "unavailable", message, error.after_seconds, cors)) from None
        source.statuses[200] += 1
        source.events += record.events
        if self._is_pressed():
            await self._relief()

    def _source_of_headers(self, request: web.BaseRequest, query: str, cors: Headers) -> Source | None:
        """The source that a header or the query names; None when only the body can say."""
        headers = request.headers
        key: str | None = None
        authorization = headers.get("Authorization")
        if authorization is not None:
            source = self.sources.by_authorization(authorization)
            if source is not None and source.is_enabled:
                return source
            if source is not None or authorization[:6].lower() == "basic ":
                raise Refused(self._unknown_key(cors))
            if authorization[:7].lower() == "bearer ":
                message = "OAuth tokens are not yet supported: send the write key"
                raise Refused(failure(401, "invalid_token", message, cors))
        if "X-Write-Key" in headers:
            key = headers["X-Write-Key"].partition(":")[0]
        elif "writeKey=" in query:
            key = request.rel_url.query.get("writeKey")
        if key is None:
            return None
        source = self.sources.by_key(key)
        if source is None or not source.is_enabled:
            raise Refused(self._unknown_key(cors))
        return source

    def _unknown_key(self, cors: Headers) -> Answer:
        return failure(401, "invalid_write_key", "the write key is unknown, disabled or missing", cors)

    def _admit_request(self, source: Source, origin: str | None, cors: Headers) -> None:
        """Refuse a source that may not send now, or not from there."""
        if origin is not None and not source.allows(origin):
            source.statuses[403] += 1
            raise Refused(
                failure(403, "origin_not_allowed", "this source does not allow the page's origin", ())
            )
        seconds = source.bucket.wait()
        if seconds:
            source.statuses[429] += 1
            message = "more requests than this source may send"
            raise Refused(later(429, "too_many_requests", message, max(1, math.ceil(seconds)), cors))

    async def _body(self, request: web.BaseRequest, cors: Headers, source: Source | None) -> bytes:
        try:
            return await read_body(request)
        except EventRejected as error:
            raise Refused(self._bad(error.code, error.message, cors, source)) from None
        except BodyTimeout:
            raise Refused(failure(408, "timeout", "the body did not arrive in time", cors)) from None

    def _parsed(self, body: bytes, route: Route, cors: Headers, source: Source | None) -> Body:
        try:
            parsed: Body = self._parser.parse(body, route.kind)
        except EventRejected as error:
            raise Refused(self._bad(error.code, error.message, cors, source)) from None
        return parsed

    def _bad(self, code: str, message: str, cors: Headers, source: Source | None) -> Answer:
        if source is not None:
            source.statuses[400] += 1
        return failure(400, code, message, cors)

    # --- the rest ------------------------------------------------------------------------------

    async def _pixel(self, request: web.BaseRequest, kind: str, query: str) -> None:
        """Keep a pixel's event if it is one; nobody is told."""
        event = pixel.event_of(query)
        route = TRACKING.get(f"/v1/{kind}")
        if event is None or route is None or route.kind != kind:
            return
        source = self.sources.by_key(event.get("writeKey"))
        if source is None or not source.is_enabled:
            return
        body = encode(event)
        if body is None:
            return
        ip, agent = self.proxies.client_of(request), request.headers.get("User-Agent")
        record = Record(int(self._clock() * 1000), source.name, kind, True, ip, agent, None, 1, body)  # noqa: FBT003
        try:
            self._prepare_events(record, self._parser.parse(body, kind), (), source)
            if source.config.strict:
                await self._hold_to_plan(record, source, ())
            await self._keep(record, source, ())
        except Refused as refused:
            log.info("a pixel's event was not kept", source=source.name, status=refused.answer.status)

    async def _telemetry(self, request: web.BaseRequest) -> Answer:
        """SDKs report on themselves: counted, not kept."""
        cors = cors_headers(request.headers.get("Origin"))
        body = await self._body(request, cors, None)
        try:
            series = decode(body)["series"]
            metrics.SDK_METRICS.inc(len(series))
        except (ValueError, TypeError, KeyError):
            pass
        return Answer(200, SUCCESS, JSON, cors)

    async def _for_browsers(self, request: web.BaseRequest, route: str, prefix: str) -> Answer | None:
        """What libraries fetch before they send: Segment's where a source is to go on with it, else relay's own."""
        found = await self.segment.answer(request, route, lambda: self._api_place(request, prefix))
        if found is not None:
            return found
        match route.split("/"):
            case ["", "v1", "projects", key, "settings"]:
                return self._settings(request, unquote(key), prefix)
        if route.startswith("/analytics.js/v1/"):
            return self._script(request, route)
        # whichever library is served now: pages may run the one before
        if route.startswith(PLACE) and (part := self._segments.served(route.removeprefix(PLACE))) is not None:
            return script(request, part)
        is_rudder = route == "/sourceConfig"
        return self._rudder_settings(request) if is_rudder else await self.segment.file(request, route)

    def _api_place(self, request: web.BaseRequest, prefix: str) -> tuple[str, str]:
        host = request.headers.get("Host", "localhost")
        return self._names.api_host(host, prefix), self.proxies.scheme_of(request)

    def _settings(self, request: web.BaseRequest, key: str, prefix: str) -> Answer:
        cors = shared_cors_headers(request.headers.get("Origin"))
        source = self.sources.by_key(key)
        if source is None or not source.is_enabled:
            return failure(404, "not_found", "there is no such write key", cors)
        body = segment_settings(key, *self._api_place(request, prefix), self._facts_of(source.name))
        return Answer(200, body, JSON, (("Cache-Control", "public, max-age=60"), *cors))

    def _script(self, request: web.BaseRequest, route: str) -> Answer:
        """Answer with analytics.js, or a plug-in of it, for the source whose key is in the address."""
        key, _, name = route.removeprefix("/analytics.js/v1/").partition("/")
        folder, _, file = name.rpartition("/")
        is_known = name in SCRIPTS or (folder == "plugins" and file in plugin_names())
        source = self.sources.by_key(unquote(key))
        if source is None or not source.is_enabled or not is_known:
            return failure(404, "not_found", "there is no such write key", ANYBODY)
        missing = MISSING
        if folder:
            served = plugin(file)
        elif self._is_segments:
            served, missing = self._segments.served(SCRIPT), NOT_INSTALLED
        else:
            served = self._library.served(unquote(key), self._facts_of(source.name))
        if served is None:
            return later(503, "unavailable", missing, SCRIPT_SECONDS, ANYBODY)
        return script(request, served)

    def _rudder_settings(self, request: web.BaseRequest) -> Answer:
        cors = cors_headers(request.headers.get("Origin"))
        source = self._source_of_headers(request, request.raw_path.partition("?")[2], cors)
        if source is None:
            return self._unknown_key(cors)
        key = source.config.keys[0]
        body = rudder_settings(key, source.name, format_iso(int(self._clock() * 1000)))
        return Answer(200, body, JSON, cors)

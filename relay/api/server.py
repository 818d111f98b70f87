"""The admin listener: status, debugger, dead letters, operations, metrics, and the console with its own sign-in.

Errors are `{"error": {"code", "message"}}`. Every route but /healthz, /readyz, /metrics and /oauth/callback wants a token.
"""

from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from aiohttp_sse import sse_response

from relay.api.alerts import alert_routes
from relay.api.auth import problem, require_token
from relay.api.blocked_events import blocked_event_routes
from relay.api.config_api import config_api_routes
from relay.api.dialects import in_their_words
from relay.api.exposition import expose
from relay.api.logins import login_routes
from relay.api.openapi.document import openapi_routes
from relay.api.overview import overview_routes
from relay.api.parameters import BadParameter, answer, body, limit, number
from relay.api.plan_inference import plan_inference_routes
from relay.api.public_api import public_api_routes
from relay.api.replays import replay_routes
from relay.api.validating import validating_routes
from relay.api.violations import violation_routes
from relay.body import encode
from relay.console.console import console_application, to_console
from relay.console.debugger import TooManyListeners
from relay.console.relay import Relay
from relay.console.search import Search, search_of
from relay.errors import ConfigError

log = structlog.get_logger()

PING_SECONDS = 2.0


def admin_application(relay: Relay) -> web.Application:
    """The aiohttp application of the admin listener."""
    tokens = require_token(lambda: relay.admin_token, lambda: relay.config.server.read_token)
    application = web.Application(middlewares=[_explain, in_their_words, tokens], client_max_size=1_000_000)
    routes = _Routes(relay)
    application.on_shutdown.append(routes.end_streams)
    application.add_routes(
        [
            web.get("/", to_console),
            web.get("/console", to_console),
            web.get("/healthz", routes.healthz),
            web.get("/readyz", routes.readyz),
            web.get("/metrics", routes.metrics),
            web.get("/v1/status", routes.status),
            web.get("/v1/debugger/events", routes.debugger),
            web.get("/v1/dead-letters", routes.dead_letters),
            web.post("/v1/dead-letters/retry", routes.retry_dead_letters),
            web.post("/v1/dead-letters/drop", routes.drop_dead_letters),
            web.post("/v1/destinations/{name}/pause", routes.pause),
            web.post("/v1/destinations/{name}/resume", routes.resume),
            web.post("/v1/reload", routes.reload),
            *blocked_event_routes(relay),
            *alert_routes(relay),
            *plan_inference_routes(relay),
            *overview_routes(relay),
            *replay_routes(relay),
            *validating_routes(relay),
            *violation_routes(relay),
            *login_routes(relay),
            *config_api_routes(relay),
            *public_api_routes(relay),
            *openapi_routes(),
        ]
    )
    application.add_subapp("/console/", console_application(relay))
    return application


@web.middleware
async def _explain(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every answer is JSON, errors too; none has a stack trace."""
    try:
        return await handler(request)
    except BadParameter as error:
        return problem(400, "bad_request", str(error))
    except web.HTTPException as error:
        response = problem(error.status, error.reason.lower().replace(" ", "_"), error.reason)
        if isinstance(error, web.HTTPMethodNotAllowed):
            response.headers["Allow"] = error.headers["Allow"]
        return response
    except ConnectionError:
        raise
    except Exception:
        log.exception("an admin request failed", path=request.path)
        return problem(500, "internal", "internal error, see the log")


class _Routes:
    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    async def end_streams(self, _: web.Application) -> None:
        self._relay.debugger.close()

    async def healthz(self, _: web.Request) -> web.Response:
        return answer({"ok": True})

    async def readyz(self, _: web.Request) -> web.Response:
        trouble = self._relay.log.problem
        return answer({"ready": trouble is None, "problem": trouble}, 200 if trouble is None else 503)

    async def metrics(self, _: web.Request) -> web.Response:
        await self._relay.delivery.status()
        self._relay.replays.measure()
        return expose(self._relay.sources.by_name.values())

    async def status(self, _: web.Request) -> web.Response:
        return answer(await self._relay.status())

    async def debugger(self, request: web.Request) -> web.StreamResponse:
        try:
            search = search_of(request.query)
        except ValueError as error:
            raise BadParameter(str(error)) from None
        if "text/event-stream" in request.headers.get("Accept", ""):
            return await self._stream(request, search)
        return answer({"events": self._relay.debugger.newest(search, limit(request))})

    async def _stream(self, request: web.Request, search: Search) -> web.StreamResponse:
        # a viewer that left is found out by a ping
        async with sse_response(request, ping_interval=PING_SECONDS) as response:
            stream = self._relay.debugger.listen(search, response.is_connected)
            try:
                async for heard in stream:
                    for item in self._relay.debugger.told(search, heard.events):
                        await response.send((encode(item) or b"{}").decode(), event="event")
                    if heard.missed:
                        await response.send(f'{{"missed":{heard.missed}}}', event="missed")
            except TooManyListeners:
                await response.send('{"error":"too many live views are open"}', event="error")
            finally:
                await stream.aclose()  # type: ignore[attr-defined]
        return response

    async def dead_letters(self, request: web.Request) -> web.Response:
        page = await self._relay.dead_letters.page(
            request.query.get("destination"),
            number(request, "before", None),
            limit(request),
            request.query.get("reason"),
        )
        return answer({"deadLetters": page})

    async def retry_dead_letters(self, request: web.Request) -> web.Response:
        return answer({"retried": await self._chosen(request, self._relay.dead_letters.retry)})

    async def drop_dead_letters(self, request: web.Request) -> web.Response:
        return answer({"dropped": await self._chosen(request, self._relay.dead_letters.drop)})

    async def _chosen(
        self,
        request: web.Request,
        work: Callable[[str | None, list[int] | None, str | None], Awaitable[int]],
    ) -> int:
        chosen = await body(request)
        destination, ids = chosen.get("destination"), chosen.get("ids")
        reason = chosen.get("reason")
        if destination is None and ids is None and reason is None:
            raise BadParameter("name a destination, a reason, or ids")
        for name, value in (("destination", destination), ("reason", reason)):
            if value is not None and type(value) is not str:
                raise BadParameter(f"{name} must be a string")
        if ids is not None and not (type(ids) is list and all(type(i) is int for i in ids)):
            raise BadParameter("ids must be an array of integers")
        return await work(destination, ids, reason)

    async def pause(self, request: web.Request) -> web.Response:
        return await self._pause(request, is_paused=True)

    async def resume(self, request: web.Request) -> web.Response:
        return await self._pause(request, is_paused=False)

    async def _pause(self, request: web.Request, *, is_paused: bool) -> web.Response:
        name = request.match_info["name"]
        if name not in self._relay.delivery.consumers:
            return problem(404, "not_found", f"there is no running destination {name!r}")
        await self._relay.delivery.pause(name, is_paused=is_paused)
        return answer({"destination": name, "paused": is_paused})

    async def reload(self, _: web.Request) -> web.Response:
        try:
            return answer({"reloaded": True, "restartNeededFor": await self._relay.reload()})
        except ConfigError as error:
            trouble = {"code": "bad_config", "message": str(error), "problems": error.problems}
            return answer({"error": trouble}, 400)

"""Who may use the admin listener: one token changes things, a second one may only look."""

import hmac
from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from relay.console.sessions import tokens_in

CALLBACK = "/oauth/callback"  # where vendors send people back to; `state` is what it asks for
CONSOLE = "/console/"  # has a sign-in of its own
OPEN = frozenset(("/", "/console", "/healthz", "/readyz", "/metrics", CALLBACK))
_LOOKING = frozenset(("GET", "HEAD"))


def problem(status: int, code: str, message: str) -> web.Response:
    """An error as every admin route gives it."""
    return web.json_response({"error": {"code": code, "message": message}}, status=status)


def require_token(admin_token: Callable[[], str], read_token: Callable[[], str | None]) -> Middleware:
    """A middleware that lets nobody pass without a token, but to the routes of OPEN."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in OPEN or request.path.startswith(CONSOLE):
            return await handler(request)
        given = tokens_in(request.headers.get("Authorization", ""))
        if _same(given, admin_token()):
            return await handler(request)
        if _same(given, read_token()):
            if request.method in _LOOKING:
                return await handler(request)
            return problem(403, "read_only", "this token may look, not change")
        response = problem(401, "unauthorized", "an admin token is required: Authorization: Bearer TOKEN")
        response.headers["WWW-Authenticate"] = 'Bearer realm="relay", Basic realm="relay"'
        return response

    return check


def _same(given: tuple[str, ...], token: str | None) -> bool:
    return token is not None and any(
        hmac.compare_digest(g.encode("utf-8", "surrogateescape"), token.encode()) for g in given
    )

"""Logging in to destinations. The way back from the vendor needs no token: the `state` it brings was made here."""

import html
from typing import Any, Protocol

from aiohttp import web

from relay.api.auth import CALLBACK, problem
from relay.api.parameters import BadParameter, answer, body
from relay.delivery.logins import LOGIN_SECONDS, BadLogin

_ONE = "/v1/destinations/{name}"
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",  # the address of the page holds the code
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
_PAGE = "<!doctype html>\n<meta charset=utf-8>\n<title>relay</title>\n<p>{}\n"
_DONE = "relay is logged in: you may close this window."
_FAILED = "relay is not logged in: {}"


class Relay(Protocol):
    """What these routes need of a running relay."""

    delivery: Any


def login_routes(relay: Relay) -> list[web.RouteDef]:
    """The routes, to be added to the admin application."""
    routes = _Routes(relay)
    return [
        web.get(f"{_ONE}/login", routes.show),
        web.post(f"{_ONE}/login", routes.begin),
        web.post(f"{_ONE}/logout", routes.forget),
        web.get(CALLBACK, routes.finish),
    ]


class _Routes:
    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    async def begin(self, request: web.Request) -> web.Response:
        given = (await body(request) if request.can_read_body else {}).get("redirectUri")
        if given is not None and not isinstance(given, str):
            raise BadParameter("redirectUri must be a string")
        name = request.match_info["name"]
        redirect_uri = given or f"{request.scheme}://{request.host}{CALLBACK}"
        try:
            url = self._relay.delivery.logins.begin(name, redirect_uri)
        except KeyError:
            return _unknown(name)
        except BadLogin as error:
            raise BadParameter(str(error)) from None
        return answer({"url": url, "redirectUri": redirect_uri, "expiresInSeconds": LOGIN_SECONDS})

    async def show(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        try:
            return answer(await self._relay.delivery.logins.status(name))
        except KeyError:
            return _unknown(name)
        except BadLogin as error:
            raise BadParameter(str(error)) from None

    async def forget(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        try:
            await self._relay.delivery.logins.forget(name)
        except KeyError:
            return _unknown(name)
        except BadLogin as error:
            raise BadParameter(str(error)) from None
        return answer(await self._relay.delivery.logins.status(name))

    async def finish(self, request: web.Request) -> web.Response:
        query = request.query
        try:
            await self._relay.delivery.logins.finish(
                query.get("state", ""), query.get("code"), query.get("error")
            )
        except BadLogin as error:
            return _page(400, _FAILED.format(error))
        return _page(200, _DONE)


def _unknown(name: str) -> web.Response:
    return problem(404, "not_found", f"there is no destination {name!r} in relay.toml")


def _page(status: int, sentence: str) -> web.Response:
    text = _PAGE.format(html.escape(sentence))
    return web.Response(text=text, status=status, content_type="text/html", headers=_HEADERS)

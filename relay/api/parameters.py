"""What admin routes are given, checked, and how they answer."""

import time
from typing import Any

import orjson
from aiohttp import web

from relay.body import encode
from relay.times import moment_ms

PAGE = 100
MAX_PAGE = 500


class BadParameter(Exception):
    """A parameter that is not what it must be; the sentence names it."""


def answer(value: Any, status: int = 200) -> web.Response:
    """`value` as JSON."""
    return web.Response(body=encode(value), status=status, content_type="application/json")


def number(request: web.Request, name: str, default: int | None) -> int | None:
    """A whole number in the query."""
    text = request.query.get(name)
    if text is None:
        return default
    if not text.isdecimal() or len(text) > 18:  # noqa: PLR2004  what fits into SQLite's integers
        raise BadParameter(f"{name} must be a whole number")
    return int(text)


def limit(request: web.Request) -> int:
    """How many are wanted at once."""
    wanted = number(request, "limit", PAGE)
    return PAGE if wanted is None else min(wanted, MAX_PAGE)


def moment(request: web.Request, name: str) -> int | None:
    """A moment in ms: ISO 8601 in the query, or a duration back from now."""
    text = request.query.get(name)
    if text is None:
        return None
    try:
        return moment_ms(text, int(time.time() * 1000))
    except ValueError as error:
        raise BadParameter(f"{name}: {error}") from None


def flag(request: web.Request, name: str) -> bool:
    """`true` or `false` in the query; false when it is not there."""
    text = request.query.get(name, "false")
    if text not in ("true", "false"):
        raise BadParameter(f"{name} must be true or false")
    return text == "true"


async def body(request: web.Request) -> dict[str, Any]:
    """The body, a JSON object."""
    try:
        value = orjson.loads(await request.read())
    except ValueError:
        raise BadParameter("the body is not JSON") from None
    if type(value) is not dict:
        raise BadParameter("the body must be a JSON object")
    return value

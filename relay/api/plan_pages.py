"""Pages of the Public API: `pagination[count]` and `pagination[cursor]` in, where one is and how it goes on out."""

from bisect import bisect_left
from typing import Any

from aiohttp import web

from relay.api.plan_bodies import how_many

PAGE = 100


def page_of(request: web.Request, keys: list[str]) -> tuple[list[str], dict[str, Any]]:
    """Those of the sorted `keys` that are asked for. A cursor is the key that a page begins with."""
    count = how_many(_asked(request, "count"), "pagination.count", PAGE)
    start = bisect_left(keys, _asked(request, "cursor") or "")
    page = keys[start : start + count]
    pagination: dict[str, Any] = {"current": page[0] if page else "", "totalEntries": len(keys)}
    if start + count < len(keys):
        pagination["next"] = keys[start + count]
    if start > 0:
        pagination["previous"] = keys[max(0, start - count)]
    return page, pagination


def _asked(request: web.Request, name: str) -> str | None:
    """SDKs write it in one way or the other."""
    return request.query.get(f"pagination[{name}]") or request.query.get(f"pagination.{name}")

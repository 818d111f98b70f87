"""Blocked events: why each was held back, and their release once their plan is mended; first it is said what that will do."""

import time
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec
import orjson
from aiohttp import web

from relay.admission.blocked import Choice
from relay.admission.releasing import Released
from relay.body import decode
from relay.console.fields import whole_number
from relay.console.gatekeeping import Denied, Mistake, went_well
from relay.console.reasons import words
from relay.console.relay import Relay
from relay.console.rendering import number, page, pretty, visible
from relay.errors import LogUnavailable

HERE = "/console/blocked"
SHOWN = 100  # of a page
GROUPS = 100
SECONDS = 3.0  # of looking or releasing at a time; then one is asked to go on


def blocked_routes(relay: Relay) -> list[web.RouteDef]:
    pages = _Pages(relay)
    return [
        web.get("/blocked", pages.index),
        web.get("/blocked/release", pages.preview),
        web.post("/blocked/release", pages.release),
        web.get(r"/blocked/{id:\d{1,18}}", pages.show),
    ]


class _Pages:
    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    async def index(self, request: web.Request) -> web.Response:
        asked = {name: request.query.get(name, "") for name in ("source", "reason", "like", "released")}
        choice = await self._choice(asked)
        is_released_too = asked["released"] == "true"
        before = whole_number(request.query["before"], "before") if "before" in request.query else None
        blocked = self._relay.blocked_events
        found = await blocked.newest(choice, before=before, limit=SHOWN + 1, is_released_too=is_released_too)
        groups = await blocked.grouped(Choice(), limit=GROUPS + 1, is_released_too=False)
        config = self._relay.config
        older = urlencode({**asked, "before": found[SHOWN - 1]["id"]}) if len(found) > SHOWN else None
        return page(
            request,
            "blocked.html",
            asked=asked,
            chosen=choice.event if asked["like"] else None,
            is_asked=any(asked.values()),
            events=found[:SHOWN],
            groups=groups[:GROUPS],
            are_more_groups=len(groups) > GROUPS,
            older=older,
            is_later=before is not None,
            query=urlencode(asked),
            sources=[source.name for source in config.sources],
            reasons=sorted({group["reason"] for group in groups}),
            has_plans=bool(config.plans),
            without=[source.name for source in config.sources if source.name not in config.plans],
            words=words,
        )

    async def show(self, request: web.Request) -> web.Response:
        event = await self._one(int(request.match_info["id"]))
        today = None
        if event["releasedAt"] is None:
            today = await self._release(Choice(ids=(event["id"],)), 0, is_dry=True)
        is_part = "HX-Request" in request.headers
        return page(
            request,
            "blocked_detail.html" if is_part else "blocked_event.html",
            event=event,
            payload=_payload(event["payload"]),
            today=today,
            words=words,
        )

    async def preview(self, request: web.Request) -> web.Response:
        """What today's plan would let through. Nothing is done."""
        chosen = _chosen(request.query.getall("id", []), request.query.get("like", ""))
        after = whole_number(request.query.get("after", "0"), "after")
        up_to = whole_number(request.query.get("up_to", "0"), "up_to") or await self._newest_id()
        choice = msgspec.structs.replace(await self._choice(chosen), up_to=up_to)
        found = await self._release(choice, after, is_dry=True)
        return page(
            request,
            "blocked_release.html",
            found=found,
            chosen=chosen,
            choice=choice,
            after=after,
            up_to=up_to,
            words=words,
        )

    async def release(self, request: web.Request) -> web.Response:
        form = await request.post()
        ids = [value for value in form.getall("id", []) if isinstance(value, str)]
        chosen = _chosen(ids, str(form.get("like", "")))
        after = whole_number(str(form.get("after", "0")), "after")
        up_to = whole_number(
            str(form.get("up_to", "0")), "up_to"
        )  # what came since it was shown is not released
        choice = msgspec.structs.replace(await self._choice(chosen), up_to=up_to)
        done = await self._release(choice, after, is_dry=False)
        said = _said(done)
        if done.next is None:
            return went_well(HERE, said)
        left = urlencode(
            [
                *(("id", one) for one in chosen.get("ids", ())),
                ("like", chosen.get("like", "")),
                ("after", done.next),
                ("up_to", up_to),
            ]
        )
        return went_well(f"{HERE}/release?{left}", f"{said} There are more: go on.")

    async def _release(self, choice: Choice, after: int, *, is_dry: bool) -> Released:
        """As many as there is time for; `next` says where to go on."""
        whole = Released(is_dry)
        until = time.monotonic() + SECONDS
        while True:
            try:
                done = await self._relay.releasing.release(choice, after=after, is_dry_run=is_dry)
            except LogUnavailable:
                said = f"{_said(whole)} Events cannot be kept at the moment. The log of relay says why."
                raise Denied(503, said) from None
            whole = Released(
                is_dry,
                whole.released + done.released,
                whole.still_blocked + done.still_blocked,
                whole.unknown_source + done.unknown_source,
                done.next,
            )
            if done.next is None or time.monotonic() >= until:
                return whole
            after = done.next

    async def _newest_id(self) -> int:
        newest = await self._relay.blocked_events.newest(Choice(), before=None, limit=1, is_released_too=True)
        return int(newest[0]["id"]) if newest else 0

    async def _choice(self, asked: Mapping[str, Any]) -> Choice:
        """`like`: those that have source, name and reason of the one with this id, however long they are."""
        choice = Choice(source=asked.get("source") or None, reason=asked.get("reason") or None)
        if asked.get("ids"):
            return msgspec.structs.replace(choice, ids=tuple(asked["ids"]))
        if asked.get("like"):
            one = await self._one(whole_number(asked["like"], "like"))
            return Choice(one["source"], one["event"], one["reason"])
        return choice

    async def _one(self, number: int) -> dict[str, Any]:
        found = await self._relay.blocked_events.newest(
            Choice(), before=number + 1, limit=1, is_released_too=True
        )
        if not found or found[0]["id"] != number:
            raise Denied(404, "This event is not kept any more: blocked events are, for 30 days.")
        event: dict[str, Any] = found[0]
        return event


def _chosen(ids: Iterable[str], like: str) -> dict[str, Any]:
    """Which to release; never all there are by mistake."""
    numbers = [whole_number(one, "id") for one in ids]
    if numbers:
        return {"ids": numbers}
    if like:
        return {"like": str(whole_number(like, "like"))}
    raise Mistake("No event was chosen. Mark some in the list, or take all of a group.")


def _said(done: Released) -> str:
    """What became of those that were looked at."""
    said = "1 event is released." if done.released == 1 else f"{number(done.released)} events are released."
    if done.still_blocked:
        said += f" {number(done.still_blocked)} would be blocked again, and stay."
    if done.unknown_source:
        said += f" {number(done.unknown_source)} are of a source that is gone, and stay."
    return said


def _payload(kept: orjson.Fragment) -> str:
    """As it arrived, for people."""
    text = orjson.dumps(kept)
    try:
        return pretty(decode(text))
    except (TypeError, ValueError):  # nested too deeply to be written again
        return visible(text.decode())

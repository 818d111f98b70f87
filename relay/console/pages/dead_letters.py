"""What destinations refused for good: found by reason, tried again or dropped; first it is said what that will be."""

from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlencode

import msgspec
from aiohttp import web

from relay.console.fields import whole_number
from relay.console.gatekeeping import Mistake, went_well
from relay.console.reasons import words
from relay.console.relay import Relay
from relay.console.rendering import number, page
from relay.delivery.dead_letters import Chosen, Group
from relay.event import name_of

HERE = "/console/dead-letters"
SHOWN = 100
GROUPS = 200  # of a table: vendors may put anything into a reason

Work = Literal["retry", "drop"]


def dead_letter_routes(relay: Relay) -> list[web.RouteDef]:
    pages = _Pages(relay)
    return [
        web.get("/dead-letters", pages.index),
        web.get("/dead-letters/preview", pages.preview),
        web.post("/dead-letters/work", pages.work),
    ]


class _Pages:
    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    async def index(self, request: web.Request) -> web.Response:
        letters = self._relay.dead_letters
        destination, reason = _asked(request.query, "destination"), _asked(request.query, "reason")
        before = request.query.get("before")
        found = await letters.page(
            destination, None if before is None else whole_number(before, "before"), SHOWN + 1, reason
        )
        asked = {"destination": destination, "reason": reason}
        groups = await letters.groups(Chosen())
        return page(
            request,
            "dead_letters.html",
            letters=found[:SHOWN],
            older=found[SHOWN - 1]["id"] if len(found) > SHOWN else None,
            is_later=before is not None,
            groups=groups[:GROUPS],
            left_out=len(groups) - GROUPS,
            total=sum(group.count for group in groups),
            destinations=sorted({group.destination for group in groups}),
            reasons=sorted({group.reason for group in groups}),
            asked=asked,
            query=_query(asked),
            known=self._known(),
            words=words,
            name_of=name_of,
        )

    def _known(self) -> set[str]:
        return {destination.name for destination in self._relay.config.destinations}

    async def preview(self, request: web.Request) -> web.Response:
        """What `do` would be done to, as it is now."""
        work, chosen = _work(request.query), _chosen(request.query, request.query.getall("id", []))
        chosen = msgspec.structs.replace(chosen, up_to=await self._relay.dead_letters.newest())
        groups = await self._relay.dead_letters.groups(chosen)
        return page(
            request,
            "dead_letters_preview.html",
            work=work,
            chosen=chosen,
            groups=groups,
            count=_count(work, groups),
            left=sum(group.count for group in groups) - _count(work, groups),
            words=words,
        )

    async def work(self, request: web.Request) -> web.Response:
        """What was shown, and nothing that came after."""
        form = await request.post()
        given = {name: value for name, value in form.items() if isinstance(value, str)}
        ids = [value for value in form.getall("id", []) if isinstance(value, str)]
        work, chosen = _work(given), _chosen(given, ids)
        chosen = msgspec.structs.replace(chosen, up_to=whole_number(given.get("up_to", ""), "up_to"))
        shown = whole_number(given.get("count", ""), "count")
        letters = self._relay.dead_letters
        do = letters.retry if work == "retry" else letters.drop
        done = await do(chosen.destination, chosen.ids, chosen.reason, chosen.up_to)
        said = f"{_counted(done)} {'tried again' if work == 'retry' else 'dropped'}."
        if done < shown:
            said += f" {number(shown - done)} fewer than shown: something else has taken them meanwhile."
        return went_well(f"{HERE}?{_query({'destination': chosen.destination})}".rstrip("?"), said)


def _asked(query: Mapping[str, str], name: str) -> str | None:
    return query.get(name) or None


def _query(asked: Mapping[str, str | None]) -> str:
    return urlencode({name: value for name, value in asked.items() if value is not None})


def _work(given: Mapping[str, str]) -> Work:
    work = given.get("do")
    if work == "retry":
        return "retry"
    if work == "drop":
        return "drop"
    raise Mistake("Dead letters can be tried again, or dropped.")


def _chosen(given: Mapping[str, str], ids: list[str]) -> Chosen:
    """Those with the ids, else all of a destination or a reason; never all there are by mistake."""
    if ids:
        return Chosen(ids=tuple(whole_number(one, "id") for one in ids))
    chosen = Chosen(_asked(given, "destination"), _asked(given, "reason"))
    if chosen.is_all:
        raise Mistake("No dead letter was chosen. Mark some in the list, or take all of a reason.")
    return chosen


def _count(work: Work, groups: list[Group]) -> int:
    return sum(group.redrivable if work == "retry" else group.count for group in groups)


def _counted(n: int) -> str:
    return "1 dead letter is" if n == 1 else f"{number(n)} dead letters are"

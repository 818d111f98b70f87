"""Changes to plans that an API made: which source has one, what becomes of what breaks it, and its JSON.

What relay.toml says is changed there: the page of such a plan has no forms, and these routes refuse.
"""

from collections.abc import Awaitable
from typing import Any

import msgspec
from aiohttp import web

from relay.console.control_words import control_values
from relay.console.gatekeeping import Denied, Mistake, went_well
from relay.console.json_text import NotJson, parsed
from relay.console.pages.plans import HERE, ONE, found_plan, json_of, said_where, sentence
from relay.console.relay import Relay
from relay.console.rendering import page
from relay.plans.changes import Conflict
from relay.plans.running import PlanError, Plans
from relay.plans.shapes import read_plan, unwrapped
from relay.plans.store import WrongPlan
from relay.plans.stored import StoredPlan

LONGEST = 600_000  # characters: what a form of 2 MB can hold however it is escaped


def plan_change_routes(relay: Relay) -> list[web.RouteDef]:
    pages = _Pages(relay)
    return [
        web.post(ONE + "/connect", pages.connect),
        web.post(ONE + "/disconnect", pages.disconnect),
        web.post(ONE + "/controls", pages.controls),
        web.get(ONE + "/edit", pages.edit),
        web.post(ONE + "/edit", pages.keep),
    ]


class _Pages:
    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._plans = Plans(relay)

    async def connect(self, request: web.Request) -> web.Response:
        plan_id, source = request.match_info["plan"], await _source(request)
        await _done(self._plans.connect(plan_id, [source]))
        return went_well(
            f"{HERE}/{plan_id}", f"{source} has this plan now: its next event is held against it."
        )

    async def disconnect(self, request: web.Request) -> web.Response:
        plan_id, source = request.match_info["plan"], await _source(request)
        await _done(self._plans.disconnect(plan_id, source))
        return went_well(f"{HERE}/{plan_id}", f"{source} has no plan any more: its events are not checked.")

    async def controls(self, request: web.Request) -> web.Response:
        source = await _source(request)
        form = await request.post()
        given = {name: value for name, value in form.items() if isinstance(value, str)}
        await _done(self._plans.set_controls(source, control_values(given)))
        return went_well(f"{HERE}/{request.match_info['plan']}", f"The controls of {source} are set.")

    async def edit(self, request: web.Request) -> web.Response:
        plan = await found_plan(self._plans, request)
        text = json_of(plan)
        if len(text) > LONGEST:
            raise Mistake("This plan is too large for a form. Change it by an API, or edit its file.")
        return self._form(request, plan, text)

    def _form(
        self,
        request: web.Request,
        plan: StoredPlan,
        text: str,
        mistakes: tuple[tuple[str | None, str], ...] = (),
    ) -> web.Response:
        if plan.said_in is not None:
            place = said_where(self._relay.config, plan.said_in)
            raise Mistake(f"This plan is a file that {place} names: edit the file, then reload.")
        status = 400 if mistakes else 200
        return page(request, "plan_edit.html", status=status, plan=plan, text=text, mistakes=mistakes)

    async def keep(self, request: web.Request) -> web.Response:
        plan = await found_plan(self._plans, request)
        form = await request.post()
        text, seen = str(form.get("json", "")), str(form.get("seen", ""))
        try:
            raw = unwrapped(parsed(text))
            kept = await self._plans.update(plan.id, lambda before: _changed(before, raw, seen))
        except NotJson as error:
            return self._form(request, plan, text, ((None, str(error)),))
        except PlanError as error:
            if error.status == 503:  # noqa: PLR2004
                raise Denied(503, sentence(error)) from None
            return self._form(request, plan, text, error.mistakes)
        return went_well(
            f"{HERE}/{plan.id}", f"The plan is changed: it has {len(kept.rules):,} rules, and is in force."
        )


async def _source(request: web.Request) -> str:
    return str((await request.post()).get("source", ""))


async def _done(work: Awaitable[Any]) -> None:
    try:
        await work
    except PlanError as error:
        raise Denied(error.status, sentence(error)) from None


def _changed(before: StoredPlan, raw: Any, seen: str) -> StoredPlan:
    """The plan with name, description and rules of `raw`. `seen`: when it was changed last, to whoever edited it."""
    if (before.update_time or "") != seen:
        raise Conflict("somebody has changed the plan meanwhile: reload, and make your change again")
    plan, mistakes = read_plan(raw)
    if not mistakes and (not plan.name or plan.name.startswith("workspaces/")):  # the resource's, in one form
        mistakes = ["display_name: must be a text"]
    if mistakes:
        raise WrongPlan(*mistakes)
    description = raw.get("description")
    return msgspec.structs.replace(
        before,
        name=plan.name,
        description=description if isinstance(description, str) else before.description,
        rules=plan.rules,
    )

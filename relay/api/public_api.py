"""Segment's Public API for tracking plans and the controls of sources. docs/plan-api.md says where it differs.

Answers have `data` around them, and the media type that was asked for. A source's id is its name.
"""

from typing import Any

import msgspec
from aiohttp import web

from relay.api.dialects import in_media_type
from relay.api.parameters import answer
from relay.api.plan_bodies import (
    NewPlan,
    NewRules,
    PlanChange,
    SourceId,
    checked,
    json_body,
    rules_of,
)
from relay.api.plan_controls import public_controls, public_said
from relay.api.plan_pages import page_of
from relay.api.plan_rules import identities_of, upserts_of, without
from relay.plans.running import PlanError, Plans, Relay
from relay.plans.stored import StoredPlan, public_plan, public_rule

_ALL = "/tracking-plans"
_ONE = _ALL + "/{plan}"
_RULES = _ONE + "/rules"
_SOURCES = _ONE + "/sources"
_SOURCE = "/sources/{source}"
_SETTINGS = _SOURCE + "/settings"

_DONE = {"status": "SUCCESS"}


def public_api_routes(relay: Relay) -> list[web.RouteDef]:
    """The routes, to be added to the admin application."""
    routes = _Routes(Plans(relay))
    return [
        web.get(_ALL, routes.plans),
        web.post(_ALL, routes.create),
        web.get(_ONE, routes.plan),
        web.patch(_ONE, routes.update),
        web.delete(_ONE, routes.delete),
        web.get(_RULES, routes.rules),
        web.put(_RULES, routes.replace_rules),
        web.patch(_RULES, routes.upsert_rules),
        web.delete(_RULES, routes.remove_rules),
        web.get(_SOURCES, routes.sources_of),
        web.post(_SOURCES, routes.connect),
        web.delete(_SOURCES, routes.disconnect),
        web.get("/sources", routes.sources),
        web.get(_SOURCE, routes.source),
        web.get(_SETTINGS, routes.settings),
        web.patch(_SETTINGS, routes.set_controls),
    ]


class _Routes:
    def __init__(self, plans: Plans) -> None:
        self._plans = plans

    # --- plans

    async def plans(self, request: web.Request) -> web.Response:
        ids, pagination = page_of(request, await self._plans.ids(request.query.get("type")))
        shown = [public_plan(plan) for plan in await self._plans.plans(ids)]
        return _data(request, {"trackingPlans": shown, "pagination": pagination})

    async def create(self, request: web.Request) -> web.Response:
        asked = checked(await json_body(request), NewPlan)
        plan = await self._plans.create(asked.name, lambda: (), asked.type, asked.description or "")
        return _data(request, {"trackingPlan": public_plan(plan)})

    async def plan(self, request: web.Request) -> web.Response:
        return _data(request, {"trackingPlan": public_plan(await self._plan(request))})

    async def update(self, request: web.Request) -> web.Response:
        asked = checked(await json_body(request), PlanChange)
        given = {
            name: value for name in ("name", "description") if (value := getattr(asked, name)) is not None
        }
        await self._update(request, lambda plan: msgspec.structs.replace(plan, **given))
        return _data(request, _DONE)

    async def delete(self, request: web.Request) -> web.Response:
        await self._plans.delete(request.match_info["plan"])
        return _data(request, _DONE)

    async def _plan(self, request: web.Request) -> StoredPlan:
        return await self._plans.plan(request.match_info["plan"])

    async def _update(self, request: web.Request, change: Any) -> None:
        await self._plans.update(request.match_info["plan"], change)

    # --- rules

    async def rules(self, request: web.Request) -> web.Response:
        rules = (await self._plan(request)).rules
        places, pagination = page_of(request, [f"{number:04}" for number in range(len(rules))])
        shown = [public_rule(rules[int(place)]) for place in places]
        return _data(request, {"rules": shown, "pagination": pagination})

    async def replace_rules(self, request: web.Request) -> web.Response:
        body = await json_body(request)
        checked(body, NewRules)
        await self._update(request, lambda plan: msgspec.structs.replace(plan, rules=rules_of(body["rules"])))
        return _data(request, _DONE)

    async def upsert_rules(self, request: web.Request) -> web.Response:
        upserts = upserts_of(await json_body(request))
        await self._update(request, lambda plan: msgspec.structs.replace(plan, rules=upserts(plan.rules)))
        return _data(request, _DONE)

    async def remove_rules(self, request: web.Request) -> web.Response:
        gone = await identities_of(request)
        await self._update(
            request, lambda plan: msgspec.structs.replace(plan, rules=without(plan.rules, gone))
        )
        return _data(request, _DONE)

    # --- sources

    async def sources_of(self, request: web.Request) -> web.Response:
        names, pagination = page_of(request, sorted(await self._plans.sources_of(request.match_info["plan"])))
        return self._sources(request, names, pagination)

    async def connect(self, request: web.Request) -> web.Response:
        source = checked(await json_body(request), SourceId).source_id
        await self._plans.connect(request.match_info["plan"], [source])
        return _data(request, _DONE)

    async def disconnect(self, request: web.Request) -> web.Response:
        source = request.query.get("sourceId")
        if source is None:
            if not request.can_read_body:
                raise PlanError(400, ("sourceId", "is missing"))
            source = checked(await json_body(request), SourceId).source_id
        await self._plans.disconnect(request.match_info["plan"], source)
        return _data(request, _DONE)

    async def sources(self, request: web.Request) -> web.Response:
        names, pagination = page_of(request, sorted(source.name for source in self._plans.sources))
        return self._sources(request, names, pagination)

    def _sources(self, request: web.Request, names: list[str], pagination: dict[str, Any]) -> web.Response:
        shown = [_source(self._plans.source(name)) for name in names]
        return _data(request, {"sources": shown, "pagination": pagination})

    async def source(self, request: web.Request) -> web.Response:
        source = self._plans.source(request.match_info["source"])
        plan_id = await self._plans.plan_id_of(source.name)
        has = None if plan_id is None else f"tp_{plan_id[3:]}"
        return _data(request, {"source": _source(source), "trackingPlanId": has})

    async def settings(self, request: web.Request) -> web.Response:
        source = self._plans.source(request.match_info["source"])
        shown = {"sourceId": source.name, "settings": public_controls(source.controls)}
        return _data(request, shown)

    async def set_controls(self, request: web.Request) -> web.Response:
        name = request.match_info["source"]
        controls = await self._plans.set_controls(name, public_said(await json_body(request)))
        return _data(request, {"sourceId": name, "settings": public_controls(controls)})


def _data(request: web.Request, data: dict[str, Any]) -> web.Response:
    return in_media_type(request, answer({"data": data}))


def _source(source: Any) -> dict[str, Any]:
    return {"id": source.name, "slug": source.name, "name": source.name, "enabled": source.enabled}

"""Segment's Config API (v1beta) for tracking plans, as its clients call it. docs/plan-api.md says where it differs.

Any workspace is as good as another: relay is one. A slash at the end makes no difference. Bodies may have their
`tracking_plan` (`schema_config`) around them or not.
"""

from collections.abc import Callable, Iterator
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from relay.api.config_updates import update_of
from relay.api.parameters import answer
from relay.api.plan_bodies import (
    ConfigPlan,
    SourceName,
    SourceNames,
    WrappedPlan,
    checked,
    how_many,
    json_body,
    rules_of,
)
from relay.api.plan_controls import config_controls, config_said
from relay.plans.running import PlanError, Plans, Relay
from relay.plans.stored import StoredPlan, config_rules

PAGE = 100

_ALL = "/v1beta/workspaces/{workspace}/tracking-plans"
_ONE = _ALL + "/{plan}"
_CONNECTIONS = _ONE + "/source-connections"
_SOURCES = "/v1beta/workspaces/{workspace}/sources"
_SOURCE = _SOURCES + "/{source}"
_CONTROLS = _SOURCE + "/schema-config"


def config_api_routes(relay: Relay) -> list[web.RouteDef]:
    """The routes, to be added to the admin application."""
    routes = _Routes(Plans(relay))
    return [
        *_both(web.get, _ALL, routes.plans),
        *_both(web.post, _ALL, routes.create),
        *_both(web.get, _ONE, routes.plan),
        *_both(web.put, _ONE, routes.update),
        *_both(web.patch, _ONE, routes.update),
        *_both(web.delete, _ONE, routes.delete),
        *_both(web.get, _CONNECTIONS, routes.connections),
        *_both(web.post, _CONNECTIONS, routes.connect),
        *_both(web.post, _CONNECTIONS + ":batchCreateConnections", routes.connect_all),
        *_both(web.delete, _CONNECTIONS + "/{source}", routes.disconnect),
        *_both(web.get, _SOURCES, routes.sources),
        *_both(web.get, _SOURCE, routes.source),
        *_both(web.get, _CONTROLS, routes.controls),
        *_both(web.patch, _CONTROLS, routes.set_controls),
    ]


def _both(method: Callable[[str, Handler], web.RouteDef], path: str, handler: Handler) -> Iterator[Any]:
    """With and without a slash at the end: clients call either."""
    yield method(path, handler)
    yield method(path + "/", handler)


class _Routes:
    def __init__(self, plans: Plans) -> None:
        self._plans = plans

    # --- plans

    async def plans(self, request: web.Request) -> web.Response:
        count = how_many(request.query.get("page_size"), "page_size", PAGE)
        token = request.query.get("page_token", "")
        after = [plan_id for plan_id in await self._plans.ids() if plan_id > token]
        found = await self._plans.plans(after[:count])
        return answer(
            {
                "tracking_plans": [_shown(request, plan) for plan in found],
                "next_page_token": after[count - 1] if len(after) > count else "",
            }
        )

    async def create(self, request: web.Request) -> web.Response:
        body = await json_body(request)
        if "tracking_plan" in body:
            checked(body, WrappedPlan)
            body = body["tracking_plan"]
        asked = checked(body, ConfigPlan)
        if asked.display_name is None:
            raise PlanError(400, ("display_name", "is missing"))
        plan = await self._plans.create(asked.display_name, lambda: rules_of(body.get("rules") or {}))
        return answer(_shown(request, plan))

    async def plan(self, request: web.Request) -> web.Response:
        return answer(_shown(request, await self._plans.plan(request.match_info["plan"])))

    async def update(self, request: web.Request) -> web.Response:
        change = update_of(await json_body(request))
        return answer(_shown(request, await self._plans.update(request.match_info["plan"], change)))

    async def delete(self, request: web.Request) -> web.Response:
        await self._plans.delete(request.match_info["plan"])
        return answer({})

    # --- connections

    async def connections(self, request: web.Request) -> web.Response:
        sources = await self._plans.sources_of(request.match_info["plan"])
        return answer({"connections": await self._connected(request, sources)})

    async def connect(self, request: web.Request) -> web.Response:
        name = checked(await json_body(request), SourceName).source_name
        await self._plans.connect(request.match_info["plan"], [_slug(name)])
        return answer((await self._connected(request, [_slug(name)]))[0])

    async def connect_all(self, request: web.Request) -> web.Response:
        names = checked(await json_body(request), SourceNames).source_names
        sources = [_slug(name) for name in names]
        await self._plans.connect(request.match_info["plan"], sources)
        return answer({"connections": await self._connected(request, sources)})

    async def disconnect(self, request: web.Request) -> web.Response:
        await self._plans.disconnect(request.match_info["plan"], request.match_info["source"])
        return answer({})

    async def _connected(self, request: web.Request, sources: list[str]) -> list[dict[str, str]]:
        plan = await self._plans.plan(request.match_info["plan"])
        return [
            {"source_name": _source_name(request, source), "tracking_plan_id": plan.id} for source in sources
        ]

    # --- sources

    async def sources(self, request: web.Request) -> web.Response:
        count = how_many(request.query.get("page_size"), "page_size", PAGE)
        token = request.query.get("page_token", "")
        names = sorted(source.name for source in self._plans.sources)
        after = [name for name in names if name > token]
        return answer(
            {
                "sources": [_source(request, name) for name in after[:count]],
                "next_page_token": after[count - 1] if len(after) > count else "",
            }
        )

    async def source(self, request: web.Request) -> web.Response:
        return answer(_source(request, self._plans.source(request.match_info["source"]).name))

    async def controls(self, request: web.Request) -> web.Response:
        source = self._plans.source(request.match_info["source"])
        return answer(_source_controls(request, source.name, config_controls(source.controls)))

    async def set_controls(self, request: web.Request) -> web.Response:
        name = request.match_info["source"]
        controls = await self._plans.set_controls(name, config_said(await json_body(request)))
        return answer(_source_controls(request, name, config_controls(controls)))


def _shown(request: web.Request, plan: StoredPlan) -> dict[str, Any]:
    times = {"create_time": plan.create_time, "update_time": plan.update_time}
    return {
        "name": f"workspaces/{request.match_info['workspace']}/tracking-plans/{plan.id}",
        "display_name": plan.name,
        "rules": config_rules(plan.rules),
        **{name: moment for name, moment in times.items() if moment is not None},
    }


def _source(request: web.Request, name: str) -> dict[str, Any]:
    return {
        "name": _source_name(request, name),
        "parent": f"workspaces/{request.match_info['workspace']}",
    }


def _source_controls(request: web.Request, name: str, controls: dict[str, Any]) -> dict[str, Any]:
    source = _source_name(request, name)
    return {"name": f"{source}/schema-config", "parent": source, **controls}


def _source_name(request: web.Request, source: str) -> str:
    return f"workspaces/{request.match_info['workspace']}/sources/{source}"


def _slug(source_name: str) -> str:
    """The source in `workspaces/{w}/sources/{slug}`; the slug alone will do."""
    return source_name.rstrip("/").rpartition("/")[2]

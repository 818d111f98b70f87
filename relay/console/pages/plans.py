"""Tracking plans: which there are and which source keeps which, one to be read, and one inferred from what a source sent."""

import asyncio
import json
import time
from typing import Any
from urllib.parse import urlencode

import msgspec
import orjson
from aiohttp import web

from relay.admission.inferring import Reading, Wanted
from relay.console.control_words import control_fields, control_sentences
from relay.console.fields import whole_number
from relay.console.gatekeeping import Denied, Mistake
from relay.console.plan_words import ShownRule, shown_rule
from relay.console.relay import Relay
from relay.console.rendering import page
from relay.plans.registry import Registry
from relay.plans.rules import Rule
from relay.plans.running import PlanError, Plans
from relay.plans.shapes import read_plan
from relay.plans.store import NoPlan
from relay.plans.stored import StoredPlan, file_form
from relay.times import moment_ms

HERE = "/console/plans"
ONE = r"/plans/{plan:(?:rs|tp)_\w{1,100}}"
EVENTS = 50  # of a page of a plan
ROWS = 1000  # of it: once it has so many properties, the other events are on the next
DAY_MS = 86_400_000
INFER_EVENTS = 50_000  # a few seconds' work; `relay plan infer` takes a million
SPANS = {"1h": "last hour", "24h": "last 24 hours", "7d": "last 7 days", "30d": "last 30 days"}


class Listed(msgspec.Struct, frozen=True):
    """A plan in the list. `problem`: why it cannot be read."""

    id: str
    name: str
    rules: int
    sources: list[str]
    said_in: str | None
    problem: str | None = None


def plan_routes(relay: Relay) -> list[web.RouteDef]:
    pages = _Pages(relay)
    return [
        web.get("/plans", pages.index),
        web.get("/plans/inferred", pages.inferred),
        web.get(ONE, pages.show),
        web.get(ONE + "/raw", pages.raw),
    ]


class _Pages:
    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._plans = Plans(relay)
        self._is_inferring = False

    async def index(self, request: web.Request) -> web.Response:
        since = int(time.time() * 1000) - DAY_MS
        violations = await self._relay.violations.totals(since)
        blocked = await self._relay.blocked_events.totals(since)
        try:
            plans = await self._plans.look(_listed)
        except PlanError as error:
            raise Denied(503, sentence(error)) from None
        return page(
            request,
            "plans.html",
            plans=[
                {
                    "of": plan,
                    "where": said_where(self._relay.config, plan.said_in),
                    "violations": sum(violations.get(name, 0) for name in plan.sources),
                    "blocked": sum(blocked.get(name, 0) for name in plan.sources),
                }
                for plan in plans
            ],
            without=[s.name for s in self._relay.config.sources if s.name not in self._relay.config.plans],
        )

    async def show(self, request: web.Request) -> web.Response:
        plan = await found_plan(self._plans, request)
        wanted = request.query.get("q", "").casefold()
        start = whole_number(request.query.get("from", "0"), "from")
        events = sorted(
            (r for r in plan.rules if r.key), key=lambda rule: (rule.key.casefold(), rule.version)
        )
        events = [rule for rule in events if wanted in rule.key.casefold()]
        shown, after = _some(events, start)
        config = self._relay.config
        sources = await self._plans.sources_of(plan.id)
        return page(
            request,
            "plan.html",
            plan=plan,
            where=said_where(config, plan.said_in),
            file=_file(config, sources),
            q=request.query.get("q", ""),
            start=start,
            after=after,
            total=len(events),
            events=shown,
            others=[shown_rule(rule) for rule in plan.rules if not rule.key] if start == 0 else [],
            sources=[_connected(config, s) for s in config.sources if s.name in sources],
            free=[s.name for s in config.sources if s.name not in config.plans],
            next_query=urlencode({"q": request.query.get("q", ""), "from": after}),
        )

    async def raw(self, request: web.Request) -> web.Response:
        """The plan's JSON, as its file has it or would have it."""
        plan = await found_plan(self._plans, request)
        text = await asyncio.to_thread(json_of, plan)
        return web.Response(text=text, content_type="application/json")

    async def inferred(self, request: web.Request) -> web.Response:
        source, since = request.query.get("source", ""), request.query.get("since", "24h")
        if source not in self._relay.sources.by_name:
            raise Denied(404, "There is no such source in the configuration.")
        if since not in SPANS:
            raise Mistake(f"since must be one of {', '.join(SPANS)}.")
        if self._is_inferring:
            raise Denied(409, "A plan is being inferred already: one at a time. Reload in a moment.")
        self._is_inferring = True
        try:
            wanted = Wanted(
                frozenset((source,)), moment_ms(since, int(time.time() * 1000)), None, INFER_EVENTS
            )
            reading = Reading(self._relay, wanted)
            await reading.run()
            found = await asyncio.to_thread(reading.plan, source)
        finally:
            self._is_inferring = False
        rules = read_plan(found.plan)[0].rules
        shown, after = _some([rule for rule in rules if rule.key], 0)
        return page(
            request,
            "plan_inferred.html",
            source=source,
            since=since,
            spans=SPANS,
            found=found,
            cut_at=reading.cut_at,
            most=INFER_EVENTS,
            events=shown,
            left=0 if after is None else sum(1 for rule in rules if rule.key) - after,
            others=[shown_rule(rule) for rule in rules if not rule.key],
            text=orjson.dumps(found.plan, option=orjson.OPT_INDENT_2).decode(),
        )


def _listed(registry: Registry) -> list[Listed]:
    """All plans, those that cannot be read too."""
    found = []
    for plan_id in registry.ids:
        sources = registry.sources_of(plan_id)
        try:
            plan = registry.plan(plan_id)
        except NoPlan as error:
            found.append(Listed(plan_id, plan_id, 0, sources, None, str(error)))
        else:
            found.append(Listed(plan_id, plan.name or plan_id, len(plan.rules), sources, plan.said_in))
    return found


async def found_plan(plans: Plans, request: web.Request) -> StoredPlan:
    try:
        return await plans.plan(request.match_info["plan"])
    except PlanError as error:
        raise Denied(error.status, sentence(error)) from None


def sentence(error: PlanError) -> str:
    said = str(error)
    return f"{said[:1].upper()}{said[1:]}."


def json_of(plan: StoredPlan) -> str:
    form = file_form(plan)
    try:
        return orjson.dumps(form, option=orjson.OPT_INDENT_2).decode()
    except TypeError:  # it writes 254 levels, and numbers of 64 bits
        return json.dumps(form, indent=2, ensure_ascii=False)


def said_where(config: Any, place: str | None) -> str | None:
    """`relay.toml:12`: a place in the configuration without its folder."""
    if place is None or config.path is None:
        return place
    return place.removeprefix(str(config.path.parent)).lstrip("/")


def _file(config: Any, sources: list[str]) -> str | None:
    """The file of the plan of these sources, seen from relay.toml."""
    file = next((config.plan_files[name] for name in sources if name in config.plan_files), None)
    if file is None:
        return None
    folder = config.path.absolute().parent.resolve() if config.path is not None else file.parent
    return str(file.relative_to(folder)) if file.is_relative_to(folder) else str(file)


def _connected(config: Any, source: Any) -> dict[str, Any]:
    """A source that has the plan, and what becomes of its events."""
    return {
        "name": source.name,
        "sentences": control_sentences(source.controls, is_strict=source.strict),
        "plan_in": said_where(config, config.in_file.get((source.name, "plan"))),
        "controls_in": said_where(config, config.in_file.get((source.name, "controls"))),
        "fields": control_fields(source.controls, [s.name for s in config.sources if s.name != source.name]),
    }


def _some(rules: list[Rule], start: int) -> tuple[list[ShownRule], int | None]:
    """Rules from the one numbered `start`, as many as a page has room for, and where to go on."""
    shown: list[ShownRule] = []
    rows = 0
    for rule in rules[start : start + EVENTS]:
        if rows > ROWS:
            break
        shown.append(shown_rule(rule))
        rows += len(shown[-1].rows) + len(shown[-1].others)
    after = start + len(shown)
    return shown, after if after < len(rules) else None

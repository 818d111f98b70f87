"""Plans to test with, and a short way to what they make of an event."""

from typing import Any

from relay.plans.compile import CompiledPlan, compile_plan
from relay.plans.controls import Controls
from relay.plans.enforce import Enforcer
from relay.plans.ruling import Ruling
from relay.plans.shapes import read_plan

Json = dict[str, Any]


def about(root: str = "properties", required: tuple[str, ...] = (), **schemas: Any) -> Json:
    """A canonical schema: of a message, whose properties (or traits) are as said."""
    inner = {"type": "object", "required": list(required), "properties": schemas}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {"context": {}, root: inner},
    }


def plan(*events: tuple[str, Json] | tuple[str, Json, int], **others: Json) -> Json:
    """A plan as the Config API has it. `others`: common (global), identify, group."""
    named = [{"name": e[0], "rules": e[1], "version": e[2] if len(e) > 2 else 1} for e in events]
    singles = {"global" if name == "common" else name: schema for name, schema in others.items()}
    return {"display_name": "Shop", "rules": {"events": named, **singles}}


def compiled(raw: Any) -> CompiledPlan:
    read, mistakes = read_plan(raw)
    made, more = compile_plan(read)
    assert mistakes + more == []
    return made


def mistakes_of(raw: Any) -> list[str]:
    read, mistakes = read_plan(raw)
    return mistakes + compile_plan(read)[1]


def ruled(raw: Any, event: Json, **controls: Any) -> Ruling | None:
    """The ruling on an event, under these controls."""
    return Enforcer(compiled(raw), Controls(**controls))(event)


def track(name: str = "Order Completed", **properties: Any) -> Json:
    return {"type": "track", "event": name, "userId": "u", "sourceId": "web", "properties": properties}


def identify(**traits: Any) -> Json:
    return {"type": "identify", "userId": "u", "sourceId": "web", "traits": traits}


def violated(schema: Json, value: Any) -> list[tuple[str, str, str]]:
    """The violations of an event whose `properties.it` is `value`, by a plan that wants `schema` there."""
    ruling = ruled(plan(("Order Completed", about(it=schema))), track(it=value))
    return [] if ruling is None else list(ruling.violations)

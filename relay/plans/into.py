"""What was inferred, added to a plan that stands: events, traits and properties that it does not know, and nothing else.

What stands there stays as it is, whatever was seen: types, choices, what is required. So a property that is added to an
event which stands is optional. Where an object lists no names, or allows what it does not list, nothing is new. Of an event
with versions it is the oldest that gets what is new, for that is what events without a version are held to.
"""

import copy
from collections.abc import Iterator
from typing import Any

from relay.plans.compile import VIEWED, CompiledRule, compile_plan
from relay.plans.names import Names
from relay.plans.rules import ROOT
from relay.plans.shapes import read_plan, unwrapped

Json = dict[str, Any]

_PAGES = {name: kind for kind, name in VIEWED.items()}


def added_to(raw: Any, inferred: Json) -> tuple[Any, list[str]]:
    """A copy of `raw`, a plan in any shape that has no mistakes, with what `inferred` has beyond it; and what that is."""
    raw = copy.deepcopy(raw)
    compiled = compile_plan(read_plan(raw)[0])[0]  # the schemas of its rules are those of `raw`
    rules = unwrapped(raw)["rules"]
    added: list[str] = []
    for event in inferred["rules"]["events"]:
        name = event["name"]
        kind = _PAGES.get(name, "track")
        rule = compiled.rule_of({"type": kind, "event": name})
        if rule is None:
            _add_event(rules, event)
            added.append(f"event `{name}`")
        else:
            added += [f"{name}: {path}" for path in _filled(rule, event["rules"], ROOT[kind])]
    for kind in ("identify", "group"):
        schema = inferred["rules"].get(kind)
        rule = compiled.rule_of({"type": kind})
        if schema is not None and rule is None:
            _add_single(rules, kind, schema)
            added.append(f"traits of {kind}")
        elif schema is not None and rule is not None:
            added += [f"{kind}: {path}" for path in _filled(rule, schema, ROOT[kind])]
    return raw, added


def _add_event(rules: Any, event: Json) -> None:
    if isinstance(rules, list):
        about = {"key": event["name"], "version": 1, "description": event["description"]}
        rules.append({"type": "TRACK", **about, "jsonSchema": event["rules"]})
    else:
        rules["events"] = [*(rules.get("events") or ()), event]


def _add_single(rules: Any, kind: str, schema: Json) -> None:
    if isinstance(rules, list):
        rules.append({"type": kind.upper(), "version": 1, "jsonSchema": schema})
    else:
        rules[kind] = schema


def _filled(rule: CompiledRule, seen: Json, root: str) -> Iterator[str]:
    """Put into the rule's own schema what it does not plan; gives the paths."""
    if "$ref" in rule.rule.schema:
        return
    message = rule.rule.schema
    inner = (message.get("properties") or {}).get(root)
    stands = inner if isinstance(inner, dict) else {}
    found = list(_added(stands, rule.names(root), seen["properties"][root], root))
    if found:
        message.setdefault("properties", {})[root] = stands
    yield from found


def _added(stands: Json, names: Names, seen: Json, path: str) -> Iterator[str]:
    if not names.is_closed or "$ref" in stands:
        return
    for name, schema in seen.get("properties", {}).items():
        if name not in names.known:
            if list(names.unplanned({name: None})):
                stands.setdefault("properties", {})[name] = schema
                yield f"{path}.{name}"
            continue
        yield from _below(
            _inside(stands.get("properties"), name), names.known[name], schema, f"{path}.{name}"
        )


def _below(stands: Any, names: Names, seen: Json, path: str) -> Iterator[str]:
    """What is new inside an object, or inside the objects of a list."""
    if not isinstance(stands, dict):
        return
    yield from _added(stands, names, seen, path)
    if names.items is not None and isinstance(stands.get("items"), dict) and "items" in seen:
        yield from _below(stands["items"], names.items, seen["items"], f"{path}.$")


def _inside(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None

"""A tracking plan from JSON, in each shape in which Segment gives or takes one.

    {"tracking_plan": {"display_name", "rules": {"events": [{"name", "version", "rules"}], "global", "identify", "group"}}}
    {"name", "rules": [{"type", "key", "version", "jsonSchema"}]}

The first is the Config API's, with its wrapper or without it; the second the Public API's, as `GET …/rules` answers,
with its `data` or without it. In the first, `rules.others` is a list of rules in the second's form, for what it cannot
say: pages, screens, and other versions than the first of what is no event. A rule's schema is about the whole message. One whose `properties` has a `type` that is
a text or a list is the shorthand of the Config API's example: it is about the properties (of identify and group:
the traits) alone, and is put where it belongs.

Every mistake is told with its place in the file, `rules.events[3].version: …`.
"""

from collections.abc import Iterator
from typing import Any

from relay.plans.rules import KINDS, ROOT, Kind, Plan, Rule

MAX_RULES = 2000  # Segment: of a plan that is imported

DRAFT = "http://json-schema.org/draft-07/schema#"
OTHERS = "others"  # relay's own

_SINGLES: dict[str, Kind] = {"global": "COMMON", "identify": "IDENTIFY", "group": "GROUP"}
_NAMED = frozenset(("TRACK", "PAGE", "SCREEN"))


def read_plan(raw: Any) -> tuple[Plan, list[str]]:
    """The plan that `raw` (decoded JSON) holds, and what is wrong with it."""
    mistakes: list[str] = []
    raw = unwrapped(raw)
    rules = raw.get("rules") if isinstance(raw, dict) else None
    if isinstance(rules, dict):
        found = list(_config_rules(rules, mistakes))
    elif isinstance(rules, list):
        found = list(_public_rules(rules, mistakes))
    else:
        return Plan("", None, ()), ["rules: must be an object (Config API) or a list (Public API) of rules"]
    if len(found) > MAX_RULES:
        mistakes.append(f"rules: {len(found):,} are more than the {MAX_RULES:,} that a plan may have")
    mistakes += _twice(found)
    return Plan(_name(raw), _id(raw), tuple(found)), mistakes


def unwrapped(raw: Any) -> Any:
    """The plan without what an API puts around it."""
    for wrapper in ("tracking_plan", "data", "trackingPlan"):
        if isinstance(raw, dict) and "rules" not in raw and wrapper in raw:
            raw = raw[wrapper]
    return raw


def _name(raw: dict[str, Any]) -> str:
    given = raw.get("display_name") or raw.get("name")
    return given if isinstance(given, str) else ""


def _id(raw: dict[str, Any]) -> str | None:
    """Of the Config API the end of `workspaces/{w}/tracking-plans/rs_…`."""
    if isinstance(raw.get("id"), str):
        return str(raw["id"])
    name = raw.get("name")
    return name.rpartition("/")[2] if isinstance(name, str) and name.startswith("workspaces/") else None


# --- Config API ----------------------------------------------------------------------------------


def _config_rules(rules: dict[str, Any], mistakes: list[str]) -> Iterator[Rule]:
    events = rules.get("events") or []
    if not isinstance(events, list):
        mistakes.append("rules.events: must be a list")
        events = []
    for number, raw in enumerate(events):
        place = f"rules.events[{number}]"
        if not isinstance(raw, dict):
            mistakes.append(f"{place}: must be an object with `name` and `rules`")
        else:
            yield from _rule("TRACK", raw, "name", "rules", place, mistakes)
    for name, kind in _SINGLES.items():
        if rules.get(name) not in (None, {}):
            yield from _rule(kind, {"rules": rules[name]}, "", "rules", f"rules.{name}", mistakes)
    if isinstance(others := rules.get(OTHERS) or [], list):
        yield from _public_rules(others, mistakes, f"rules.{OTHERS}")
    else:
        mistakes.append(f"rules.{OTHERS}: must be a list")
    for name in ("identify_traits", "group_traits"):
        if rules.get(name):
            instead = name.removesuffix("_traits")
            mistakes.append(f"rules.{name}: is not read: write a schema as `rules.{instead}`")
    unknown = rules.keys() - _SINGLES.keys() - {"events", OTHERS, "identify_traits", "group_traits"}
    known = ", ".join(("events", *_SINGLES))
    mistakes += [f"rules.{name}: is no part of a plan; known: {known}" for name in sorted(unknown)]


# --- Public API ----------------------------------------------------------------------------------


def _public_rules(rules: list[Any], mistakes: list[str], where: str = "rules") -> Iterator[Rule]:
    for number, raw in enumerate(rules):
        place = f"{where}[{number}]"
        kind = raw.get("type") if isinstance(raw, dict) else None
        if kind not in KINDS:
            mistakes.append(f"{place}.type: must be one of {', '.join(KINDS)}")
        else:
            yield from _rule(kind, raw, "key", "jsonSchema", place, mistakes)


# --- both ----------------------------------------------------------------------------------------


def _rule(
    kind: Kind, raw: dict[str, Any], key_name: str, schema_name: str, place: str, mistakes: list[str]
) -> Iterator[Rule]:
    """The rule, unless something is wrong with it."""
    before = len(mistakes)
    key = (raw.get(key_name) or "") if kind in _NAMED else ""
    if not isinstance(key, str) or (kind == "TRACK" and not key):
        mistakes.append(f"{place}.{key_name}: must be the name of an event")
    version = raw.get("version")
    version = 1 if version is None else version
    if type(version) is not int or version < 0:
        mistakes.append(f"{place}.version: must be a whole number")
    where = place if key_name == "" else f"{place}.{schema_name}"
    schema = raw.get(schema_name)
    if not isinstance(schema, dict):
        mistakes.append(f"{where}: must be a JSON Schema: an object")
    if len(mistakes) == before:
        assert isinstance(schema, dict)
        description = raw.get("description")
        said = description if isinstance(description, str) else ""
        deprecated = raw.get("deprecatedAt")
        at = deprecated if isinstance(deprecated, str) else None
        yield Rule(kind, key, version, _about_message(schema, kind), where, said, at)


def _about_message(schema: dict[str, Any], kind: Kind) -> dict[str, Any]:
    """The schema itself, or the shorthand brought into the form that all others have."""
    inner = schema.get("properties")
    if not isinstance(inner, dict) or not isinstance(inner.get("type"), str | list):
        return schema
    whole: dict[str, Any] = {"context": {}, "traits": {}, "properties": {}} | {
        ROOT.get(kind.lower(), "properties"): inner
    }
    return {"$schema": DRAFT, "labels": {}} | schema | {"type": "object", "properties": whole}


def _twice(rules: list[Rule]) -> Iterator[str]:
    first: dict[tuple[str, str, int], str] = {}
    for rule in rules:
        other = first.setdefault((rule.kind, rule.key, rule.version), rule.place)
        if other != rule.place:
            what = f"`{rule.key}`" if rule.key else rule.kind
            yield f"{rule.place}: {what} has version {rule.version} already: {other}"

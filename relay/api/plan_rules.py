"""Changes to single rules in the Public API. A rule is known by its type, key and version."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from aiohttp import web

from relay.api.plan_bodies import Identities, Upserts, checked, json_body, rules_of
from relay.body import decode
from relay.plans.rules import Rule
from relay.plans.running import PlanError

Identity = tuple[str, str, int]
Rules = tuple[Rule, ...]

_NAMED = ("TRACK", "PAGE", "SCREEN")
_IN_QUERY = re.compile(r"rules\[(\d{1,3})\]\[(type|key|version)\]", re.ASCII)


def upserts_of(body: dict[str, Any]) -> Callable[[Rules], Rules]:
    """What becomes of rules: those that are there are replaced, the others added, and `newKey` renames."""
    asked = checked(body, Upserts)
    raw = [{name: value for name, value in one.items() if name != "newKey"} for one in body["rules"]]

    def upserted(rules: Rules) -> Rules:
        by_identity = {_identity(rule): rule for rule in rules}
        for number, (given, new) in enumerate(zip(asked.rules, rules_of(raw), strict=True)):
            if given.new_key is not None and new.kind not in _NAMED:
                raise PlanError(400, (f"rules[{number}].newKey", f"a rule of type {new.kind} has no key"))
            old = by_identity.get(_identity(new))
            by_identity[_identity(new)] = _kept(old, new)
            if given.new_key is not None:
                by_identity = _renamed(by_identity, _identity(new), given.new_key, number)
        return tuple(by_identity.values())

    return upserted


def _kept(old: Rule | None, new: Rule) -> Rule:
    """The new rule; what clients of this API do not send stays."""
    if old is None:
        return new
    return msgspec.structs.replace(
        new,
        description=new.description or old.description,
        deprecated_at=new.deprecated_at or old.deprecated_at,
    )


def _renamed(rules: dict[Identity, Rule], identity: Identity, key: str, number: int) -> dict[Identity, Rule]:
    renamed = msgspec.structs.replace(rules[identity], key=key)
    if _identity(renamed) != identity and _identity(renamed) in rules:
        said = f"version {renamed.version} of this key is there already"
        raise PlanError(409, (f"rules[{number}].newKey", said))
    return {_identity(one): one for one in (renamed if r is rules[identity] else r for r in rules.values())}


async def identities_of(request: web.Request) -> list[Identity]:
    """Which rules a request is about: in its body, or in the query as SDKs write it."""
    raw = _in_query(request) or (await json_body(request) if request.can_read_body else {})
    asked = checked(raw, Identities)
    return [
        (one.type, (one.key or "") if one.type in _NAMED else "", 1 if one.version is None else one.version)
        for one in asked.rules
    ]


def _in_query(request: web.Request) -> dict[str, Any]:
    """`rules=[{"type": …}]`, or `rules[0][type]=…` and so on."""
    if (text := request.query.get("rules")) is not None:
        try:
            found = decode(text.encode("utf-8", "replace"))
        except ValueError as error:
            raise PlanError(400, ("rules", f"not JSON: {error}")) from None
        return {"rules": found if isinstance(found, list) else [found]}
    rules: dict[int, dict[str, Any]] = {}
    for name, value in request.query.items():
        if place := _IN_QUERY.fullmatch(name):
            is_number = place[2] == "version" and value.isascii() and value.isdecimal() and len(value) < 10  # noqa: PLR2004
            rules.setdefault(int(place[1]), {})[place[2]] = int(value) if is_number else value
    return {"rules": [rules[number] for number in sorted(rules)]} if rules else {}


def without(rules: Sequence[Rule], gone: list[Identity]) -> Rules:
    """The rules but those that are gone, all of which must be there."""
    there = {_identity(rule) for rule in rules}
    for number, identity in enumerate(gone):
        if identity not in there:
            raise PlanError(404, (f"rules[{number}]", "there is no such rule in this plan"))
    return tuple(rule for rule in rules if _identity(rule) not in gone)


def _identity(rule: Rule) -> Identity:
    return rule.kind, rule.key, rule.version

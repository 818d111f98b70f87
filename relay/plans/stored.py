"""A plan with its ids and times, and the JSON that its file and Segment's two APIs have of it.

    rs_…    the id in the Config API and the name of the file;    tp_…    the same plan in the Public API

The file has the Config API's form. What that cannot say stands in `rules.others`, in the Public API's.
"""

import hashlib
import os
import re
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from relay.plans.rules import Rule
from relay.plans.shapes import OTHERS

PLAN_TYPES = ("LIVE", "TEMPLATE", "PROPERTY_LIBRARY", "RULE_LIBRARY", "ENGAGE")  # Segment's Public API

_ID = re.compile(r"(?:rs|tp)_([A-Za-z0-9_]{1,100})", re.ASCII)
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LENGTH = 27  # of 20 bytes in base 62, as in Segment's own ids

_SINGLES = {"COMMON": "global", "IDENTIFY": "identify", "GROUP": "group"}

Json = dict[str, Any]


class StoredPlan(msgspec.Struct, frozen=True):
    """`said_in` is where relay.toml names the file of a plan that was written by hand: no API changes it."""

    id: str
    name: str
    rules: tuple[Rule, ...] = ()
    description: str = ""
    type: str = "LIVE"
    create_time: str | None = None
    update_time: str | None = None
    said_in: str | None = None

    @property
    def public_id(self) -> str:
        return f"tp_{self.id[3:]}"


def new_id() -> str:
    """An id that is greater than those that were made before, by the millisecond."""
    number = int.from_bytes(int(time.time() * 1000).to_bytes(6, "big") + os.urandom(14), "big")
    return "rs_" + _in_base_62(number)


def id_of_file(said: str | None, name: str) -> str:
    """The id that a file gives itself, else one that its name always leads to."""
    return resource_id(said or "") or "rs_" + _in_base_62(
        int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()[:20], "big")
    )


def resource_id(text: str) -> str | None:
    """The `rs_…` of either id, None for what is neither."""
    found = _ID.fullmatch(text)
    return f"rs_{found[1]}" if found else None


def _in_base_62(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 62)
        text = _DIGITS[digit] + text
    return text.rjust(_LENGTH, "0")


# --- Config API ----------------------------------------------------------------------------------


def config_rules(rules: Iterable[Rule]) -> Json:
    """What the Config API shows of rules. Of what is no event it knows one version, of which the oldest counts."""
    rules = tuple(rules)
    singles = {name: _oldest(rules, kind) for kind, name in _SINGLES.items()}
    return {
        "events": [_event(rule) for rule in rules if rule.kind == "TRACK"],
        **{name: {} if rule is None else rule.schema for name, rule in singles.items()},
        "identify_traits": [],
        "group_traits": [],
    }


def file_form(plan: StoredPlan) -> Json:
    """A plan as its file has it: nothing is left out."""
    shown = config_rules(rule for rule in plan.rules if is_config_rule(rule))
    others = [public_rule(rule) for rule in plan.rules if not is_config_rule(rule)]
    return {
        "name": f"workspaces/relay/tracking-plans/{plan.id}",
        "display_name": plan.name,
        "description": plan.description,
        "type": plan.type,
        "create_time": plan.create_time,
        "update_time": plan.update_time,
        "rules": shown | ({OTHERS: others} if others else {}),
    }


def _event(rule: Rule) -> Json:
    deprecated = {} if rule.deprecated_at is None else {"deprecatedAt": rule.deprecated_at}
    return {
        "name": rule.key,
        "description": rule.description,
        "version": rule.version,
        "rules": rule.schema,
    } | deprecated


def _oldest(rules: Iterable[Rule], kind: str) -> Rule | None:
    return min((rule for rule in rules if rule.kind == kind), key=lambda rule: rule.version, default=None)


def is_config_rule(rule: Rule) -> bool:
    """Whether the Config API's form has all there is to this rule."""
    if rule.kind in _SINGLES:
        return rule.version == 1 and bool(rule.schema) and not (rule.description or rule.deprecated_at)
    return rule.kind == "TRACK"


# --- Public API ----------------------------------------------------------------------------------


def public_rule(rule: Rule) -> Json:
    """A rule as the Public API has it."""
    made: Json = {"type": rule.kind, "version": rule.version, "jsonSchema": rule.schema}
    if rule.kind in ("TRACK", "PAGE", "SCREEN"):
        made["key"] = rule.key
    if rule.description:
        made["description"] = rule.description
    if rule.deprecated_at is not None:
        made["deprecatedAt"] = rule.deprecated_at
    return made


def public_plan(plan: StoredPlan) -> Json:
    """A plan as the Public API has it: without its rules."""
    times = {"createdAt": plan.create_time, "updatedAt": plan.update_time}
    return {
        "id": plan.public_id,
        "resourceSchemaId": plan.id,
        "name": plan.name,
        "description": plan.description,
        "type": plan.type,
        **{name: moment for name, moment in times.items() if moment is not None},
    }


def file_of(folder: Path, plan_id: str) -> Path:
    return folder / f"{plan_id}.json"

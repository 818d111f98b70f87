"""What the plan APIs are sent: decoded, checked, and described in the OpenAPI document by the same structs.

`null` counts as not given. A key that is not known is refused: it would be lost.
"""

from typing import Annotated, Any, TypeVar

import msgspec
from aiohttp import web
from msgspec import Meta, Struct, field

from relay.body import decode
from relay.config_errors import explain
from relay.plans.files import MAX_BYTES
from relay.plans.rules import Kind, Rule
from relay.plans.running import PlanError
from relay.plans.shapes import read_plan
from relay.plans.store import WrongPlan

MAX_RULES = 200  # Segment: of one call to the Public API
MAX_PAGE = 1000  # Segment: of the Public API

Schema = Annotated[dict[str, Any], Meta(description="A JSON Schema (draft 7) of the whole message.")]
Name = Annotated[str, Meta(min_length=1)]
Version = Annotated[int, Meta(ge=0, le=2**31 - 1)]

T = TypeVar("T")


# --- Config API ----------------------------------------------------------------------------------


class Event(Struct, forbid_unknown_fields=True):
    name: Name
    rules: Schema
    version: Version | None = None
    description: str | None = None
    deprecated_at: str | None = field(name="deprecatedAt", default=None)


class ApiRule(Struct, rename="camel", forbid_unknown_fields=True):
    """A rule as the Public API has it. TRACK needs a `key`."""

    type: Kind
    json_schema: Schema
    key: str | None = None
    version: Version | None = None
    description: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    deprecated_at: str | None = None


class Rules(Struct, forbid_unknown_fields=True):
    events: list[Event] | None = None
    global_: Schema | None = field(name="global", default=None)
    identify: Schema | None = None
    group: Schema | None = None
    identify_traits: Annotated[list[Any], Meta(max_length=0)] | None = None
    group_traits: Annotated[list[Any], Meta(max_length=0)] | None = None
    others: list[ApiRule] | None = None


class ConfigPlan(Struct, forbid_unknown_fields=True):
    """`name` and the times are the plan's own, and not looked at."""

    display_name: Name | None = None
    rules: Rules | None = None
    name: str | None = None
    description: str | None = None
    type: str | None = None
    create_time: str | None = None
    update_time: str | None = None


class WrappedPlan(Struct, forbid_unknown_fields=True):
    tracking_plan: ConfigPlan


class Mask(Struct, forbid_unknown_fields=True):
    paths: list[str] = []


class Update(ConfigPlan, forbid_unknown_fields=True):
    update_mask: Mask | None = None


class WrappedUpdate(Struct, forbid_unknown_fields=True):
    tracking_plan: ConfigPlan | None = None
    update_mask: Mask | None = None


class SourceName(Struct, forbid_unknown_fields=True):
    source_name: Name


class SourceNames(Struct, forbid_unknown_fields=True):
    source_names: Annotated[list[Name], Meta(max_length=1000)]


# --- Public API ----------------------------------------------------------------------------------


class NewPlan(Struct, forbid_unknown_fields=True):
    name: Name
    type: Annotated[str, Meta(pattern="^(LIVE|TEMPLATE|PROPERTY_LIBRARY|RULE_LIBRARY|ENGAGE)$")]
    description: str | None = None


class PlanChange(Struct, forbid_unknown_fields=True):
    name: Name | None = None
    description: str | None = None


class NewRules(Struct, forbid_unknown_fields=True):
    rules: Annotated[list[ApiRule], Meta(max_length=MAX_RULES)]


class Upsert(ApiRule, rename="camel", forbid_unknown_fields=True):
    new_key: Name | None = None


class Upserts(Struct, forbid_unknown_fields=True):
    rules: Annotated[list[Upsert], Meta(max_length=MAX_RULES)]


class Identity(Struct, forbid_unknown_fields=True):
    type: Kind
    key: str | None = None
    version: Version | None = None


class Identities(Struct, forbid_unknown_fields=True):
    rules: Annotated[list[Identity], Meta(max_length=MAX_RULES)]


class SourceId(Struct, rename="camel", forbid_unknown_fields=True):
    source_id: Name


# --- reading -------------------------------------------------------------------------------------


async def json_body(request: web.Request) -> dict[str, Any]:
    """The body of a request about plans, which may be as large as a plan."""
    content = await request.clone(client_max_size=MAX_BYTES).read()
    try:
        value = decode(content)
    except ValueError as error:
        raise PlanError(400, (None, f"the body is not JSON: {error}")) from None
    if type(value) is not dict:
        raise PlanError(400, (None, "the body must be a JSON object"))
    return value


def checked(value: Any, kind: type[T]) -> T:
    """`value` as `kind`; what is wrong is told with its place."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        place = str(error).partition(" - at `$")[2].rstrip("`").lstrip(".")
        said = explain(error).partition(" - at `")[0]
        raise PlanError(400, (place or None, said)) from None


def rules_of(raw: Any) -> tuple[Rule, ...]:
    """Rules in the form of either API. WrongPlan when they have mistakes."""
    plan, mistakes = read_plan({"rules": raw})
    if mistakes:
        raise WrongPlan(*mistakes)
    return plan.rules


def how_many(text: str | None, name: str, default: int) -> int:
    """How many are wanted at once: never more than MAX_PAGE."""
    if not text:
        return default
    if not text.isdecimal() or not text.isascii():
        raise PlanError(400, (name, "must be a whole number"))
    return min(int(text[:9]) or default, MAX_PAGE)

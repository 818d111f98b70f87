"""From a destination of the package's catalogue to a type like every other: settings that are checked, actions, presets.

Names are the package's own, so a configuration says the same whichever engine runs it. What the settings are for is said in
the words that the package has for it: they come from the operator's own copy of it.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, cast

import msgspec

from relay.destinations.actions import Action, ActionDestination, Call, Preset, Subscription
from relay.destinations.actions.fields import Condition, Field, When
from relay.destinations.base import Destination, Route, Steps, about, secret
from relay.destinations.bridge.catalogue import Bridged
from relay.destinations.bridge.route import BridgeRoute
from relay.destinations.oauth import OAuth, OAuthDestination

OAUTH = ("oauth2", "oauth-managed")
MAX_BATCH = 5000  # events in one call: what Segment's own bulk batches hold
_BATCH = 1000  # Segment's own, where an action says nothing
_NOWHERE = OAuth("", "", ())  # logging in is not in the package, and renewing is its own affair
_TYPES: dict[str, Any] = {"number": float, "integer": int, "boolean": bool}
_UNDEFINED = "__undefined__"
_NONE = object()  # no default, which is not `null`


class BridgedDestination(ActionDestination, frozen=True):
    """A destination that runs in a child process."""

    declared: ClassVar[Bridged]
    batch: ClassVar[int] = _BATCH
    max_batch: ClassVar[int] = MAX_BATCH

    def route_by(self, subscriptions: Sequence[Subscription]) -> Route:
        """How events go there by these."""
        return BridgeRoute(self, self.declared, subscriptions)

    @property
    def untested(self) -> str | None:
        return None if self.declared.has_test else "Segment's code has no test of them"

    @classmethod
    def preset_subscriptions(cls) -> list[Subscription]:
        """The presets of the package."""
        return [
            Subscription(one["partnerAction"], one["subscribe"], one["mapping"], one.get("name", ""))
            for one in _of_events(cls.declared)
        ]


class BridgedOAuth(BridgedDestination, OAuthDestination, frozen=True):
    """The same for one that is given tokens."""

    oauth_at: ClassVar[OAuth] = _NOWHERE


@cache
def _kind(declared_json: bytes) -> type[Destination]:
    one = msgspec.json.decode(declared_json, type=Bridged)
    is_oauth = one.scheme in OAUTH
    names = [name for name in one.settings if name != "oauth"]
    inner = {name: f"setting_{number}" for number, name in enumerate(names)}
    fields = [_setting(inner[name], one.settings[name]) for name in names]
    actions = {said["name"]: _action(said) for said in one.actions}
    namespace = {
        "__module__": __name__,
        "title": one.name,
        "summary": f"{one.name}, by Segment's own code.",
        "declared": one,
        "actions": actions,
        "presets": tuple(_preset(said, actions[said["partnerAction"]]) for said in _of_events(one)),
        "notes": tuple(_notes(one)),
        "__annotations__": {},
    }
    made = msgspec.defstruct(
        "Bridged" + "".join(part.capitalize() for part in one.type.replace("-", " ").split()),
        sorted(fields, key=lambda field: len(field) > 2),  # noqa: PLR2004  those with a default come last
        bases=(BridgedOAuth if is_oauth else BridgedDestination,),
        namespace=namespace,
        frozen=True,
        forbid_unknown_fields=True,
        rename={inner[name]: name for name in names},
        kw_only=True,
    )
    return cast("type[Destination]", made)


def kind_of(one: Bridged) -> type[Destination]:
    """The type of a destination; the same object for the same declaration."""
    return _kind(msgspec.json.encode(one))


def _setting(name: str, said: Mapping[str, Any]) -> Any:
    sentence = " ".join(str(said.get("description") or said.get("label") or "").split())
    meta = secret(sentence) if said.get("type") == "password" else about(sentence)
    kind: Any = _TYPES.get(said.get("type", "string"), str)
    if choices := said.get("choices"):
        values = tuple(one["value"] if isinstance(one, dict) else one for one in choices)
        kind = Literal[values] if all(isinstance(value, str) for value in values) else kind
    if said.get("multiple"):
        kind = tuple[kind, ...]
    if "default" in said:
        return name, Annotated[kind, meta], said["default"]
    if said.get("required") is True:
        return name, Annotated[kind, meta]
    return name, Annotated[kind | None, meta], None


def _notes(one: Bridged) -> list[str]:
    said = []
    if one.secrets:
        said.append(f"Reads secrets of an app of your own: {', '.join(one.secrets)}.")
    if one.scheme in OAUTH:
        said.append("Give it tokens in `oauth`; the login page of the vendor is not part of Segment's code.")
    said.extend(
        f"Action {action['name']}: {action['unsupported']}."
        for action in one.actions
        if action.get("unsupported")
    )
    return said


def _of_events(one: Bridged) -> list[dict[str, Any]]:
    """Its presets for events, by actions that there are.

    Some are for what only Segment makes, such as an audience of Engage, and some for a script in the browser.
    """
    there = {action["name"] for action in one.actions}
    return [said for said in one.presets if said.get("subscribe") and said["partnerAction"] in there]


def _preset(said: Mapping[str, Any], action: Action) -> Preset:
    default = action.default_mapping()
    changes = {name: value for name, value in said["mapping"].items() if default.get(name, _NONE) != value}
    return Preset(said.get("name", ""), action.name, said["subscribe"], changes)


def _action(said: Mapping[str, Any]) -> Action:
    return Action(
        name=said["name"],
        title=said.get("title", said["name"]),
        about=said.get("description", ""),
        fields={name: _field(field) for name, field in said["fields"].items()},
        perform=_elsewhere,
        perform_batch=_elsewhere if said.get("hasPerformBatch") else None,
        max_batch=MAX_BATCH,
        batches_unasked=False,
    )


def _elsewhere(_: Any, __: Call | Sequence[Call]) -> Steps:
    raise NotImplementedError("runs in a child process")


def _field(said: Mapping[str, Any]) -> Field:
    kind = said.get("type", "string")
    properties = said.get("properties")
    return Field(
        about=" ".join(str(said.get("description") or said.get("label") or "").split()),
        type=kind if kind in ("number", "integer", "boolean", "datetime", "object") else "string",
        required=_required(said.get("required", False)),
        multiple=bool(said.get("multiple")),
        allow_null=bool(said.get("allowNull")),
        default=said.get("default", msgspec.UNSET),
        choices=tuple(one["value"] if isinstance(one, dict) else one for one in said.get("choices") or ()),
        properties=None if properties is None else {name: _field(one) for name, one in properties.items()},
        more=bool(said.get("additionalProperties")),
        format=said.get("format"),
    )


def _required(said: Any) -> bool | When:
    if not isinstance(said, dict):
        return said is True
    conditions = tuple(
        Condition(one["fieldKey"], _value(one.get("value")), is_not=one.get("operator") == "is_not")
        for one in said.get("conditions", ())
    )
    return When(conditions, is_any=said.get("match") == "any")


def _value(value: Any) -> Any:
    return None if isinstance(value, dict) and _UNDEFINED in value else value

"""Whose data it is: the ids Braze knows people by, and whether people it does not know yet are added."""

from collections.abc import Mapping
from typing import Any

from relay.destinations.actions import Call
from relay.destinations.actions.fields import boolean, either, path, record, text
from relay.destinations.errors import Refused

ADD_OR_UPDATE = ("add", "update")

EXTERNAL_ID = text("The person's id with you.", default=path("$.userId"))
USER_ALIAS = record(
    "The person's alias.",
    {
        "alias_name": text("The alias itself."),
        "alias_label": text("What kind of alias it is."),
    },
)
BRAZE_ID = text(
    "The person's id with Braze.",
    allow_null=True,
    default=either("$.context.traits.braze_id", "$.properties.braze_id"),
)
EMAIL = text("The person's address.", default=either("$.context.traits.email", "$.properties.email"))
UPDATE_EXISTING_ONLY = boolean("Whether people that Braze does not know are left out.", default=False)


def who(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The ids in a payload. Raises Refused when there is none."""
    found = {name: payload[name] for name in ("braze_id", "external_id", "email") if name in payload}
    alias = payload.get("user_alias") or {}
    if alias.get("alias_name") and alias.get("alias_label"):
        found["user_alias"] = alias
    if not any(found.values()):
        raise Refused(
            "one of external_id, user_alias, braze_id, email is needed",
            fields=("external_id", "user_alias", "braze_id", "email"),
        )
    return found


def check_mode(call: Call, modes: tuple[str, ...]) -> None:
    """Raise Refused unless the sync mode is one of the action's, where it has any."""
    if modes and call.sync_mode not in modes:
        raise Refused(f"the sync mode must be {' or '.join(modes)}", "INVALID_SYNC_MODE")


def only_existing(call: Call, modes: tuple[str, ...]) -> dict[str, Any]:
    """What Braze is told about people it does not know: by the sync mode, or by the field in actions without."""
    name = "_update_existing_only"
    if modes:
        return {name: call.sync_mode == "update"}
    return {name: call.payload[name]} if name in call.payload else {}

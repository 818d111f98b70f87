"""SOQL, as far as look-ups need it: `SELECT Id FROM Lead WHERE email = 'jane@example.com' OR Ext__c = 7`.

Values come from events: in text, what would end the literal or change what follows is escaped. Names come from
mappings, and may be read from events there: they lose or are refused whatever no API name has.
"""

import re
from collections.abc import Mapping
from typing import Any

from relay.destinations.errors import Refused
from relay.destinations.mapping.javascript import number_text

_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_]")
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*")
_ESCAPES = str.maketrans({"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r"})


def select(sobject: str, traits: Mapping[str, Any], operator: str) -> str:
    """The query for the ids of records that match all (AND) or any (OR) of `traits`."""
    matches = [f"{_NOT_IN_NAMES.sub('', name)} = {_literal(name, value)}" for name, value in traits.items()]
    return f"SELECT Id FROM {sobject} WHERE " + f" {operator} ".join(matches)  # noqa: S608  # escaped above


def is_name(sobject: str) -> bool:
    """Whether it may be the name of an object."""
    return _NAME.fullmatch(sobject) is not None


def _literal(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return number_text(value)
    if isinstance(value, str):
        return f"'{value.translate(_ESCAPES)}'"
    field = f"traits.{name}"
    raise Refused(f"{field} must be text, a number or true or false", "UNSUPPORTED_TYPE", fields=(field,))

"""What a tracking plan says, whatever shape its file has: rules, each a JSON Schema (draft 7) of a whole message."""

from typing import Any, Literal, get_args

import msgspec

Kind = Literal["TRACK", "IDENTIFY", "GROUP", "PAGE", "SCREEN", "COMMON"]  # Segment's Public API
KINDS: tuple[Kind, ...] = get_args(Kind)

# where a call of each type has what its rules are about
ROOT = {
    "track": "properties",
    "page": "properties",
    "screen": "properties",
    "identify": "traits",
    "group": "traits",
}


class Rule(msgspec.Struct, frozen=True):
    """One rule. `key` is the event of TRACK, the name of PAGE and SCREEN (empty: any), and empty for the others.

    `place` is where it stands in its file, for complaints.
    """

    kind: Kind
    key: str
    version: int
    schema: dict[str, Any]
    place: str
    description: str = ""
    deprecated_at: str | None = None  # for people; no event is judged by it

    @property
    def labels(self) -> dict[str, Any]:
        """Its `key: value` labels, which stand in the schema."""
        labels = self.schema.get("labels")
        return labels if isinstance(labels, dict) else {}


class Plan(msgspec.Struct, frozen=True):
    """A plan: its name, its id if it has one, and its rules in the order of the file."""

    name: str
    id: str | None
    rules: tuple[Rule, ...]

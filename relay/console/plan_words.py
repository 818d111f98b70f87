"""What a tracking plan says, for people: the properties of a rule as rows, and what a schema asks of them in words."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec

from relay.plans.rules import ROOT, Rule
from relay.plans.schemas import referred
from relay.plans.sentences import as_json

MOST_ROWS = 2000  # of a rule; the JSON has the others
MOST_CHOICES = 20  # of an `enum` that are told
DEEPEST = 20  # names inside each other: a schema may refer to itself

_FORMATS = {
    "date-time": "a date with time (ISO 8601)",
    "date": "a date (ISO 8601)",
    "time": "a time of day (ISO 8601)",
    "email": "an email address",
    "uri": "a URL",
    "uuid": "a UUID",
    "ipv4": "an IPv4 address",
    "ipv6": "an IPv6 address",
    "hostname": "a host name",
    "regex": "a regular expression",
}
_LIMITS = {
    "minLength": "{} characters or more",
    "maxLength": "{} characters at most",
    "minimum": "{} or more",
    "maximum": "{} at most",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minItems": "{} items or more",
    "maxItems": "{} items at most",
    "minProperties": "{} names or more",
    "maxProperties": "{} names at most",
}
_BEYOND = ("allOf", "anyOf", "oneOf", "not", "if", "contains", "propertyNames", "dependencies")

Schema = dict[str, Any]


class Row(msgspec.Struct, frozen=True):
    """A property; `path` as violations have it, with `$` for the items of a list, without the root."""

    path: str
    types: str
    is_required: bool
    said: str
    description: str


class ShownRule(msgspec.Struct, frozen=True):
    """A rule. `rows` are about properties (or traits), `others` about the rest of the message."""

    title: str
    version: int
    description: str
    deprecated_at: str | None
    labels: dict[str, Any]
    rows: tuple[Row, ...]
    others: tuple[Row, ...]
    said: str
    is_cut: bool


_TITLES = {
    "IDENTIFY": "Traits of people (identify)",
    "GROUP": "Traits of groups (group)",
    "COMMON": "Common rules, for every event",
    "PAGE": "Every page",
    "SCREEN": "Every screen",
}


def shown_rule(rule: Rule) -> ShownRule:
    root = ROOT.get(rule.kind.lower(), "")
    reading = _Reading(rule.schema)
    found = list(islice(reading.rows(rule.schema), MOST_ROWS + 1))
    inside = f"{root}." if root else "\0"  # a common rule has no root
    return ShownRule(
        rule.key or _TITLES[rule.kind],
        rule.version,
        rule.description,
        rule.deprecated_at,
        rule.labels,
        tuple(
            msgspec.structs.replace(row, path=row.path.removeprefix(inside))
            for row in found[:MOST_ROWS]
            if row.path.startswith(inside)
        ),
        tuple(
            row for row in found[:MOST_ROWS] if not row.path.startswith(inside) and _says_something(row, root)
        ),
        words_of(reading.resolved(_member(rule.schema, root)) if root else rule.schema),
        len(found) > MOST_ROWS,
    )


def _says_something(row: Row, root: str) -> bool:
    """Whether a row beside the properties is not only the frame that every rule has."""
    if row.path == root:
        return False
    return bool(row.said or row.description or row.is_required or "." in row.path)


def _member(schema: Any, name: str) -> Any:
    inside = schema.get("properties") if isinstance(schema, dict) else None
    return inside.get(name) if isinstance(inside, dict) else None


class _Reading:
    """One schema being read; references lead elsewhere in it."""

    def __init__(self, whole: Schema) -> None:
        self._whole = whole

    def resolved(self, schema: Any) -> Schema:
        for _ in range(DEEPEST):
            if not isinstance(schema, dict) or not isinstance(schema.get("$ref"), str):
                break
            schema = referred(self._whole, schema["$ref"])
        return schema if isinstance(schema, dict) and "$ref" not in schema else {}

    def rows(self, schema: Any, path: str = "", seen: tuple[Any, ...] = ("#",)) -> Iterator[Row]:
        """Each name that is listed below `schema`, and what is inside it. `seen`: the references that lead here."""
        if isinstance(schema, dict) and "$ref" in schema:
            if schema["$ref"] in seen:
                return
            seen = (*seen, schema["$ref"])
        schema = self.resolved(schema)
        if len(seen) + path.count(".") > DEEPEST:
            return
        required, members = schema.get("required"), schema.get("properties")
        names = [name for name in required if isinstance(name, str)] if isinstance(required, list) else []
        listed = members if isinstance(members, dict) else {}
        for name, inner in {**listed, **{name: {} for name in names if name not in listed}}.items():
            where = f"{path}.{name}" if path else name
            yield self._row(inner, where, is_required=name in names)
            yield from self.rows(inner, where, seen)
        if isinstance(schema.get("items"), dict):
            yield from self.rows(schema["items"], f"{path}.$" if path else "$", seen)

    def _row(self, schema: Any, path: str, *, is_required: bool) -> Row:
        inner = self.resolved(schema)
        described = inner.get("description")
        return Row(
            path,
            self._types(inner),
            is_required,
            "must not be there" if schema is False else words_of(inner),
            described if isinstance(described, str) else "",
        )

    def _types(self, schema: Schema) -> str:
        """`string or null`, `array of string`."""
        kind = schema.get("type")
        kinds = [one for one in (kind if isinstance(kind, list) else [kind]) if isinstance(one, str)]
        items = self.resolved(schema.get("items")).get("type")
        if isinstance(items, str):
            kinds = [f"array of {items}" if one == "array" else one for one in kinds]
        return " or ".join(kinds) or "any"


def words_of(schema: Schema) -> str:
    """What a schema asks beside the type."""
    return "; ".join(_asked(schema))


def _asked(schema: Schema) -> Iterator[str]:
    yield from _values(schema)
    for keyword, sentence in _LIMITS.items():
        if type(schema.get(keyword)) in (int, float):
            yield sentence.format(as_json(schema[keyword]))
    if schema.get("uniqueItems") is True:
        yield "no item twice"
    if schema.get("additionalProperties") is False:
        yield "no other names than those listed"
    if isinstance(schema.get("patternProperties"), dict) and schema["patternProperties"]:
        yield f"rules for names that match {' or '.join(schema['patternProperties'])}"
    if beyond := [keyword for keyword in _BEYOND if keyword in schema]:
        yield f"further conditions ({', '.join(beyond)}), which the JSON has"


def _values(schema: Schema) -> Iterator[str]:
    options = schema.get("enum")
    if isinstance(options, list):
        told = ", ".join(as_json(one) for one in options[:MOST_CHOICES])
        left = len(options) - MOST_CHOICES
        yield f"one of {told} and {left:,} more" if left > 0 else f"one of {told}"
    if "const" in schema:
        yield f"always {as_json(schema['const'])}"
    if isinstance(schema.get("pattern"), str):
        yield f"matches {schema['pattern']}"
    if isinstance(schema.get("format"), str):
        yield _FORMATS.get(schema["format"], f"of the format {schema['format']}")

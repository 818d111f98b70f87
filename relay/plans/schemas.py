"""A rule's schema made ready for the compiler: what no validator of ours may see is taken out or refused.

Taken out: `id` and `$id`, which in plans are paths and no addresses; `$schema`, which is a hint at best; the type
`any`; draft 4's `exclusiveMinimum: true`, which becomes the number. Refused: references to anywhere outside the
schema, patterns that RE2 cannot read, and what is nested too deeply. Other keys that are no schema (`labels`,
`eventMetadata`) stay: validators pass over them.

Patterns are matched in time that grows with the text alone, which look-around and back-references rule out. Segment
does not take them either.
"""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

MAX_DEPTH = 100  # levels of a schema; the validator takes some 190, and people write ten

_DROPPED = frozenset(("id", "$id", "$schema"))
_MAPS = frozenset(("properties", "patternProperties", "definitions", "$defs", "dependencies"))
_LISTS = frozenset(("allOf", "anyOf", "oneOf"))
_SCHEMAS = frozenset(
    (
        *("additionalItems", "additionalProperties", "contains", "else", "if", "items", "not"),
        *("propertyNames", "then"),
    )
)
_ANY = "any"
_LOOK_AROUND = re.compile(r"(?<!\\)(?:\\\\)*\(\?(?:<?[=!])")
_FLAGS = re.compile(r"\(\?([ims]+)\)")
_NAMED_GROUP = re.compile(r"(?<!\\)((?:\\\\)*)\(\?P<")
_BACK_REFERENCE = re.compile(r"(?<!\\)(?:\\\\)*\\(?:[1-9]|k<)")

Complain = Callable[[str, str], None]  # a place under the rule's, and a sentence
Schema = dict[str, Any]


def prepared(schema: dict[str, Any], complain: Complain) -> dict[str, Any]:
    """A copy of `schema` for the compiler."""
    made = _schema(schema, "", MAX_DEPTH, complain)
    assert isinstance(made, dict)
    return made


def _schema(schema: Any, place: str, depth: int, complain: Complain) -> Any:
    if not isinstance(schema, dict):
        return schema  # a boolean; of anything else the compiler says what is wrong
    if depth == 0:
        complain(place, f"nested deeper than {MAX_DEPTH} levels")
        return {}
    made: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _DROPPED and isinstance(value, str):
            continue
        where = f"{place}.{key}"
        if key in _MAPS and isinstance(value, dict):
            is_pattern = key == "patternProperties"
            made[key] = {
                _pattern(k, where, complain) if is_pattern else k: _schema(
                    v, f"{where}.{k}", depth - 1, complain
                )
                for k, v in value.items()
            }
        elif isinstance(value, list) and (key in _LISTS or key == "items"):
            made[key] = [_schema(v, f"{where}[{n}]", depth - 1, complain) for n, v in enumerate(value)]
        elif key in _SCHEMAS:
            made[key] = _schema(value, where, depth - 1, complain)
        elif key == "pattern" and isinstance(value, str):
            made[key] = _pattern(value, where, complain)
        else:
            made[key] = value
            if key == "$ref" and isinstance(value, str) and not value.startswith("#"):
                complain(where, "must begin with `#`: nothing outside the schema is fetched")
    return _modern(made)


def _pattern(pattern: str, place: str, complain: Complain) -> str:
    """As the compiler writes it: flags and names of groups in JavaScript's way.

    Why RE2 would not take it is said here where it is one of the usual reasons; the compiler finds the others.
    """
    if _LOOK_AROUND.search(pattern):
        complain(place, "look-ahead and look-behind are not supported in patterns")
    elif _BACK_REFERENCE.search(pattern):
        complain(place, "back-references are not supported in patterns")
    if flags := _FLAGS.match(pattern):
        pattern = f"(?{flags[1]}:{pattern[flags.end() :]})"
    return _NAMED_GROUP.sub(r"\1(?<", pattern)


def _modern(schema: dict[str, Any]) -> dict[str, Any]:
    """Draft 4's way of exclusive limits in draft 7's, and without the type that says nothing."""
    for exclusive, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(schema.get(exclusive), bool):
            is_exclusive = schema.pop(exclusive)
            if is_exclusive and limit in schema:
                schema[exclusive] = schema.pop(limit)
    kind = schema.get("type")
    if kind == _ANY or (isinstance(kind, list) and _ANY in kind):
        del schema["type"]
    return schema


def referred(whole: Schema, reference: str) -> Any:
    """What a reference inside a schema leads to, None if it leads nowhere."""
    if reference != "#" and not reference.startswith("#/"):
        return None
    found: Any = whole
    for step in unquote(reference).split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list):
            found = found[int(name)] if name.isdecimal() and int(name) < len(found) else None
        else:
            found = found.get(name) if isinstance(found, dict) else None
    return found

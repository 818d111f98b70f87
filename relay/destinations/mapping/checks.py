"""The shapes an argument of a directive may have; each check returns what it checked or raises."""

from typing import Any

from relay.destinations.mapping.javascript import length
from relay.destinations.mapping.place import Place


def kind(value: Any) -> str:
    """The name of a JSON value's type, as an error message has it."""
    if value is None:
        return "null"
    if isinstance(value, dict):
        return "a directive" if any(key.startswith("@") for key in value) else "an object"
    names = {bool: "a boolean", str: "a text", list: "a list", int: "a number", float: "a number"}
    return names.get(type(value), f"no JSON value but {type(value).__name__}")


def is_directive(value: Any) -> bool:
    """Whether `value` is an object that claims to be a directive."""
    return isinstance(value, dict) and any(key.startswith("@") for key in value)


def options(argument: Any, place: Place, *known: str) -> dict[str, Any]:
    """`argument`, an object of options. What is not `known` has no effect but must be a mapping too."""
    if not isinstance(argument, dict) or is_directive(argument):
        raise place.error(f"takes an object of options, not {kind(argument)}")
    for key, value in argument.items():
        if key not in known:
            place.compile(value, key)
    return argument


def text_option(given: dict[str, Any], key: str, place: Place, at_most: int | None = None) -> str:
    """The literal text `given[key]`, at most so many UTF-16 units long."""
    value = given.get(key)
    if not isinstance(value, str):
        raise place.at(key).error(f"must be a text, not {kind(value)}")
    if at_most is not None and length(value) > at_most:
        raise place.at(key).error(f"may have at most {at_most} characters")
    return value


def flag_option(given: dict[str, Any], key: str, place: Place, *, default: bool) -> bool:
    """The literal boolean `given[key]`."""
    value = given.get(key, default)
    if not isinstance(value, bool):
        raise place.at(key).error(f"must be true or false, not {kind(value)}")
    return value


def needs_text(node: Any, place: Place) -> None:
    """Raise unless `node` is a text or a directive that may give one."""
    if not isinstance(node, str) and not is_directive(node):
        raise place.error(f"must be a text or a directive, not {kind(node)}")


def needs_object(node: Any, place: Place) -> None:
    """Raise unless `node` is an object or a directive that may give one."""
    if not isinstance(node, dict):
        raise place.error(f"must be an object or a directive, not {kind(node)}")

"""JSON that a person typed: read, or told where it goes wrong."""

from json import JSONDecodeError
from typing import Any

from relay.body import decode


class NotJson(Exception):
    """Text that is no JSON: the sentence says where."""


def parsed(text: str) -> Any:
    """The JSON in a text. NotJson with line and column."""
    try:
        return decode(text.encode("utf-8", "replace"))
    except JSONDecodeError as error:
        said = f"This is not JSON: {error.msg}, in line {error.lineno}, column {error.colno}."
        raise NotJson(said) from None
    except ValueError as error:
        raise NotJson(f"This is not JSON: {error}.") from None

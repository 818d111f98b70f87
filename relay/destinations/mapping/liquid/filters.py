"""All filters of `@liquid` by name, as functions of JSON values."""

import inspect
from collections.abc import Callable
from typing import Any

from relay.destinations.mapping.javascript import MISSING
from relay.destinations.mapping.json_text import encode_or_missing
from relay.destinations.mapping.liquid.dates import date, date_as_words
from relay.destinations.mapping.liquid.lists import LIST_FILTERS
from relay.destinations.mapping.liquid.numbers import NUMBER_FILTERS
from relay.destinations.mapping.liquid.text import TEXT_FILTERS
from relay.destinations.mapping.liquid.values import is_truthy, plain


def default(value: Any, otherwise: Any = MISSING, *, allow_false: Any = False) -> Any:
    """`otherwise` for false, null, missing and what is empty."""
    if isinstance(value, (list, str)):
        return value or otherwise
    if value is False and is_truthy(allow_false):
        return value
    return value if is_truthy(value) else otherwise


OTHER_FILTERS: dict[str, Callable[..., Any]] = {
    "default": default,
    "json": lambda value, *_: encode_or_missing(value),
    "jsonify": lambda value, *_: encode_or_missing(value),
    "inspect": lambda value, *_: encode_or_missing(value),
    "raw": lambda value: value,
    "date": date,
    "date_to_xmlschema": lambda value: date(value, "%Y-%m-%dT%H:%M:%S%:z"),
    "date_to_rfc822": lambda value: date(value, "%a, %d %b %Y %H:%M:%S %z"),
    "date_to_string": date_as_words("%b"),
    "date_to_long_string": date_as_words("%B"),
}


def forgiving(bare: Callable[..., Any]) -> Callable[..., Any]:
    """`bare`, called as JavaScript calls: arguments it does not know are no mistake."""
    known = inspect.signature(bare).parameters.values()
    count = sum(parameter.kind is parameter.POSITIONAL_OR_KEYWORD for parameter in known)
    names = {parameter.name for parameter in known if parameter.kind is parameter.KEYWORD_ONLY}

    def run(*arguments: Any, **named: Any) -> Any:
        options = {name: value for name, value in named.items() if name in names}
        return bare(*map(plain, arguments[:count]), **options)

    return run


FILTERS: dict[str, Callable[..., Any]] = {
    name: forgiving(bare)
    for name, bare in (NUMBER_FILTERS | LIST_FILTERS | TEXT_FILTERS | OTHER_FILTERS).items()
}

"""`@liquid`: a Liquid template, as liquidjs renders it under Segment's restrictions.

At most 1000 characters; no loops, includes or `case`; no filters that work on lists as a whole. The
engine is python-liquid, told to behave like liquidjs (see `engine`). Only mappings that use
`@liquid` load it.
"""

from typing import Any

from relay.destinations.mapping.checks import kind
from relay.destinations.mapping.javascript import length
from relay.destinations.mapping.place import Place, Run

MAX_TEMPLATE = 1000  # Segment: characters in a template


def compile_liquid(argument: Any, place: Place) -> Run:
    """The template; its result is always text."""
    if not isinstance(argument, str):
        raise place.error(f"must be a text, not {kind(argument)}")
    if length(argument) > MAX_TEMPLATE:
        raise place.error(f"may have at most {MAX_TEMPLATE} characters")
    try:
        from relay.destinations.mapping.liquid import engine  # noqa: PLC0415  # 0.1 s that few mappings need
    except ModuleNotFoundError:
        raise place.error("needs an extra: pip install 'relay[liquid]'") from None
    try:
        template = engine.parse(argument)
    except engine.LiquidError as wrong:
        raise place.error(f"is not valid Liquid: {first_line(wrong)}") from None

    def run(payload: Any) -> Any:
        try:
            return engine.render(template, payload)
        except (engine.LiquidError, ArithmeticError, ValueError) as wrong:
            raise place.error(f"cannot be rendered: {first_line(wrong)}") from None

    return run


def first_line(wrong: Exception) -> str:
    """What is wrong, without the template around it."""
    return str(wrong).partition("\n")[0]

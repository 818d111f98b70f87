"""The filters that calculate. Numbers are doubles; what is no number counts as 0."""

import math
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from relay.destinations.mapping.javascript import EXACT, MISSING, to_number
from relay.destinations.mapping.liquid.values import count, number

LARGEST_EXPONENT = 300


def divided_by(value: Any, by: Any = MISSING, floored: Any = False) -> float:  # noqa: FBT002
    """A true division; by 0 it is infinite."""
    top, bottom = number(value), number(by)
    if bottom == 0:
        return math.nan if top == 0 else math.copysign(math.inf, top) * math.copysign(1, bottom)
    return math.floor(top / bottom) if floored not in (False, None, 0, "") else top / bottom


def modulo(value: Any, by: Any = MISSING) -> float:
    """The remainder, with the sign of the divisor."""
    top, bottom = number(value), number(by)
    if bottom == 0 or math.isinf(top):
        return math.nan
    return math.fmod(math.fmod(top, bottom) + bottom, bottom)


def rounded(value: Any, places: Any = 0) -> float:
    """To so many places, halves away from zero, by the digits one sees."""
    exact, shift = number(value), count(places)
    if math.isinf(exact) or abs(shift) > LARGEST_EXPONENT or abs(exact) * 10.0**shift >= EXACT:
        return exact
    return float(Decimal(repr(exact)).quantize(Decimal(1).scaleb(-shift), ROUND_HALF_UP))


def whole(change: Callable[[float], int]) -> Callable[[Any], float]:
    def run(value: Any) -> float:
        exact = number(value)
        return exact if math.isinf(exact) else change(exact)

    return run


NUMBER_FILTERS: dict[str, Callable[..., Any]] = {
    "abs": lambda value: abs(number(value)),
    "at_least": lambda value, limit=MISSING: max(number(value), number(limit)),
    "at_most": lambda value, limit=MISSING: min(number(value), number(limit)),
    "ceil": whole(math.ceil),
    "floor": whole(math.floor),
    "round": rounded,
    "plus": lambda value, other=MISSING: number(value) + number(other),
    "minus": lambda value, other=MISSING: number(value) - number(other),
    "times": lambda value, other=MISSING: number(value) * number(other),
    "divided_by": divided_by,
    "modulo": modulo,
    "to_integer": to_number,
}

"""What forms and query strings of the console hold, read; what is wrong is a sentence that names the field."""

from relay.console.gatekeeping import Mistake

_DIGITS = 18  # what fits into SQLite's integers


def whole_number(text: str, name: str) -> int:
    """A whole number from 0 on. Raises Mistake."""
    if not (text.isascii() and text.isdigit()) or len(text) > _DIGITS:
        raise Mistake(f"{name} must be a whole number.")
    return int(text)


def two_numbers(text: str, what: str, *, second: str = "") -> tuple[int, int]:
    """Where to go on: `12-3`. `what` it is, for the sentence; `second`, if `12` alone will do. Raises Mistake."""
    first, _, given = text.partition("-")
    try:
        return whole_number(first, what), whole_number(given or second, what)
    except Mistake:
        raise Mistake(f"before must be {what}.") from None

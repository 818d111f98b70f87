"""The `date` filter: liquidjs's strftime, in UTC unless a zone is given."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil import parser  # type: ignore[import-untyped]  # python-liquid needs it too

from relay.destinations.mapping.javascript import MISSING, text

DIRECTIVE = re.compile(r"%([-_0^#:]+)?(\d+)?([EO])?(.)", re.DOTALL)
DEFAULT_FORMAT = "%A, %B %-e, %Y at %-l:%M %P %z"
PADDED_WITH_SPACES = frozenset("aAbBceklpP")
WIDTHS = {**dict.fromkeys("CdeHIklmMSUWy", 2), "j": 3, "L": 3, "Y": 4}
MAX_WIDTH = 100
ORDINALS = {1: "st", 2: "nd", 3: "rd"}


def date(value: Any, pattern: Any = MISSING, zone: Any = MISSING) -> Any:
    """`value`, a date as text or in seconds, by `pattern`; what is no date is left as it is."""
    try:
        moment = parsed(value)
    except (ValueError, OverflowError, parser.ParserError):
        return value
    if moment is None:
        return value
    shown = DEFAULT_FORMAT if pattern is MISSING or pattern is None else text(pattern)
    local = moment.astimezone(zone_of(zone))
    return DIRECTIVE.sub(lambda found: formatted(local, found), shown)


def parsed(value: Any) -> datetime | None:
    """`value` as a moment. Text without a zone is taken for UTC."""
    if value in ("now", "today"):
        return datetime.now(UTC)
    if isinstance(value, str) and not re.fullmatch("[0-9]+", value):
        moment = from_text(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return datetime.fromtimestamp(float(value), UTC)
    return None


def from_text(value: str) -> datetime:
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        moment: datetime = parser.parse(value, default=datetime(2001, 1, 1, tzinfo=UTC))
        return moment


def zone_of(zone: Any) -> tzinfo:
    """A zone by its name, or by the minutes that it is behind UTC."""
    if isinstance(zone, (int, float)):
        return timezone(timedelta(minutes=-zone))
    try:
        return ZoneInfo(zone) if isinstance(zone, str) else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def formatted(moment: datetime, found: re.Match[str]) -> str:
    flags, width, _, code = found.groups(default="")
    if code not in CODES:
        return found[0]
    shown = CODES[code](moment)
    if code in "zZ" and ":" in flags:
        shown = f"{shown[:-2]}:{shown[-2:]}"
    if "^" in flags:
        shown = shown.upper()
    if "#" in flags:
        shown = shown.lower() if shown != shown.lower() and shown == shown.upper() else shown.upper()
    wide = min(int(width), MAX_WIDTH) if width else WIDTHS.get(code, 0)
    if code == "N":
        return shown[: int(width or 9)].ljust(min(int(width or 9), MAX_WIDTH), "0")
    return shown if "-" in flags else shown.rjust(wide, filler(code, flags))


def filler(code: str, flags: str) -> str:
    if "_" in flags:
        return " "
    return "0" if "0" in flags or code not in PADDED_WITH_SPACES else " "


def date_as_words(month: str) -> Callable[..., Any]:
    """The filter that writes day, month and year, with an ordinal on request."""

    def run(value: Any, kind: Any = MISSING, style: Any = MISSING) -> Any:
        if kind != "ordinal":
            return date(value, f"%d {month} %Y")
        return date(value, f"{month} %-d%q, %Y" if style == "US" else f"%-d%q {month} %Y")

    return run


def ordinal(day: int) -> str:
    return "th" if day in (11, 12, 13) else ORDINALS.get(day % 10, "th")


def by_strftime(pattern: str) -> Callable[[datetime], str]:
    return lambda moment: moment.strftime(pattern)


CODES: dict[str, Callable[[datetime], str]] = {
    **{code: by_strftime(f"%-{code}") for code in "aAbBjHIMSUWwp"},
    "d": lambda moment: str(moment.day),
    "m": lambda moment: str(moment.month),
    "y": lambda moment: str(moment.year % 100),
    "h": by_strftime("%b"),
    "c": lambda moment: f"{moment:%-m/%-d/%Y, %-I:%M:%S %p}",
    "x": lambda moment: f"{moment:%-m/%-d/%Y}",
    "X": lambda moment: f"{moment:%-I:%M:%S %p}",
    "C": lambda moment: str(moment.year // 100),
    "e": lambda moment: str(moment.day),
    "k": lambda moment: str(moment.hour),
    "l": lambda moment: str(moment.hour % 12 or 12),
    "L": lambda moment: f"{moment.microsecond // 1000:03}",
    "N": lambda moment: f"{moment.microsecond // 1000:03}",
    "P": lambda moment: moment.strftime("%p").lower(),
    "q": lambda moment: ordinal(moment.day),
    "s": lambda moment: str(int(moment.timestamp() // 1)),
    "u": lambda moment: str(moment.isoweekday()),
    "Y": lambda moment: str(moment.year),
    "z": by_strftime("%z"),
    "Z": by_strftime("%z"),
    "t": lambda _moment: "\t",
    "n": lambda _moment: "\n",
    "%": lambda _moment: "%",
}

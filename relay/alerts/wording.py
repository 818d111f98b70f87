"""How alerts write names, times and spans for people."""

from relay.times import format_iso

NAME_SHOWN = 200  # characters of a name or a description
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def shown(text: str) -> str:
    """Text that somebody else has chosen: on one line, and not too long."""
    line = " ".join(text.split())
    line = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)
    return line if len(line) <= NAME_SHOWN else line[: NAME_SHOWN - 1] + "…"


def clock(ms: int) -> str:
    return format_iso(ms)[:16].replace("T", " ") + " UTC"


def span(seconds: float) -> str:
    """A time that somebody has set: exactly."""
    for unit, name in ((_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= unit and seconds % unit == 0:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:g} s"


def lasted(ms: int) -> str:
    """A time that has passed: roughly."""
    seconds = max(0, ms) // 1000
    for unit, name in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= 2 * unit:
            return f"{seconds // unit} {name}"
    return f"{seconds} s"


def counted(n: int, one: str, several: str) -> str:
    return f"{n:,} {one if n == 1 else several}"

"""How commands print: tables and JSON. Nothing that an event holds can steer the terminal."""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import click

PIPE_COLUMNS = 250  # nobody's window decides when the output goes into a file
_KILO = 1000
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def print_json(value: Any) -> None:
    """One line of JSON."""
    click.echo(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table; numbers stand right, None is left out."""
    from rich.console import Console  # noqa: PLC0415  only a command that prints a table pays for it
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    rows = [list(row) for row in rows]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for place, column in enumerate(columns):
        is_number = any(isinstance(row[place], int | float) for row in rows)
        table.add_column(Text(column), justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(plain(cell)) for cell in row))
    Console(file=sys.stdout, width=None if sys.stdout.isatty() else PIPE_COLUMNS).print(table)


def plain(value: object) -> str:
    """`value` on one line, without characters that a terminal obeys."""
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    text = " ".join(str(value).split())
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def clock(iso: object) -> str:
    """The time of day, here, of an ISO 8601 time."""
    try:
        moment = datetime.fromisoformat(str(iso)).astimezone()
    except (ValueError, OverflowError):
        return "--:--:--"
    return moment.strftime("%H:%M:%S")


def size(n_bytes: float) -> str:
    """`12.3 MB`."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if n_bytes < _KILO:
            return f"{n_bytes:.0f} bytes" if unit == "bytes" else f"{n_bytes:.1f} {unit}"
        n_bytes /= _KILO
    return f"{n_bytes:.1f} TB"


def span(seconds: float) -> str:
    """`3 d 4 h`, `5 min 6 s`: the two largest units."""
    whole = int(seconds)
    parts = [(whole // _DAY, "d"), (whole % _DAY // _HOUR, "h"), (whole % _HOUR // _MINUTE, "min")]
    parts.append((whole % _MINUTE, "s"))
    first = next((place for place, (n, _) in enumerate(parts) if n), len(parts) - 1)
    return " ".join(f"{n} {unit}" for n, unit in parts[first : first + 2])


def counted(n: int, one: str, many: str | None = None) -> str:
    """`1 source`, `2 sources`."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"

"""A tracking plan from a table: Segment's CSV export, or a sheet that somebody keeps.

A row is an event, or a property of one (a trait, for identify and group). Headers are taken by what they mean, in any case
and order; columns that are not known are passed over and named. `products.$` is an item of a list, `products.$.sku` a
property of the objects in it, `address.city` one of an object.
"""

import csv
import io
import re
from typing import Any, NamedTuple

from relay.plans.cells import BadCell, choices, is_required, labels, pattern, types
from relay.plans.rules import KINDS
from relay.plans.table import Rules

MAX_ROWS = 100_000  # Segment: of a plan that is uploaded

_HEADERS = {
    "event": ("eventname", "event", "rulename", "rulekey", "key", "trackevent"),
    "event_description": ("eventdescription", "ruledescription"),
    "kind": ("ruletype", "eventtype", "calltype"),
    "version": ("version", "eventversion", "ruleversion"),
    "labels": ("labels", "label", "eventlabels", "rulelabels"),
    "property": ("propertyname", "property", "propertykey", "trait", "traitname"),
    "description": ("propertydescription", "traitdescription", "description"),
    "types": ("propertytype", "datatype", "propertydatatype", "type", "traittype"),
    "required": (
        "required",
        "isrequired",
        "propertyrequired",
        "status",
        "propertystatus",
        "requiredoptional",
    ),
    "pattern": ("allowedpropertyvalues", "allowedvalues", "permittedvalues", "pattern", "regex"),
    "enum": ("enum", "enumvalues", "enums"),
}
_WORDS = {header: field for field, headers in _HEADERS.items() for header in headers}
_TRAITS = {"identify": "IDENTIFY", "group": "GROUP"}  # what stands for an event where no column says the type


class Table(NamedTuple):
    """What a table says: rules as the Public API has them, what is wrong with it, and columns that nobody reads."""

    rules: list[dict[str, Any]]
    mistakes: list[str]
    passed_over: list[str]


def read_table(text: str) -> Table:
    """The plan in `text`. A mistake begins with the number of its line."""
    rows = csv.reader(io.StringIO(text.removeprefix("\N{BYTE ORDER MARK}"), newline=""), strict=True)
    reading = _Reading()
    try:
        header = next(rows, [])
        fields, passed_over, missing = _columns(header)
        if missing:
            return Table([], [f"1: {missing}"], passed_over)
        for number, row in enumerate(rows, 1):
            if number > MAX_ROWS:
                return Table([], [f"{rows.line_num}: more than {MAX_ROWS:,} rows"], passed_over)
            reading.row(
                rows.line_num,
                {field: cell.strip() for field, cell in zip(fields, row, strict=False) if field},
            )
    except csv.Error as error:
        return Table([], [f"{rows.line_num}: no CSV: {error}"], [])
    rules = list(reading.rules.built())
    return Table(rules, reading.mistakes + reading.rules.mistakes, passed_over)


def _columns(header: list[str]) -> tuple[list[str], list[str], str | None]:
    """What each column is (empty: nothing known), those that are not known, and what is missing."""
    names = ["".join(filter(str.isalnum, cell.casefold())) for cell in header]
    fields = [_WORDS.get(name, "") for name in names]
    passed_over = [
        cell.strip() for cell, field in zip(header, fields, strict=True) if not field and cell.strip()
    ]
    twice = next((field for field in fields if field and fields.count(field) > 1), None)
    if twice:
        both = " and ".join(
            f"`{cell.strip()}`" for cell, field in zip(header, fields, strict=True) if field == twice
        )
        return fields, passed_over, f"columns that mean the same: {both}"
    needed = {"event": "Event Name", "property": "Property Name"}
    missing = [title for field, title in needed.items() if field not in fields]
    return fields, passed_over, f"there is no column `{missing[0]}`" if missing else None


class _Reading:
    """A table being read, row by row. A row without an event goes on with that of the row above."""

    def __init__(self) -> None:
        self.rules = Rules()
        self.mistakes: list[str] = []
        self._last: tuple[str, str, int] | None = None

    def row(self, line: int, row: dict[str, str]) -> None:
        if not any(row.values()):
            return
        try:
            self._row(line, row)
        except BadCell as error:
            self.mistakes.append(f"{line}: {error}")

    def _row(self, line: int, row: dict[str, str]) -> None:
        rule = self._rule(row)
        self._last = rule
        about = self.rules.rule(*rule)
        about.describe(row.get("event_description", ""))
        about.label(labels(row.get("labels", "")))
        name = row.get("property", "")
        if not name:
            about.describe(row.get("description", ""))
            return
        kinds, form = types(row.get("types", ""))
        about.add(
            line,
            name,
            is_required=is_required(row.get("required", "")),
            description=row.get("description", ""),
            types=kinds,
            said={**form, **pattern(row.get("pattern", "")), **choices(row.get("enum", ""), kinds)},
        )

    def _rule(self, row: dict[str, str]) -> tuple[str, str, int]:
        name, kind = row.get("event", ""), row.get("kind", "").upper()
        if not name and not kind:
            if self._last is None:
                raise BadCell("the name of the event is missing")
            return self._last
        if kind and kind not in KINDS:
            raise BadCell(f"rule type: must be one of {', '.join(KINDS)}, not `{kind}`")
        if not kind:
            kind = _TRAITS.get(name.casefold(), "TRACK")
        if kind == "TRACK" and not name:
            raise BadCell("the name of the event is missing")
        key = name if kind in ("TRACK", "PAGE", "SCREEN") else ""
        return kind, key, _version(row.get("version", ""))


def _version(cell: str) -> int:
    if not cell:
        return 1
    found = re.fullmatch(r"v?([0-9]{1,9})(?:\.0)?", cell, re.IGNORECASE)
    if found is None:
        raise BadCell(f"version: must be a whole number, not `{cell}`")
    return int(found[1])

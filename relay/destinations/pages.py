"""The pages of docs/destinations/, one for each type, made from the declarations.

`python -m relay.destinations.pages` writes them, and the table in docs/destinations.md. With `--check` it only names
those that are out of date, and the exit code is 1 if there are any.
"""

import argparse
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from textwrap import fill

import msgspec
import orjson

from relay.destinations import CATALOGUE
from relay.destinations.describe import ActionRow, Description, PresetRow, batches_of, describe
from relay.destinations.describe.fields import FieldRow
from relay.destinations.describe.mapping import WHOLE, Place, readable

ROOT = Path(__file__).resolve().parents[2]
GUIDE = "docs/destinations.md"
FOLDER = "docs/destinations"
WIDTH = 118  # characters of a line, as in the pages that are written by hand
_MADE = "<!-- made by `python -m relay.destinations.pages` from the declaration of the type -->"
_TABLE = re.compile(r"(?<=<!-- types -->\n).*?(?=<!-- end of types -->)", re.DOTALL)


def pages(root: Path = ROOT) -> dict[str, str]:
    """What every page should be, by its path below `root`."""
    made = {f"{FOLDER}/{name}.md": page(describe(name, kind)) for name, kind in CATALOGUE.items()}
    guide = (root / GUIDE).read_text("utf-8")
    return {GUIDE: _TABLE.sub(lambda _: types_table(), guide), **made}


def stale(root: Path = ROOT) -> list[str]:
    """The pages that are not what they should be: other, missing, or of no type."""
    wanted = pages(root)
    there = {f"{FOLDER}/{path.name}" for path in (root / FOLDER).glob("*.md")}
    other = {path for path, text in wanted.items() if _read(root / path) != text}
    return sorted(other | (there - wanted.keys()))


def types_table() -> str:
    """The table of all types, for docs/destinations.md."""
    rows = (
        (
            f"[`{name}`](destinations/{name}.md)",
            f"`{kind.title}`",
            kind.summary,
            f"{kind.batch:,}",
            f"{kind.max_batch:,}",
        )
        for name, kind in CATALOGUE.items()
    )
    return _table(("type", "title", "what", "events a request", "at most"), rows)


def page(it: Description) -> str:
    """The page of one type."""
    parts = [
        _MADE,
        f"# {it.title}",
        _opening(it),
        *_settings(it),
        "## In `relay.toml`",
        _code("toml", it.block),
    ]
    parts += [_after_the_block(it), *_events(it), *_actions(it.actions)]
    if it.differences:
        parts += ["## Differences from Segment", _list(it.differences)]
    parts += ["## Limits and notes", _limits(it), _list(it.notes)]
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def _opening(it: Description) -> str:
    names = " or ".join(f"`{name}`" for name in (it.title, *it.also_called))
    called = f"An event's `integrations` object calls it {names}."
    return _wrapped(f'`type = "{it.type}"`. {it.summary} {called}')


def _settings(it: Description) -> Iterator[str]:
    yield "## Settings"
    if not it.settings:
        yield "None."
        return
    rows = (
        (
            f"`{setting.name}`",
            _cell(setting.type),
            "required" if setting.required else _default(setting.default),
            _cell(setting.about) + (" Never shown." if setting.secret else ""),
        )
        for setting in it.settings
    )
    yield _table(("setting", "type", "default", "what"), rows)


def _default(default: object) -> str:
    return "none" if default is None else _literal(orjson.dumps(default).decode())


def _after_the_block(it: Description) -> str:
    said = ["What has the form `${NAME}` comes from the environment."] if "${" in it.block else []
    if any(line.startswith("# ") for line in it.block.partition("settings]")[2].splitlines()):
        said.append("What is commented out is optional.")
    if it.has_login:
        said.append("Then run `relay destinations login NAME`: see [oauth.md](../oauth.md).")
    said.append("The keys that all types have are in [configuration.md](../configuration.md#destinations).")
    return _wrapped(" ".join(said))


def _events(it: Description) -> Iterator[str]:
    if it.presets:
        yield "## Which events"
        yield _wrapped(
            "Without `subscriptions` of your own these presets hold. An event that none of them matches is not sent."
        )
        yield _table(("preset", "events", "action", "otherwise than by default"), map(_preset, it.presets))
        yield _wrapped(
            f"To change them, save what `relay destinations {it.type} --subscriptions` prints, edit it, and name the file:"
            f' `subscriptions = "{it.type}.json"`. See [subscriptions](../destinations.md#subscriptions).'
        )
    elif it.needs_subscriptions:
        yield "## Which events"
        yield _wrapped(
            "There are no presets: nothing is sent until [subscriptions](../destinations.md#subscriptions) say which"
            " events, by which action. One to begin with, where `…` is yours to fill in:"
        )
        yield _code("json", orjson.dumps([it.example], option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        yield "## What is sent"
        yield f"Every event, as it is: see [destinations.md](../destinations.md#{it.type})."


def _preset(preset: PresetRow) -> tuple[str, ...]:
    changes = "<br>".join(
        f"`{field}` = {_literal(readable(Place(mapping)))}" for field, mapping in preset.changes.items()
    )
    return preset.name, _literal(preset.subscribe), f"[`{preset.action}`](#{preset.action.lower()})", changes


def _actions(actions: Sequence[ActionRow]) -> Iterator[str]:
    if actions:
        yield "## Actions"
        yield "Their fields, and what these take when a subscription has no mapping of its own."
    shown: dict[bytes, str] = {}  # fields by what is in them
    for action in actions:
        yield f"### {action.name}"
        yield _wrapped(f"**{action.title}.** {action.about} {batches_of(action)}")
        fields = msgspec.json.encode(action.fields)
        if same := shown.get(fields):
            yield f"Its fields are those of [`{same}`](#{same.lower()})."
        else:
            shown[fields] = action.name
            yield _table(("field", "type", "required", "default", "what"), map(_field, action.fields))


def _field(row: FieldRow) -> tuple[str, ...]:
    default = WHOLE if row.default_text == WHOLE else _literal(row.default_text)
    return f"`{row.name}`", _cell(row.type), _cell(row.required), default, _cell(row.about)


def _limits(it: Description) -> str:
    place = (
        f"`{it.endpoint}`"
        if it.endpoint
        else "`endpoint`, required"
        if it.needs_endpoint
        else "by the settings"
    )
    rows = (
        ("endpoint", place),
        ("events a request (`batch_size`)", f"{it.batch:,}; {it.max_batch:,} at most"),
        ("a request's body", f"{it.max_bytes / 1000:,.0f} kB at most, about"),
        ("logs in with OAuth", "yes" if it.has_login else "no"),
        ("`relay check --connect` tests the credentials", "yes" if it.can_check else "no"),
        ("when it fails", "as [delivery.md](../delivery.md#when-a-destination-fails) says"),
    )
    return _table(("what", "value"), rows)


def _list(sentences: Iterable[str]) -> str:
    return "\n".join(_wrapped(f"- {sentence}", "  ") for sentence in sentences)


def _wrapped(text: str, indent: str = "") -> str:
    return fill(text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = _row(columns) + "|" + "---|" * len(columns) + "\n"
    return head + "".join(map(_row, rows))


def _row(cells: Sequence[str]) -> str:
    return f"|{'|'.join(f' {cell} ' if cell else ' ' for cell in cells)}|\n"


def _code(language: str, text: str) -> str:
    return f"```{language}\n{text}```"


def _literal(text: str) -> str:
    """Text as code in a cell."""
    if not text:
        return ""
    fence = "``" if "`" in text else "`"
    return f"{fence}{_cell(text)}{fence}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _read(path: Path) -> str | None:
    return path.read_text("utf-8") if path.exists() else None


def write(root: Path = ROOT) -> list[str]:
    """Make every page what it should be; which were not."""
    wanted = pages(root)
    found = stale(root)
    for path in found:
        if path in wanted:
            (root / path).parent.mkdir(exist_ok=True)
            (root / path).write_text(wanted[path], "utf-8")
        else:
            (root / path).unlink()
    return found


def main() -> None:
    """Write the pages, or with --check only look."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    is_check = parser.parse_args().check
    found = stale() if is_check else write()
    sys.stdout.write("".join(f"{path}\n" for path in found))
    sys.exit(is_check and bool(found))


if __name__ == "__main__":
    main()

"""`relay plan import`: Segment's CSV, or what its Public API answers, to one plan file."""

from pathlib import Path
from typing import Any

import click

from relay.cli.client import CannotDo
from relay.cli.options import no_option
from relay.cli.plan_files import as_text, write_plan
from relay.cli.printing import counted, plain
from relay.plans.files import MAX_BYTES, read_file
from relay.plans.importing import Imported, from_api, from_csv


@click.command("import")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o", "output", type=click.Path(path_type=Path), metavar="FILE", help="Where to; default: stdout."
)
@click.option("--name", metavar="NAME", callback=no_option, help="The plan's name, if nothing else says it.")
@click.option("--force", is_flag=True, help="Overwrite the file of -o.")
def import_(*, files: tuple[Path, ...], output: Path | None, name: str | None, force: bool) -> None:
    """Make one plan file of a tracking plan that Segment gave out.

    FILE is the CSV of a plan, or JSON of the Public API; of that there may be several: the plan, and each page of its
    rules.

    \b
    relay plan import plan.csv -o plans/web.json
    relay plan import plan.json rules-1.json rules-2.json -o plans/web.json
    """  # noqa: D301  click wants the character itself
    if output is not None and output.exists() and not force:
        raise CannotDo(f"{output} is there already: --force overwrites it")
    found = _imported(files, name or files[0].stem)
    if found.mistakes:
        raise CannotDo("\n".join(plain(mistake) for mistake in found.mistakes))
    for note in found.notes:
        click.echo(plain(f"note: {note}"), err=True)
    if output is None:
        click.echo(as_text(found.plan), nl=False)
    else:
        write_plan(output, found.plan)
    rules = found.plan["rules"]
    singles = sum(bool(rules.get(single)) for single in ("global", "identify", "group"))
    count = len(rules["events"]) + singles + len(rules.get("others", ()))
    click.echo(counted(count, "rule"), err=True)


def _imported(files: tuple[Path, ...], name: str) -> Imported:
    if any(_is_table(file) for file in files):
        if len(files) > 1:
            raise click.UsageError("one CSV is one plan: name one FILE")
        found = from_csv(_text(files[0]), name)
        return found._replace(mistakes=[f"{files[0]}:{mistake}" for mistake in found.mistakes])
    return from_api(map(_json, files), name)


def _is_table(file: Path) -> bool:
    """By its name, else by how it begins."""
    if file.suffix.lower() in (".csv", ".json"):
        return file.suffix.lower() == ".csv"
    return not _bytes(file)[:100].lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"["))


def _text(file: Path) -> str:
    try:
        return _bytes(file).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CannotDo(f"{file}: is no UTF-8") from None


def _bytes(file: Path) -> bytes:
    try:
        if file.stat().st_size > MAX_BYTES:
            raise CannotDo(f"{file}: has more than {MAX_BYTES:,} bytes")
        return file.read_bytes()
    except OSError as error:
        raise CannotDo(f"{file}: cannot be read: {error.strerror}") from None


def _json(file: Path) -> Any:
    raw, mistakes = read_file(file)
    if mistakes:
        raise CannotDo("\n".join(f"{file}: {mistake}" for mistake in mistakes))
    return raw

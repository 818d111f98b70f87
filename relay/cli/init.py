"""`relay init`: a relay.toml to begin with."""

import os
import secrets
from pathlib import Path

import click

from relay.cli.client import CannotDo
from relay.cli.config_file import DEFAULT_FILE
from relay.cli.options import json_option
from relay.cli.printing import print_json
from relay.config import template


@click.command()
@click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    default=DEFAULT_FILE,
    show_default=True,
    help="The file to write.",
)
@json_option
def init(file: Path, *, as_json: bool) -> None:
    """Write a commented relay.toml with fresh keys.

    It has one source, `web`, and names every setting with its default. Only you can read it: the write key and
    the admin token are in it. A file that is there already is never overwritten.
    """
    _write(file, template(secrets.token_urlsafe(24), secrets.token_urlsafe(24)))
    if as_json:
        print_json({"file": str(file), "source": "web"})
        return
    option = "" if file == Path(DEFAULT_FILE) else f" --config {file}"
    click.echo(
        f"{file} is written: one source, `web`, with a fresh write key, and a fresh admin token.\n"
        "Next:\n"
        f"  relay check{option}                      is it right? (after each change)\n"
        f"  relay serve{option}                      run it\n"
        f"  relay send track 'First Event'{option}   from another terminal: an event, and where it went"
    )


def _write(file: Path, text: str) -> None:
    """A new file for its owner only, whole or not at all."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise CannotDo(f"{file} is there already, and is left as it is") from None
    except OSError as error:
        raise CannotDo(f"{file} cannot be written: {error.strerror}") from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(text)
    except OSError as error:
        file.unlink(missing_ok=True)
        raise CannotDo(f"{file} cannot be written: {error.strerror}") from None

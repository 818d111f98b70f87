"""`relay snippet`: what a page needs in its `<head>`."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import click

from relay.browser.snippet import snippet as html
from relay.cli.config_file import require
from relay.cli.options import config_option, json_option
from relay.cli.printing import print_json
from relay.cli.running import Running


def _host(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """Callback of `--host`."""
    if value is None:
        return None
    text = value.rstrip("/")
    try:
        parts = urlsplit(text)
        is_host = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, an IPv6 address that is none
        is_host = False
    if not is_host or not re.fullmatch(r"https?://[A-Za-z0-9._:\[\]-]+", text):
        example = "https://www.example.com"
        raise click.BadParameter(
            f"must be scheme, name and port only, such as {example}; a prefix goes into relay.toml"
        )
    return text


@click.command()
@click.argument("source", required=False)
@click.option(
    "--host",
    metavar="URL",
    callback=_host,
    help="Where browsers reach relay, such as https://www.example.com; default: where relay.toml says it listens.",
)
@click.option("--readable", "is_readable", is_flag=True, help="As a person writes it; default: in few bytes.")
@config_option
@json_option
def snippet(
    source: str | None, *, host: str | None, is_readable: bool, file: Path | None, as_json: bool
) -> None:
    """Print the HTML that loads analytics.js, to be pasted into every page's <head>.

    SOURCE is a source of relay.toml; default: the first that is enabled. Paths are those of [browser].
    """
    running = Running(file)
    found = running.source(source)
    key = require(running.config, found.keys[0])
    at = host or running.public
    text = html(key, at, running.config.browser, is_readable=is_readable)
    if as_json:
        print_json({"source": found.name, "writeKey": key, "host": at, "html": text})
    else:
        click.echo(text, nl=False)

"""`relay destinations login` and `logout`: the tokens of a destination that takes OAuth."""

import sys
import time
import webbrowser
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from relay.cli.options import config_option, json_option
from relay.cli.printing import plain, print_json
from relay.cli.running import Running

POLL_SECONDS = 0.5


@click.command()
@click.argument("name")
@click.option(
    "--redirect-uri",
    metavar="URL",
    help="Where the vendor sends the browser back to, as registered there; it must lead to the admin listener.",
)
@click.option("--no-browser", is_flag=True, help="Only print the address of the vendor's page.")
@config_option
@json_option
def login(name: str, *, redirect_uri: str | None, no_browser: bool, file: Path | None, as_json: bool) -> None:
    """Log in to a destination that takes OAuth, on the vendor's page.

    Waits until the browser has come back, for ten minutes at most. Exit code 1 when it did not, or with no token.
    """
    running = Running(file)
    begun = running.post(f"{_at(name)}/login", {"redirectUri": redirect_uri})
    _show(begun, with_browser=not no_browser)
    found = _outcome(running, name, begun["expiresInSeconds"])
    if as_json:
        print_json(found)
    elif found["state"] == "done":
        click.echo(_done(found))
    else:
        click.echo(f"not logged in: {plain(found['reason'])}", err=True)
    sys.exit(found["state"] != "done")


@click.command()
@click.argument("name")
@config_option
@json_option
def logout(name: str, *, file: Path | None, as_json: bool) -> None:
    """Forget the tokens of a destination that takes OAuth.

    Those that relay.toml gives come into force again; without any, events wait for the next login. The vendor is
    not told.
    """
    found = Running(file).post(f"{_at(name)}/logout")
    if as_json:
        print_json(found)
    else:
        what = "the tokens of relay.toml are in force" if found["loggedIn"] else "its events wait for a login"
        click.echo(f"{name}: tokens forgotten; {what}")


def _at(name: str) -> str:
    return f"/v1/destinations/{quote(name, safe='')}"


def _show(begun: dict[str, Any], *, with_browser: bool) -> None:
    """Lead the person to the vendor's page. It is said on stderr, so that --json stays JSON."""
    click.echo(f"Open this page and let relay in:\n\n  {begun['url']}\n", err=True)
    click.echo(f"The vendor must know this redirect address: {begun['redirectUri']}", err=True)
    if with_browser:
        webbrowser.open(begun["url"])


def _outcome(running: Running, name: str, seconds: float) -> dict[str, Any]:
    """How the login ended; relay itself gives up when its time is over."""
    until = time.monotonic() + seconds + POLL_SECONDS * 4
    while True:
        found: dict[str, Any] = running.get(f"{_at(name)}/login")
        if found["state"] != "waiting" or time.monotonic() >= until:
            return found
        time.sleep(POLL_SECONDS)


def _done(found: dict[str, Any]) -> str:
    ends = found["expiresAt"]
    if ends is None or found["renews"]:
        return f"logged in to {found['destination']}"
    return (
        f"logged in to {found['destination']} until {ends}: the vendor gave nothing to renew the token with"
    )

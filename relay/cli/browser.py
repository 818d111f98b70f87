"""`relay browser install`: Segment's own analytics.js, on this machine."""

from pathlib import Path

import click

from relay.browser.analytics_next import LICENCE, NAME, PACKAGE, VERSION, versions
from relay.browser.install import install as install_library
from relay.cli.config_file import data_dir
from relay.cli.options import config_option, json_option
from relay.cli.printing import counted, print_json


@click.group()
def browser() -> None:
    """Install Segment's own analytics.js, to be served in place of relay's."""


@browser.command()
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help=f"Another folder than `{NAME}` in the data directory.",
)
@config_option
@json_option
def install(*, folder: Path | None, file: Path | None, as_json: bool) -> None:
    """Install Segment's own analytics.js, for `library = "analytics-next"`.

    npm fetches the package @segment/analytics-next by the version and the hash that come with relay; none of its code is
    run here. For a mirror of the registry set NPM_CONFIG_REGISTRY, or `registry` in .npmrc.
    """
    root = folder or data_dir(file) / NAME
    if not as_json and root / VERSION not in versions(root):
        click.echo(f"fetching {PACKAGE} {VERSION}", err=True)
    outcome = install_library(root)
    licence = outcome.folder / LICENCE
    if as_json:
        found = {"version": VERSION, "folder": str(outcome.folder), "files": outcome.files}
        print_json({**found, "wasThere": outcome.was_there, "notice": str(licence)})
        return
    done = "is installed" if outcome.was_there else "was installed"
    click.echo(f"{VERSION} {done}: {counted(outcome.files, 'file')}, in {outcome.folder}")
    click.echo(f"Segment's licence: {licence}")

"""relay.toml for commands: found and read.

`serve` and `check` want every `${NAME}` in it. Commands that talk to a running relay are often called where
its environment is not set: they get a configuration in which what is missing is marked, and complain only when
it is needed.
"""

import os
import tomllib
from pathlib import Path

from relay.config import Config, default, load
from relay.errors import ConfigError

DEFAULT_FILE = "relay.toml"
_MARK = ".unset.invalid"


class _Environment(dict[str, str]):
    """The environment; a variable that is not set gets a value that passes for a URL and for a text."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        return f"http://{name}{_MARK}"


def chosen(file: Path | None) -> Path | None:
    """The file that was named, else ./relay.toml if it is there."""
    return file or (Path(DEFAULT_FILE) if Path(DEFAULT_FILE).exists() else None)


def read(file: Path | None) -> Config:
    """The configuration, complete; ConfigError with every mistake in it."""
    file = chosen(file)
    return default() if file is None else load(file, os.environ)


def read_leniently(file: Path | None) -> Config:
    """The configuration; values that need a variable which is not set are marked."""
    file = chosen(file)
    if file is None:
        return default()
    try:
        return load(file, _Environment(os.environ))
    except ConfigError:
        load(file, os.environ)  # says what is wrong with the variables that really are there
        raise


def data_dir(file: Path | None) -> Path:
    """Where data is kept, also by a file with mistakes elsewhere: what would put them right may lie there."""
    try:
        config = read_leniently(file)
        return Path(require(config, config.server.data_dir))
    except ConfigError:
        found = _said(chosen(file) or Path(DEFAULT_FILE))
        if not isinstance(found, str) or "${" in found:
            raise
        return Path(found)


def _said(file: Path) -> object:
    """What a file says of `data_dir`, as it stands; None when it cannot be read."""
    try:
        server = tomllib.loads(file.read_text("utf-8")).get("server", {})
    except (OSError, ValueError):
        return None
    return server.get("data_dir", default().server.data_dir) if isinstance(server, dict) else None


def require(config: Config, value: str) -> str:
    """`value`, unless it is marked: then ConfigError that names the missing variable."""
    if _MARK in value and config.path is not None:
        load(config.path, os.environ)
    return value

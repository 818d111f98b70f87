"""`api.json` in the data directory: which plan an API connected to which source, and the controls that it set.

    {"sources": {"web": {"plan": "rs_…", "controls": {"allow_unplanned_track_events": false}}}}

What relay.toml says of a source counts more: an API does not touch it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import orjson

from relay.errors import ConfigError
from relay.plans.controls import Controls
from relay.plans.store import write_whole

NAME = "api.json"


class Connection(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What was set of one source. `controls`: only those that were set; the others are as they always are."""

    plan: str | None = None
    controls: dict[str, Any] = {}


class Connections(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that was set, by the source's name."""

    sources: dict[str, Connection] = {}

    def of(self, source: str) -> Connection:
        return self.sources.get(source, _NOTHING)

    def with_(self, source: str, connection: Connection) -> "Connections":
        """These, with another connection of one source."""
        sources = {**self.sources, source: connection}
        return Connections({name: one for name, one in sources.items() if one != _NOTHING})


_NOTHING = Connection()


def read_connections(data_dir: Path) -> Connections:
    """What was set; nothing when there is no file, or the data directory is not ours to look into."""
    file = data_dir / NAME
    try:
        file.stat()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return Connections()
    except (OSError, ValueError) as error:
        raise _broken(file, f"cannot be read: {getattr(error, 'strerror', None) or 'no file name'}") from None
    try:
        found = msgspec.json.decode(file.read_bytes(), type=Connections)
        for one in found.sources.values():
            checked_controls(one.controls)
    except OSError as error:
        raise _broken(file, f"cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # ValidationError and UnicodeDecodeError too
        raise _broken(file, str(error)) from None
    return found


def write_connections(data_dir: Path, connections: Connections) -> None:
    """Keep `connections` instead of what was there."""
    text = orjson.dumps(msgspec.to_builtins(connections), option=orjson.OPT_INDENT_2)
    write_whole(data_dir / NAME, text + b"\n")


def checked_controls(said: Mapping[str, Any]) -> Controls:
    """The controls that are said, with the others as they always are. ValidationError when one is wrong."""
    return msgspec.convert(said, Controls)


def _broken(file: Path, what: str) -> ConfigError:
    return ConfigError(f"{file}: {what}")

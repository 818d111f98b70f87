"""`relay destinations TYPE --field ACTION.FIELD`: what the vendor offers for a field, such as its lists or campaigns.

Segment's code asks the vendor, by requests that really leave, with the settings of a destination in relay.toml. Where a
field depends on others of its action, the fixed values count that the mapping of its subscription gives them.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from relay.cli.bridging import choices
from relay.cli.client import CannotDo
from relay.cli.config_file import read
from relay.cli.printing import plain, print_json, print_table
from relay.config import Config
from relay.config_errors import suggestion
from relay.delivery.config import DestinationConfig
from relay.destinations.bridge.catalogue import Bridged
from relay.destinations.catalogue import installed
from relay.destinations.secrets import mask, secrets_of

PAGES = 20  # of a vendor's choices


def show_choices(type_: str, field: str, configured: str | None, file: Path | None, *, as_json: bool) -> None:
    """Print them. Raises CannotDo."""
    config = read(file)
    declared = _declared(type_, config)
    destination = _destination(type_, declared, configured, config)
    action, _, name = field.partition(".")
    fields = {one["name"]: one.get("dynamicFields") or () for one in declared.actions}
    if action not in fields:
        raise click.UsageError(f"`{type_}` has no action `{plain(action)}`{suggestion(action, fields)}")
    if name.partition(".")[0] not in fields[action]:
        raise click.UsageError(f"`{action}` has no such field to look up{suggestion(name, fields[action])}")
    asked = {"action": action, "field": name, "payload": _payload(action, destination)}
    found = asyncio.run(_all(config, destination, declared, asked))
    if as_json:
        print_json({"choices": found})
    elif found:
        rows = [(one.get("value"), one.get("label"), one.get("description")) for one in found]
        print_table(("value", "label", "what"), rows)
    else:
        click.echo("the vendor offers none")


async def _all(
    config: Config, destination: DestinationConfig, declared: Bridged, asked: dict[str, Any]
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    masked = mask(secrets_of(config.settings[destination.name]))
    for _ in range(PAGES):
        answer = await choices(config, destination, declared, asked)
        said = answer.get("field") or {}
        if error := answer.get("error") or said.get("error"):
            raise CannotDo(f"{destination.name}: {masked(plain(error.get('message')))}")
        found += said.get("choices") or ()
        if not said.get("nextPage"):
            break
        asked = {**asked, "page": said["nextPage"]}
    return found


def _declared(type_: str, config: Config) -> Bridged:
    catalogue = installed(Path(config.server.data_dir))
    if catalogue is None:
        raise CannotDo("looking up a field needs Segment's own destinations: relay destinations install")
    declared = catalogue.find(type_)
    if declared is None:
        raise CannotDo(f"Segment has no destination `{type_}`: nothing of it can be looked up")
    return declared


def _destination(type_: str, declared: Bridged, configured: str | None, config: Config) -> DestinationConfig:
    """The one called `configured`, or the only one of this type; relay's own have the same settings."""
    known = [one for one in config.destinations if one.type in (type_, declared.type, declared.slug)]
    found = [one for one in known if configured in (None, one.name)]
    if len(found) == 1:
        return found[0]
    if not known:
        raise CannotDo(f"no destination of relay.toml has the type `{type_}`: its settings are needed to ask")
    names = ", ".join(one.name for one in known)
    raise click.UsageError(f"--name must be one of {names}")


def _payload(action: str, destination: DestinationConfig) -> dict[str, Any]:
    """The fixed values that a subscription has for this action's fields."""
    mappings = [one.mapping or {} for one in destination.subscriptions or () if one.action == action]
    return {key: value for key, value in (mappings[0] if mappings else {}).items() if _is_fixed(value)}


def _is_fixed(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(not key.startswith("@") and _is_fixed(one) for key, one in value.items())
    return all(map(_is_fixed, value)) if isinstance(value, list) else True

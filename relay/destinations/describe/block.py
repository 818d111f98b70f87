"""A ready `[[destinations]]` for relay.toml: what is needed comes from the environment, the rest is commented out."""

import json
import re

import msgspec

from relay.destinations.base import Destination
from relay.destinations.describe.settings import Setting, settings_of
from relay.destinations.device import DEVICE_ONLY
from relay.destinations.oauth import OAuthDestination

_SAMPLE = "https://www.example.com"  # passes for a text and for a URL


def block_of(
    name: str, kind: type[Destination], *, needs_subscriptions: bool, engine: str | None = None
) -> str:
    """The block as text. `engine`: the one to be named."""
    settings = {setting.name: setting for setting in settings_of(kind) if "." not in setting.name}
    lines = ["[[destinations]]", f'name = "{name}"', f'type = "{name}"']
    if engine is not None:
        lines.append(f'engine = "{engine}"')
    if name in DEVICE_ONLY:
        lines.append('mode = "device"')
    if kind.needs_endpoint:
        lines.append(f"endpoint = {_variable(name, 'endpoint')}")
    if needs_subscriptions:
        lines.append(f'# subscriptions = "{name}.json"  # nothing is sent without: there are no presets')
    if settings:
        needed = _needed(kind, settings)
        lines += ["", "[destinations.settings]"]
        lines += [
            _line(name, kind, setting, is_needed=setting.name in needed) for setting in settings.values()
        ]
    return "\n".join(lines) + "\n"


def _line(name: str, kind: type[Destination], setting: Setting, *, is_needed: bool) -> str:
    if setting.name == "oauth" and issubclass(kind, OAuthDestination):
        pair = (f"{key} = {_variable(name, key)}" for key in ("clientId", "clientSecret"))
        return f"oauth = {{ {', '.join(pair)} }}"
    line = f"{setting.name} = {_value(name, setting)}"
    return line if is_needed else f"# {line}"


def _value(name: str, setting: Setting) -> str:
    if setting.default is None:
        return _variable(name, setting.name)
    return json.dumps(setting.default, ensure_ascii=False)


def _variable(name: str, setting: str) -> str:
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", setting)
    return f'"${{{f"{name}_{snake}".replace("-", "_").upper()}}}"'


def _needed(kind: type[Destination], settings: dict[str, Setting]) -> set[str]:
    """The settings without which there is no such destination.

    Those are the required ones; where they are not enough, the first beside them that makes them so.
    """
    required = {name for name, setting in settings.items() if setting.required}
    if _is_enough(kind, required):
        return required
    optional = (name for name, setting in settings.items() if setting.type == "text" and not setting.required)
    return required | next(({name} for name in optional if _is_enough(kind, {*required, name})), set())


def _is_enough(kind: type[Destination], names: set[str]) -> bool:
    try:
        made = msgspec.convert(dict.fromkeys(names, _SAMPLE), kind)
    except msgspec.ValidationError:
        return False
    return made.missing(has_subscriptions=False) is None

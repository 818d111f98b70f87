"""What of the configuration may be shown: the values in force, without secrets.

A secret setting is `[secret]`; so is, wherever another value repeats it, its text. Of URLs the password and what stands
in the query are hidden, of mappings the headers, of transformations the key: keys are put there.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec
import orjson

from relay.destinations.base import Destination
from relay.destinations.describe.settings import Setting, settings_of
from relay.destinations.secrets import SHOWN, Mask, mask, secrets_of
from relay.times import Duration, Size

_UNITS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))
_BYTES = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "KB"))


class ShownSetting(msgspec.Struct, frozen=True):
    """A setting of a destination with its value in force, "" for none."""

    setting: Setting
    value: str


def settings_shown(settings: Destination) -> Iterator[ShownSetting]:
    """Every setting; what is inside a secret one is not named."""
    masked = mask(secrets_of(settings))
    values = msgspec.to_builtins(settings)
    hidden = ""
    for one in settings_of(type(settings)):
        if hidden and one.name.startswith(hidden):
            continue
        value = _inside(values, one.name)
        if one.secret:
            hidden = f"{one.name}."
            yield ShownSetting(one, SHOWN if _is_given(value) else "")
        elif not isinstance(value, Mapping) or one.type != "table":  # its own settings follow
            yield ShownSetting(one, text_of(value, masked))


def text_of(value: Any, masked: Mask = lambda text: text) -> str:
    """A value of the configuration as relay.toml would have it, nearly; "" for none."""
    if value is None:
        return ""
    if isinstance(value, Duration | Size):
        return _measured(value)
    if isinstance(value, str):
        return masked(_without_keys(value))
    return masked(orjson.dumps(harmless(msgspec.to_builtins(value))).decode())


def harmless(value: Any) -> Any:
    """Builtins without the keys that mappings, filters and transformations may hold."""
    if isinstance(value, str):
        return _without_keys(value)
    if isinstance(value, list | tuple):
        return [harmless(item) for item in value]
    if isinstance(value, dict):
        return {name: _member(name, item, value) for name, item in value.items()}
    return value


def _member(name: Any, item: Any, of: Mapping[Any, Any]) -> Any:
    if name == "headers" and isinstance(item, Mapping):
        return dict.fromkeys(item, SHOWN)
    if name == "key" and "algorithm" in of and item is not None:
        return SHOWN
    return harmless(item)


def _without_keys(text: str) -> str:
    """A URL without its password and the values in its query; any other text as it is."""
    if not text.startswith(("http://", "https://")):
        return text
    try:
        parts = urlsplit(text)
    except ValueError:
        return text
    user, at, host = parts.netloc.rpartition("@")
    query = "&".join(map(_without_value, parts.query.split("&"))) if parts.query else ""
    return urlunsplit((parts.scheme, (SHOWN if user else "") + at + host, parts.path, query, ""))


def _without_value(pair: str) -> str:
    name, is_pair, _ = pair.partition("=")
    return f"{name}={SHOWN}" if is_pair else SHOWN


def _inside(values: Any, name: str) -> Any:
    for part in name.split("."):
        values = values.get(part) if isinstance(values, Mapping) else None
    return values


def _is_given(value: Any) -> bool:
    """A table of settings is when any of them is."""
    return any(map(_is_given, value.values())) if isinstance(value, Mapping) else value not in (None, "", [])


def _measured(value: Duration | Size) -> str:
    units = _UNITS if isinstance(value, Duration) else _BYTES
    for size, unit in units:
        if value >= size and value % size == 0:
            return f"{int(value // size)}{unit}"
    return f"{round(value * 1000)}ms" if isinstance(value, Duration) else f"{value} bytes"

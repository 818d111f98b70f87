"""The configuration as relay runs it: every key with its value, and where that comes from.

relay.toml:12           the line of the file
relay.toml:12, $NAME    the line, and the environment variable that it names
api.json                set by one of the plan APIs
made by relay           a key that is kept in the data directory
default
"""

import re
import tomllib
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from relay.config_lines import Lines, Place
from relay.console.shown import settings_shown, text_of
from relay.destinations.secrets import SHOWN

_SECRET = frozenset(("admin_token", "read_token", "encryption_key", "password", "secret", "slack", "webhook"))
_WRITE_KEYS = frozenset(("write_key", "write_keys"))
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_TABLES = ("server", "log", "browser", "integrations", "violations")

MADE, DEFAULT, API = "made by relay", "default", "api.json"


class Row(NamedTuple):
    """One key. `value`: "" for none."""

    key: str
    value: str
    origin: str

    @property
    def is_default(self) -> bool:
        return self.origin == DEFAULT


class Section(NamedTuple):
    """One table of relay.toml."""

    title: str
    rows: list[Row]


def written(config: Any) -> dict[str, Any]:
    """relay.toml as it is written, its variables not filled in."""
    return tomllib.loads(config.text)


def sections(config: Any) -> list[Section]:
    """Every table, those that the file does not name too."""
    return list(_Sections(config).all())


class _Sections:
    def __init__(self, config: Any) -> None:
        self._config = config
        self._raw = written(config)
        self._lines = Lines(config.text)
        self._file = "" if config.path is None else config.path.name

    def all(self) -> Iterator[Section]:
        config = self._config
        for name in _TABLES:
            yield Section(f"[{name}]", list(self._rows(getattr(config, name), (name,))))
        for index, source in enumerate(config.sources):
            rows = [self._of_plans(source.name, row) for row in self._rows(source, ("sources", index))]
            yield Section(f"[[sources]] {source.name}", rows)
        for index, destination in enumerate(config.destinations):
            place = ("destinations", index)
            rows = [*self._rows(destination, place, without="settings"), *self._settings(destination, place)]
            yield Section(f"[[destinations]] {destination.name}", rows)
        if config.smtp is not None:
            yield Section("[smtp]", list(self._rows(config.smtp, ("smtp",))))
        for index, alert in enumerate(config.alerts):
            yield Section(f"[[alerts]] {alert.name}", list(self._rows(alert, ("alerts", index))))

    def _rows(self, table: Any, place: Place, without: str = "") -> Iterator[Row]:
        """The keys of a table, and with dots those of tables in it."""
        for field in msgspec.structs.fields(type(table)):
            key, value = field.encode_name, getattr(table, field.name)
            if key == without:
                continue
            if isinstance(value, msgspec.Struct):
                for row in self._rows(value, (*place, key)):
                    yield row._replace(key=f"{key}.{row.key}")
            else:
                yield Row(key, _shown(key, value, place), self._origin((*place, key), key))

    def _settings(self, destination: Any, place: Place) -> Iterator[Row]:
        for one in settings_shown(self._config.settings[destination.name]):
            where = (*place, "settings", *one.setting.name.split("."))
            yield Row(f"settings.{one.setting.name}", one.value, self._origin(where, ""))

    def _of_plans(self, source: str, row: Row) -> Row:
        """What the file leaves to an API, as an API may have set it."""
        config = self._config
        if row.key == "plan" and (source, "plan") not in config.in_file and source in config.plan_files:
            return Row("plan", str(config.plan_files[source]), API)
        if row.key.startswith("controls.") and row.is_default and (source, "controls") not in config.in_file:
            key = row.key.removeprefix("controls.")
            mine = next(one.controls for one in config.sources if one.name == source)
            if getattr(mine, key) != getattr(type(mine)(), key):
                return row._replace(origin=API)
        return row

    def _origin(self, place: Place, key: str) -> str:
        given: Any = self._raw
        for part in place:
            try:
                given = given[part]
            except (LookupError, TypeError):
                return MADE if self._is_made(place, key) else DEFAULT
        names = "".join(f", ${name}" for name in sorted(set(_variables(given))))
        file = f", {given}" if key == "subscriptions" and isinstance(given, str) else ""
        return f"{self._file}:{self._lines[place]}{names}{file}"

    def _is_made(self, place: Place, key: str) -> bool:
        return key == "admin_token" or (
            key in ("name", "write_key") and place[0] == "sources" and "sources" not in self._raw
        )


def _shown(key: str, value: Any, place: Place) -> str:
    if key == "admin_token":
        return SHOWN
    if key in _SECRET or key in _WRITE_KEYS:
        return SHOWN if value else ""
    if place == ("integrations",) and key == "secrets":
        return text_of(dict.fromkeys(value, SHOWN))
    return text_of(value)


def _variables(given: Any) -> Iterator[str]:
    if isinstance(given, str):
        yield from _VARIABLE.findall(given)
    elif isinstance(given, dict):
        for item in given.values():
            yield from _variables(item)
    elif isinstance(given, list):
        for item in given:
            yield from _variables(item)

"""relay.toml to structs. Each room defines its own section; this file puts them together.

`load` reports every mistake at once, each with its line:

    relay.toml:7: unknown key `write_kye`, did you mean `write_key`?
    relay.toml:17: Expected `float | null`, got `str` - at `rate_limit`

First each key by itself (known, of the right type, of a sensible value), then what keys say together. No
value gets into a sentence that could be a secret. `template.toml` is the commented example; the same text
stands as relay.toml in the repository.
"""

import json
import os
import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from relay.alerts.config import AlertConfig, SmtpConfig
from relay.browser.config import BrowserConfig
from relay.config_alerts import alerts_of, check_alerts, clear_passwords, smtp_of
from relay.config_checks import CHECKS, fql, parse_address
from relay.config_connections import with_connections
from relay.config_consent import check_managers
from relay.config_device import check_devices
from relay.config_errors import Problems, Table, convert, expand, explain, nearest, read_table, suggestion
from relay.config_lines import Lines, Place
from relay.config_oauth import oauth_notes
from relay.config_plans import check_forwarding, in_file, load_plans, plan_files, read_controls
from relay.config_segment import check_segment, segment_notes
from relay.config_subscriptions import mistakes_of, notes_of, read_subscriptions
from relay.delivery.config import DestinationConfig
from relay.destinations import catalogue
from relay.destinations.base import Destination
from relay.destinations.bridge.config import IntegrationsConfig
from relay.destinations.transformations import mistakes
from relay.errors import ConfigError
from relay.gateway.config import ServerConfig, SourceConfig
from relay.log.config import LogConfig
from relay.plans.compile import CompiledPlan
from relay.plans.config import ViolationsConfig
from relay.plans.connections import read_connections
from relay.plans.controls import Controls

DEFAULT_SOURCE = "default"  # the one source when relay.toml names none

_TABLES = (
    "server",
    "log",
    "browser",
    "integrations",
    "violations",
    "smtp",
    "alerts",
    "sources",
    "destinations",
)


class Config(msgspec.Struct, frozen=True):
    """A valid configuration.

    `sources` is empty when the file names none: there is one then, by the name of `DEFAULT_SOURCE`, whose
    write key is kept in the data directory.
    """

    server: ServerConfig
    log: LogConfig
    sources: tuple[SourceConfig, ...]
    destinations: tuple[DestinationConfig, ...]
    settings: Mapping[str, Destination]  # by the destination's name
    path: Path | None  # None: there is no file
    text: str = ""  # of that file, as it was read
    browser: BrowserConfig = BrowserConfig()
    integrations: IntegrationsConfig = IntegrationsConfig()
    violations: ViolationsConfig = ViolationsConfig()
    plans: Mapping[str, CompiledPlan] = {}
    plan_files: Mapping[str, Path] = {}  # of those plans
    in_file: Mapping[tuple[str, str], str] = {}  # where the file has what has to do with plans
    default_source: str = DEFAULT_SOURCE
    default_controls: Controls = Controls()  # its own, as an API set them
    alerts: tuple[AlertConfig, ...] = ()
    smtp: SmtpConfig | None = None
    notes: tuple[str, ...] = ()  # what works, and may not be what was meant


def default() -> Config:
    """Give what holds without a file: one source, its key made in the data directory, nowhere to deliver."""
    return with_connections(Config(ServerConfig(), LogConfig(), (), (), {}, None))


def with_generated(config: Config, secret: Callable[[str], str]) -> Config:
    """Add the default source, with the write key that `secret` keeps, when there is none."""
    if config.sources:
        return config
    source = SourceConfig(
        name=DEFAULT_SOURCE, write_key=secret("write_key"), controls=config.default_controls
    )
    return msgspec.structs.replace(config, sources=(source,))


def template(admin_token: str, write_key: str) -> str:
    """Write the commented relay.toml with one source and these two keys."""
    text = resources.files("relay").joinpath("template.toml").read_text("utf-8")
    for commented, active in (
        ('# admin_token = "${RELAY_ADMIN_TOKEN}"', f"admin_token = {json.dumps(admin_token)}"),
        ("# [[sources]]", "[[sources]]"),
        ('# name = "web"', 'name = "web"'),
        ('# write_key = "WRITE_KEY"', f"write_key = {json.dumps(write_key)}"),
    ):
        text = text.replace(commented, active, 1)
    return text


def load(path: Path, environ: Mapping[str, str]) -> Config:
    """Read the configuration from the file; `ConfigError` with every mistake in it."""
    try:
        text = _read(path)
        raw = _parse(path, text)
        problems = Problems(str(path), Lines(text))
        config = _config(expand(raw, environ, (), problems.unset), environ, path, problems)
        return with_connections(msgspec.structs.replace(config, text=text))
    except RecursionError:
        raise ConfigError(f"{path}: nested too deeply") from None


def _read(path: Path) -> str:
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a name no file can have
        reason = getattr(error, "strerror", None) or "not a file name"
        raise ConfigError(f"{path}: cannot be read: {reason}") from None
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line}: not UTF-8 text") from None


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except ValueError as error:  # mostly TOMLDecodeError; a number of 5000 digits is a plain ValueError
        sentence, _, where = str(error).partition(" (at ")
        found = re.match(r"line (\d+)", where)
        line = int(found[1]) if found else text.rstrip().count("\n") + 1
        raise ConfigError(f"{path}:{line}: not valid TOML: {sentence}") from None


def _config(raw: dict[str, Any], environ: Mapping[str, str], path: Path, problems: Problems) -> Config:
    server = _single(raw, "server", ServerConfig, problems)
    log = _single(raw, "log", LogConfig, problems)
    browser = _single(raw, "browser", BrowserConfig, problems)
    integrations = _single(raw, "integrations", IntegrationsConfig, problems)
    violations = _single(raw, "violations", ViolationsConfig, problems)
    smtp = _single(raw, "smtp", SmtpConfig, problems) if "smtp" in raw else None
    alerts = _several(raw, "alerts", AlertConfig, problems)
    read_controls(raw, problems)
    sources = _several(raw, "sources", SourceConfig, problems)
    _read_subscriptions(raw, environ, path, problems)
    destinations = _several(raw, "destinations", DestinationConfig, problems)
    for key in [key for key in raw if key not in _TABLES]:
        problems.add_key((key,), f"unknown key `{key}`{suggestion(key, _TABLES)}")
    _check_server(server, path, problems)
    _check_sources(sources, problems)
    check_forwarding(sources, problems)
    check_segment(sources, problems)
    check_managers(sources, browser, problems)
    _check_unique(alerts, ("name",), "this name is already taken", problems)
    to = [destination.values["name"] for destination in destinations if "name" in destination.values]
    check_alerts(alerts, smtp, _names_of(sources), to, problems)
    data_dir = Path(server.values.get("data_dir") or ServerConfig().data_dir)
    folder = path.absolute().parent
    plans = load_plans(sources, folder, problems, read_connections(data_dir))
    settings = _check_destinations(destinations, sources, data_dir, problems)
    problems.check()
    return Config(
        server=ServerConfig(**server.values),
        log=LogConfig(**log.values),
        sources=tuple(SourceConfig(**source.values) for source in sources),
        destinations=tuple(DestinationConfig(**destination.values) for destination in destinations),
        settings=settings,
        path=path,
        browser=BrowserConfig(**browser.values),
        integrations=IntegrationsConfig(**integrations.values),
        violations=ViolationsConfig(**violations.values),
        plans=plans,
        plan_files=plan_files(sources, folder),
        in_file=in_file(raw, sources, path, problems),
        alerts=alerts_of(alerts),
        smtp=smtp_of(smtp),
        notes=(
            *_notes(destinations, settings, path, problems),
            *oauth_notes(server, settings, path),
            *segment_notes(sources, destinations, settings, path, problems),
            *clear_passwords(smtp, path),
        ),
    )


def _read_subscriptions(
    raw: dict[str, Any], environ: Mapping[str, str], path: Path, problems: Problems
) -> None:
    """Replace every `subscriptions` that can be read by what it says."""
    tables = raw.get("destinations")
    for index, table in enumerate(tables if isinstance(tables, list) else ()):
        if not isinstance(table, dict) or "subscriptions" not in table:
            continue
        place = ("destinations", index, "subscriptions")
        given = table["subscriptions"]
        if isinstance(given, str):
            problems.files[place] = given
        found, mistakes = read_subscriptions(given, path.absolute().parent, environ)
        if mistakes:  # those that can be read are not looked into: they would be counted without the others
            said = f"`subscriptions`: {problems.file_of(place)}"
            problems.unset(place, [said + mistake for mistake in mistakes])
        table["subscriptions"] = [msgspec.to_builtins(one) for one in found]


def _notes(
    destinations: list[Table], settings: Mapping[str, Destination], path: Path, problems: Problems
) -> Iterator[str]:
    for destination in destinations:
        kind = type(settings[destination.values["name"]])
        place = (*destination.place, "subscriptions")
        for note in notes_of(kind, destination.values["subscriptions"]):
            yield f"{path}:{problems.line(place)}: {problems.file_of(place)}{note}"


def _single(raw: Mapping[str, Any], key: str, struct: type[msgspec.Struct], problems: Problems) -> Table:
    table = raw.get(key, {})
    if not isinstance(table, dict):
        problems.add((key,), f"`{key}` is one table: write `[{key}]`")
        return Table((key,), {})
    return _table(struct, table, (key,), problems)


def _several(
    raw: Mapping[str, Any], key: str, struct: type[msgspec.Struct], problems: Problems
) -> list[Table]:
    tables = raw.get(key, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        problems.add((key,), f"`{key}` is a list of tables: write `[[{key}]]`")
        return []
    return [_table(struct, table, (key, index), problems) for index, table in enumerate(tables)]


def _table(struct: type[msgspec.Struct], raw: dict[str, Any], place: Place, problems: Problems) -> Table:
    table = read_table(struct, raw, place, problems)
    for key, complaint in CHECKS[struct].items():
        for where, value in _each(table, key):
            if sentence := complaint(value):
                problems.add(where, f"`{key}` {sentence}")
    return table


def _each(table: Table, key: str) -> Iterator[tuple[Place, Any]]:
    value = table.values.get(key)
    if isinstance(value, tuple):
        yield from table.items(key)
    elif value is not None:
        yield (*table.place, key), value


# what several keys say together


def _check_server(server: Table, path: Path, problems: Problems) -> None:
    values = server.values
    if _is_same_address(values.get("listen"), values.get("admin")):
        problems.add((*server.place, "admin"), "`admin` must differ from `listen`: who may send may not look")
    if values.get("read_token") and values["read_token"] == values.get("admin_token"):
        problems.add((*server.place, "read_token"), "`read_token` must differ from `admin_token`")
    for key, other in (("tls_cert", "tls_key"), ("tls_key", "tls_cert")):
        if values.get(key) is None:
            continue
        if other in values and values[other] is None:
            problems.add((*server.place, key), f"`{key}` needs `{other}`")
        values[key] = os.path.join(path.absolute().parent, values[key])  # noqa: PTH118  text stays text
        if not os.path.isfile(values[key]):  # noqa: PTH113  never raises
            problems.add(
                (*server.place, key), f"`{key}`: there is no such file (seen from this file's folder)"
            )


def _is_same_address(one: str | None, other: str | None) -> bool:
    try:
        host, port = parse_address(one or "")
        other_host, other_port = parse_address(other or "")
    except ValueError:
        return False
    return port == other_port != 0 and host.lower() == other_host.lower()  # 0: any free port


def _check_sources(sources: list[Table], problems: Problems) -> None:
    _check_unique(sources, ("name",), "this name is already taken", problems)
    _check_unique(sources, ("write_key", "write_keys"), "this write key is already used", problems)
    for source in sources:
        _check_transformations(source, problems)
        if source.values.get("write_key", "") is None and source.values.get("write_keys") == ():
            problems.add(source.place, "missing key `write_key`")


def _names_of(sources: list[Table]) -> list[str]:
    return [source.values["name"] for source in sources if "name" in source.values] or [DEFAULT_SOURCE]


def _check_unique(tables: list[Table], keys: Collection[str], sentence: str, problems: Problems) -> None:
    first: dict[Any, Place] = {}
    for table in tables:
        for key in keys:
            for place, value in _each(table, key):
                if first.setdefault(value, place) != place:
                    problems.add(place, f"{sentence} at line {problems.line(first[value])}")


def _check_destinations(
    destinations: list[Table], sources: list[Table], data_dir: Path, problems: Problems
) -> dict[str, Destination]:
    """Return the settings of every destination, by its name."""
    _check_unique(destinations, ("name",), "this name is already taken", problems)
    known = _names_of(sources)
    settings = {}
    for destination in destinations:
        for place, name in destination.items("sources"):
            if name not in known:
                problems.add(place, f"unknown source `{name}`{suggestion(name, known)}")
        for place, each in destination.items("filters"):
            if complaint := fql(each.condition):
                problems.add((*place, "if"), f"`if` {complaint}")
        _check_transformations(destination, problems)
        built = _check_type(destination, data_dir, problems)
        if built is not None and "name" in destination.values:
            settings[destination.values["name"]] = built
    check_devices(destinations, problems)
    return settings


def _check_transformations(table: Table, problems: Problems) -> None:
    for place, each in table.items("transformations"):
        for inside, sentence in mistakes(each):
            problems.add((*place, *inside), sentence)


def _check_type(destination: Table, data_dir: Path, problems: Problems) -> Destination | None:
    name = destination.values.get("type")
    if name is None:
        return None
    try:
        kind = catalogue.find(name, destination.values.get("engine"), data_dir)
    except catalogue.UnknownType as error:
        near = suggestion(name, error.known) if error.known else ""
        more = "" if nearest(name, error.known) else error.more
        problems.add((*destination.place, "type"), f"{error}{near}{more}")
        return None
    size = destination.values.get("batch_size")
    if size is not None and size > kind.max_batch:
        most = f"`batch_size` of `{name}` is {kind.max_batch} at most"
        problems.add((*destination.place, "batch_size"), most)
    if kind.needs_endpoint and "endpoint" in destination.values and destination.values["endpoint"] is None:
        problems.add(destination.place, f"missing key `endpoint`: `{name}` has no place of its own")
    subscriptions = destination.values.get("subscriptions")
    if subscriptions is not None:
        said = (*destination.place, "subscriptions")
        for mistake in mistakes_of(kind, subscriptions):
            problems.add(said, f"`subscriptions`: {problems.file_of(said)}{mistake}")
    built = _settings(kind, destination, problems)
    if built is not None and (missing := built.missing(has_subscriptions=subscriptions is not None)):
        problems.add((*destination.place, "settings"), missing)
    return built


def _settings(kind: type[Destination], destination: Table, problems: Problems) -> Destination | None:
    raw = destination.values.get("settings")
    if raw is None:
        return None
    place = (*destination.place, "settings")
    before = len(problems)
    read_table(kind, raw, place, problems, word="setting")
    if len(problems) > before or problems.is_incomplete(place):
        return None
    try:
        built: Destination = convert(raw, kind)
    except msgspec.ValidationError as error:  # what the settings say together
        problems.add(place, explain(error))
        return None
    return built

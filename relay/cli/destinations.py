"""`relay destinations`: every type of destination there is; with a type, all about it.

relay's own types, those that are there in the browser only, and Segment's where they are installed. A type that both have is
shown as relay runs it; with `--engine bridge` as Segment's code does.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click
import msgspec

from relay.cli.client import CannotDo
from relay.cli.config_file import data_dir
from relay.cli.field import show_choices
from relay.cli.integrations import install, remove, upgrade
from relay.cli.login import login, logout
from relay.cli.options import config_option, json_option
from relay.cli.printing import plain, print_json, print_table
from relay.config_errors import nearest
from relay.destinations import CATALOGUE
from relay.destinations.actions import ActionDestination
from relay.destinations.base import Destination
from relay.destinations.bridge.kinds import BridgedDestination, kind_of
from relay.destinations.catalogue import BRIDGE, NATIVE, UnknownType, find, installed
from relay.destinations.describe import ActionRow, Description, batches_of, describe
from relay.destinations.describe.mapping import Place, readable
from relay.destinations.describe.settings import Setting, settings_of
from relay.destinations.device import DEVICE_ONLY
from relay.destinations.oauth import OAuthDestination

_BROWSER = "browser"  # what runs the types of device mode alone


class _Types(click.Group):
    """A group of which every type of destination is a command too, without standing in the list of commands.

    Whether there is such a type is known when its own options are, since --config may be among them.
    """

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return super().get_command(ctx, name) or (None if name.startswith("-") else _of_type(name))


@click.group(
    cls=_Types,
    invoke_without_command=True,
    subcommand_metavar="[TYPE [OPTIONS] | login NAME | logout NAME | install | upgrade | remove]",
)
@config_option
@json_option
@click.pass_context
def destinations(ctx: click.Context, *, file: Path | None, as_json: bool) -> None:
    """List the types of destinations, or show one.

    With a TYPE: its settings, limits, actions and presets, and a block for relay.toml. With --subscriptions after
    it: only the presets, to be saved as a file and edited.

    Segment's own are among them once they are installed; those that relay has too are shown as relay runs them,
    and with --engine bridge after the TYPE as Segment's code does.
    """
    if ctx.invoked_subcommand is not None:
        return
    listed = list(_listed(data_dir(file)))
    if as_json:
        print_json({"destinations": [_in_short(one) for one in listed]})
        return
    columns = ("type", "title", "engine", "settings", "what")
    rows = [(it.name, it.title, ", ".join(it.engines), _settings_in_short(it), it.what) for it in listed]
    print_table(columns, rows)
    if not any(BRIDGE in it.engines for it in listed):
        click.echo("\nMore than two hundred more are Segment's own: relay destinations install")


for command in (login, logout, install, upgrade, remove):
    destinations.add_command(command)


class _Listed(NamedTuple):
    """A type in the list. `what`: a sentence, or why it cannot be used."""

    name: str
    engines: tuple[str, ...]
    kind: type[Destination]
    what: str
    unsupported: str | None = None

    @property
    def title(self) -> str:
        return self.kind.title

    @property
    def settings(self) -> list[Setting]:
        return list(settings_of(self.kind))


def _listed(data: Path) -> Iterator[_Listed]:
    """Every type: relay's own first."""
    found = installed(data)
    bridged = {} if found is None else found.by_type
    for name, kind in CATALOGUE.items():
        yield _Listed(name, (NATIVE, BRIDGE) if name in bridged else (NATIVE,), kind, kind.summary)
    for name, kind in DEVICE_ONLY.items():
        yield _Listed(name, (_BROWSER,), kind, kind.summary)
    for name, one in sorted(bridged.items()):
        if name not in CATALOGUE and name not in DEVICE_ONLY:
            why = one.unsupported
            yield _Listed(
                name, () if why else (BRIDGE,), kind_of(one), f"cannot be used: {why}" if why else "", why
            )


def _in_short(it: _Listed) -> dict[str, Any]:
    has_login = issubclass(it.kind, OAuthDestination) and bool(it.kind.oauth_at.authorize_url)
    return {
        "type": it.name,
        "title": it.title,
        "engines": it.engines,
        "summary": it.kind.summary,
        "unsupported": it.unsupported,
        "hasLogin": has_login,
        "settings": msgspec.to_builtins(it.settings),
    }


def _settings_in_short(it: _Listed) -> str:
    """Names; those that are not required in brackets."""
    outer = [setting for setting in it.settings if "." not in setting.name]
    return " ".join(setting.name if setting.required else f"[{setting.name}]" for setting in outer)


def _file(ctx: click.Context | None) -> Path | None:
    return None if ctx is None else ctx.params.get("file")


def _of_type(name: str) -> click.Command:
    """The command that shows one type."""

    @click.command(name, help=f"Show all about the type `{name}`.")
    @click.option(
        "--subscriptions", is_flag=True, help="Only its presets, as JSON: a file for `subscriptions`."
    )
    @click.option("--engine", type=click.Choice((NATIVE, BRIDGE)), help="As this engine runs it.")
    @click.option(
        "--field",
        metavar="ACTION.FIELD",
        help="What the vendor offers for a field, asked with the settings of relay.toml.",
    )
    @click.option("--name", "configured", metavar="NAME", help="With --field: which destination's settings.")
    @config_option
    @json_option
    @click.pass_context
    def show(
        ctx: click.Context,
        *,
        subscriptions: bool,
        engine: str | None,
        field: str | None,
        configured: str | None,
        file: Path | None,
        as_json: bool,
    ) -> None:
        file = file or _file(ctx.parent)
        as_json = as_json or (ctx.parent is not None and ctx.parent.params["as_json"])
        if field is not None:
            show_choices(name, field, configured, file, as_json=as_json)
            return
        kind = _kind(name, engine, file)
        if subscriptions:
            click.echo(json.dumps(_presets(name, kind), ensure_ascii=False, indent=2))
            return
        own = kind.declared.type if issubclass(kind, BridgedDestination) else name
        it = describe(own, kind, BRIDGE if kind is not CATALOGUE.get(own, kind) else None)
        if as_json:
            print_json(msgspec.to_builtins(it))
        else:
            _print(it)

    return show


def _kind(name: str, engine: str | None, file: Path | None) -> type[Destination]:
    """The type called `name`. Raises UsageError when there is none, CannotDo when it cannot be used."""
    data = data_dir(file)
    found = installed(data)
    own = {**CATALOGUE, **DEVICE_ONLY}
    if name not in own and (found is None or found.find(name) is None):
        near = nearest(name, [*own, *(() if found is None else found.by_type), *destinations.commands])
        rest = f", did you mean `{near}`?" if near else "; `relay destinations` lists them"
        more = " (Segment's own come with `relay destinations install`)" if found is None else ""
        raise click.UsageError(f"there is no type of destination `{plain(name)}`{rest}{more}")
    try:
        return find(name, engine, data)
    except UnknownType as error:
        raise CannotDo(f"{error}{error.more}") from None


def _presets(name: str, kind: type[Destination]) -> list[dict[str, Any]]:
    """The presets as `subscriptions` takes them."""
    if not issubclass(kind, ActionDestination) or not kind.presets:
        raise CannotDo(f"`{name}` has no presets; `relay destinations {name}` shows what it has")
    return [
        {"name": one.name, "action": one.action, "subscribe": one.subscribe, "mapping": one.mapping}
        for one in kind.preset_subscriptions()
    ]


def _print(it: Description) -> None:
    click.echo(f"{it.title}: {it.summary}")
    _heading("Settings")
    columns = ("setting", "type", "required", "secret", "default", "what")
    rows = [
        (s.name, s.type, _yes(s.required), _yes(s.secret), _default(s.default), s.about) for s in it.settings
    ]
    _print_rows(columns, rows)
    if it.type in DEVICE_ONLY:
        _heading("It is there in the browser only; relay itself sends it nothing")
    else:
        _heading("Limits")
        print_table(("what", "value"), _limits(it))
    _print_events(it)
    for action in it.actions:
        _print_action(action)
    _print_sentences("Differences from Segment", it.differences)
    _print_sentences("Notes", it.notes)
    _heading("In relay.toml")
    click.echo(it.block, nl=False)


def _print_events(it: Description) -> None:
    if it.presets:
        _heading("Presets: which events go by which action, unless `subscriptions` say otherwise")
        columns = ("preset", "events", "action", "otherwise than by default")
        print_table(columns, [(p.name, p.subscribe, p.action, _changes(p.changes)) for p in it.presets])
    elif it.example is not None:
        _heading("There are no presets: nothing is sent without `subscriptions`. One to begin with")
        click.echo(json.dumps([it.example], ensure_ascii=False, indent=2))


def _print_action(action: ActionRow) -> None:
    _heading(f"Action {action.name}: {action.title}")
    click.echo(f"{action.about} {batches_of(action)}")
    columns = ("field", "type", "required", "default", "what")
    _print_rows(columns, [(f.name, f.type, f.required, f.default_text, f.about) for f in action.fields])


def _limits(it: Description) -> list[tuple[str, str]]:
    place = "`endpoint` in relay.toml, required" if it.needs_endpoint else "by its settings"
    return [
        ("endpoint", it.endpoint or place),
        ("events a request", f"{it.batch:,}; {it.max_batch:,} at most"),
        ("a request's body", f"{it.max_bytes / 1000:,.0f} kB at most, about"),
        ("OAuth", "`relay destinations login`" if it.has_login else "no"),
        ("credentials", "`relay check --connect` tests them" if it.can_check else "cannot be tested"),
    ]


def _changes(changes: Any) -> str:
    return "; ".join(f"{field} = {readable(Place(mapping))}" for field, mapping in changes.items())


def _default(default: Any) -> str | None:
    return None if default is None else json.dumps(default, ensure_ascii=False)


def _yes(holds: bool) -> str:  # noqa: FBT001
    return "yes" if holds else ""


def _heading(text: str) -> None:
    click.echo(f"\n{text}\n")


def _print_rows(columns: tuple[str, ...], rows: Sequence[Sequence[object]]) -> None:
    if rows:
        print_table(columns, rows)
    else:
        click.echo("none")


def _print_sentences(heading: str, sentences: tuple[str, ...]) -> None:
    if sentences:
        _heading(heading)
        for sentence in sentences:
            click.echo(f"- {plain(sentence)}")

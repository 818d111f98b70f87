"""`relay destinations`: every type of destination there is; with a type, all about it."""

import json
from collections.abc import Sequence
from typing import Any

import click
import msgspec

from relay.cli.client import CannotDo
from relay.cli.integrations import install, remove, upgrade
from relay.cli.login import login, logout
from relay.cli.options import json_option
from relay.cli.printing import plain, print_json, print_table
from relay.config_errors import suggestion
from relay.destinations import CATALOGUE
from relay.destinations.actions import ActionDestination
from relay.destinations.describe import ActionRow, Description, batches_of, describe
from relay.destinations.describe.mapping import Place, readable


class _Types(click.Group):
    """A group of which every type of destination is a command too, without standing in the list of commands."""

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return super().get_command(ctx, name) or (_of_type(name) if name in CATALOGUE else None)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            known = [*CATALOGUE, *self.commands]
            ctx.fail(f"there is no type of destination `{plain(name)}`{suggestion(name, known)}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Types,
    invoke_without_command=True,
    subcommand_metavar="[TYPE [OPTIONS] | login NAME | logout NAME | install | upgrade | remove]",
)
@json_option
@click.pass_context
def destinations(ctx: click.Context, *, as_json: bool) -> None:
    """List the types of destinations, or show one.

    With a TYPE: its settings, limits, actions and presets, and a block for relay.toml. With --subscriptions after
    it: only the presets, to be saved as a file and edited.
    """
    if ctx.invoked_subcommand is not None:
        return
    described = [describe(name, kind) for name, kind in CATALOGUE.items()]
    if as_json:
        print_json({"destinations": [_in_short(one) for one in described]})
        return
    columns = ("type", "title", "settings", "what")
    print_table(columns, [(it.type, it.title, _settings_in_short(it), it.summary) for it in described])


for command in (login, logout, install, upgrade, remove):
    destinations.add_command(command)


def _in_short(it: Description) -> dict[str, Any]:
    made = msgspec.to_builtins(it)
    return {key: made[key] for key in ("type", "title", "summary", "hasLogin", "settings")}


def _settings_in_short(it: Description) -> str:
    """Names; those that are not required in brackets."""
    outer = [setting for setting in it.settings if "." not in setting.name]
    return " ".join(setting.name if setting.required else f"[{setting.name}]" for setting in outer)


def _of_type(name: str) -> click.Command:
    """The command that shows one type."""

    @click.command(name, help=f"Show all about the type `{name}`.")
    @click.option(
        "--subscriptions", is_flag=True, help="Only its presets, as JSON: a file for `subscriptions`."
    )
    @json_option
    @click.pass_context
    def show(ctx: click.Context, *, subscriptions: bool, as_json: bool) -> None:
        it = describe(name, CATALOGUE[name])
        if subscriptions:
            click.echo(json.dumps(_presets(name), ensure_ascii=False, indent=2))
        elif as_json or (ctx.parent is not None and ctx.parent.params["as_json"]):
            print_json(msgspec.to_builtins(it))
        else:
            _print(it)

    return show


def _presets(name: str) -> list[dict[str, Any]]:
    """The presets as `subscriptions` takes them."""
    kind = CATALOGUE[name]
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

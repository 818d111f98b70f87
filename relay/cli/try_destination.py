"""`relay try destination`: what a destination of relay.toml would be sent for each event of a file, and why not.

Nothing leaves: replies come from a file, or are 200 with an empty object. Each event is taken alone. One that carries
`receivedAt` is taken as admitted; any other is admitted here, as if it had just come. Transformations of sources are
left out: the file does not say which source an event is of.
"""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import click
import msgspec

from relay.body import decode, encode
from relay.cli.bridging import bridged
from relay.cli.client import CannotDo
from relay.cli.config_file import read
from relay.cli.events_file import EventsFile, admitted, events_option
from relay.cli.options import config_option, json_option
from relay.cli.printing import plain
from relay.config import Config
from relay.config_errors import suggestion
from relay.delivery.config import DestinationConfig
from relay.delivery.trial import Trying
from relay.destinations.base import Destination, Request
from relay.destinations.reply import Reply
from relay.destinations.secrets import Mask, hiding, mask, secrets_of, shown_headers, shown_url

_REPLY_KEYS = frozenset(("status", "headers", "json", "text"))


@click.command()
@click.argument("name")
@events_option
@click.option(
    "--replies",
    "replies_file",
    metavar="FILE",
    help="Line i: a JSON array, the answers to event i's requests.",
)
@click.option("--no-routing", is_flag=True, help="Skip consent, `integrations`, filters and transformations.")
@click.option("--show-secrets", is_flag=True, help="Show keys and tokens as they would be sent.")
@json_option
@config_option
def destination(
    name: str,
    events_file: str,
    replies_file: str | None,
    file: Path | None,
    *,
    no_routing: bool,
    show_secrets: bool,
    as_json: bool,
) -> None:
    """Show what a destination would be sent for each event.

    NAME is a destination of relay.toml. Nothing leaves. An answer is {"status", "headers", "json" or "text"}; where
    there is none, it is 200 with {}.
    """
    config = read(file)
    trial = _Trial(config, name, is_routed=not no_routing, shows_secrets=show_secrets)
    events = EventsFile(events_file)
    asyncio.run(_try(trial, config, events, _Replies(replies_file), as_json=as_json))
    sys.exit(events.has_mistakes)


async def _try(
    trial: "_Trial", config: Config, events: EventsFile, replies: "_Replies", *, as_json: bool
) -> None:
    async with bridged(config, trial.settings, trial.route):
        for data in events:
            result = await trial.of(data, events.line, replies.of_line(events.line))
            if as_json:
                events.give(result.shown())
            else:
                _print(result, events.line)


class _Result(NamedTuple):
    message_id: str | None
    outcome: str
    reason: str | None
    detail: str | None
    requests: list[dict[str, Any]]

    def shown(self) -> dict[str, Any]:
        detail = {"detail": self.detail} if self.detail else {}
        return {
            "messageId": self.message_id,
            "outcome": self.outcome,
            "reason": self.reason,
            **detail,
            "requests": self.requests,
        }


class _Trial:
    """A destination as it is configured."""

    def __init__(self, config: Config, name: str, *, is_routed: bool, shows_secrets: bool) -> None:
        chosen, self.settings = _chosen(config, name)
        self._trying = Trying(chosen, self.settings, is_routed=is_routed)
        self.route = self._trying.route
        self._masked = None if shows_secrets else mask(secrets_of(self.settings))

    async def of(self, data: dict[str, Any], line: int, replies: Iterator[Reply]) -> _Result:
        event = admitted(data, line)
        trial = await self._trying.of(event, replies)
        message_id = data.get("messageId") if event.outcome is not None else event.message_id
        requests = [self._shown(request) for request in trial.requests]
        detail = None if trial.detail is None else self._text(trial.detail)
        return _Result(message_id, trial.outcome, trial.reason, detail, requests)

    def _shown(self, request: Request) -> dict[str, Any]:
        if self._masked is None:
            made = {"method": request.method, "url": request.url, "headers": dict(request.headers)}
            return made | _body(request, str)
        masked = hiding(request, self._masked)
        made = {
            "method": request.method,
            "url": shown_url(request, masked),
            "headers": shown_headers(request, masked),
        }
        return made | _body(request, masked)

    def _text(self, text: str) -> str:
        return text if self._masked is None else self._masked(text)


def _chosen(config: Config, name: str) -> tuple[DestinationConfig, Destination]:
    for one in config.destinations:
        if one.name == name:
            return one, config.settings[name]
    names = [one.name for one in config.destinations]
    raise CannotDo(f"there is no destination `{name}` in relay.toml{suggestion(name, names)}")


def _body(request: Request, masked: Mask) -> dict[str, Any]:
    if not request.body:
        return {}
    kind = next((v for k, v in request.headers.items() if k.lower() == "content-type"), "")
    text = masked(request.body.decode("utf-8", "replace"))
    if "json" in kind:
        try:
            return {"json": decode(text.encode())}
        except ValueError:  # a secret of digits alone was masked in a number
            return {"text": text}
    if "urlencoded" in kind:
        return {"form": {k: masked(v) for k, v in parse_qsl(text, keep_blank_values=True)}}
    return {"text": text}


class _Replies:
    """The lines of a file of replies."""

    def __init__(self, file: str | None) -> None:
        self._file = file
        try:
            self._lines = Path(file).read_bytes().splitlines() if file is not None else []
        except OSError as error:
            raise CannotDo(f"{file}: cannot be read: {error.strerror}") from None

    def of_line(self, number: int) -> Iterator[Reply]:
        """The replies to the event of line `number`, from 1."""
        if number > len(self._lines) or not self._lines[number - 1].strip():
            return iter(())
        try:
            return iter([_reply(one) for one in msgspec.convert(decode(self._lines[number - 1]), list[Any])])
        except (ValueError, TypeError, AttributeError):
            raise CannotDo(
                f'{self._file}:{number}: must be a JSON array of {{"status", "headers", "json" or "text"}}'
            ) from None


def _reply(raw: dict[str, Any]) -> Reply:
    if not raw.keys() <= _REPLY_KEYS:
        raise ValueError("an unknown key")
    text = (encode(raw["json"]) or b"").decode() if "json" in raw else str(raw.get("text", ""))
    headers = {"content-type": "application/json"} if "json" in raw else {}
    headers |= {str(k).lower(): str(v) for k, v in (raw.get("headers") or {}).items()}
    after = headers.get("retry-after")
    seconds = None if after is None else float(after)
    return Reply(int(raw.get("status", 200)), text, 0.0, None, seconds, headers=headers)


def _print(result: _Result, line: int) -> None:
    why = f": {result.reason}" if result.reason else ""
    detail = f" ({result.detail})" if result.detail else ""
    click.echo(plain(f"{result.message_id or f'line {line}'} {result.outcome}{why}{detail}"))
    for request in result.requests:
        click.echo("  " + plain(f"{request['method']} {request['url']}"))
        for name, value in request["headers"].items():
            click.echo("    " + plain(f"{name}: {value}"))
        for kind in ("json", "form", "text"):
            if kind in request:
                body = request[kind] if kind == "text" else (encode(request[kind]) or b"").decode()
                click.echo("    " + plain(body))

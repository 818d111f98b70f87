"""`relay send`: one event through a running relay, and where it went."""

import sys
import time
import uuid
from pathlib import Path
from typing import Any

import click

from relay.cli.options import config_option, duration, json_object, json_option
from relay.cli.printing import plain, print_json, print_table
from relay.cli.running import Running
from relay.cli.trace import Trace
from relay.event import MAX_MESSAGE_ID, TYPES
from relay.times import Duration
from relay.tracking import problem

POLL_SECONDS = 0.05
LINE = 1000  # characters of a request or an answer
_NAMES = {"track": "event", "page": "name", "screen": "name"}
_ONLY = {  # options that make sense for some types only
    "properties": ("track", "page", "screen"),
    "traits": ("identify", "group"),
    "groupId": ("group",),
    "previousId": ("alias",),
}
_OPTIONS = {
    "userId": "--user",
    "anonymousId": "--anonymous",
    "groupId": "--group",
    "previousId": "--previous",
    "event": "EVENT",
}


@click.command()
@click.argument("kind", metavar="TYPE", type=click.Choice(sorted(TYPES)))
@click.argument("event", required=False)
@click.option("--source", metavar="NAME", help="Whose write key is used; default: the first enabled source.")
@click.option("--user", "userId", metavar="ID", help="userId")
@click.option("--anonymous", "anonymousId", metavar="ID", help="anonymousId; without any id: `relay-send`.")
@click.option("--group", "groupId", metavar="ID", help="groupId of a group event.")
@click.option("--previous", "previousId", metavar="ID", help="previousId of an alias event.")
@click.option(
    "--properties", metavar="JSON", callback=json_object, help="Properties of track, page and screen."
)
@click.option("--traits", metavar="JSON", callback=json_object, help="Traits of identify and group.")
@click.option("--context", metavar="JSON", callback=json_object, help="The event's context.")
@click.option("--message-id", "messageId", metavar="ID", help="messageId; default: a new one.")
@click.option(
    "--timeout",
    metavar="DURATION",
    callback=duration,
    default="10s",
    show_default=True,
    help="How long to wait for destinations.",
)
@config_option
@json_option
def send(
    kind: str,
    event: str | None,
    *,
    source: str | None,
    timeout: Duration,
    file: Path | None,
    as_json: bool,
    **fields: Any,
) -> None:
    """Send one event through a running relay and show where it went.

    TYPE is track, identify, page, screen, group or alias. EVENT is the name of the event (track), the page or
    the screen.

    Exit code 0 when every destination that takes it has it, 1 otherwise.

    \b
      relay send track 'Order Completed' --user u1 --properties '{"revenue": 9.5}'
      relay send identify --user u1 --traits '{"plan": "pro"}'
      relay send group --user u1 --group acme
      relay send alias --user u1 --previous old-id
    """  # noqa: D301  click wants the character itself
    body = _event(kind, event, {name: value for name, value in fields.items() if value is not None})
    running = Running(file)
    sender = running.source(source)
    trace = Trace(running, sender.name, body["messageId"])
    running.send(sender, kind, body)
    _wait(trace, timeout)
    if as_json:
        print_json(trace.summary())
    else:
        _print(trace)
    sys.exit(not trace.is_delivered)


def _reason(row: dict[str, Any]) -> str | None:
    """Why, and in which field if that is known."""
    return f"{row['reason']} ({row['detail']})" if row["detail"] else row["reason"]


def _print_requests(row: dict[str, Any]) -> None:
    """What a destination was sent, and what it said."""
    for exchange in row["requests"]:
        request, reply = exchange["request"], exchange["reply"]
        click.echo(
            plain(f"{row['destination']} > {request['method']} {request['url']} {request['body']}")[:LINE]
        )
        click.echo(
            plain(f"{row['destination']} < {reply['status'] or reply['error']} {reply['body']}")[:LINE]
        )


def _event(kind: str, name: str | None, fields: dict[str, Any]) -> dict[str, Any]:
    """The event that is sent. Wrong usage when it could never be accepted."""
    for field in fields.keys() & _ONLY.keys():
        if kind not in _ONLY[field]:
            option = _OPTIONS.get(field, f"--{field}")
            raise click.UsageError(f"{option} is for {' and '.join(_ONLY[field])} events")
    event: dict[str, Any] = {"type": kind, "messageId": f"relay-send-{uuid.uuid4()}"} | fields
    if not 0 < len(event["messageId"]) <= MAX_MESSAGE_ID:
        raise click.UsageError(f"--message-id takes 1 to {MAX_MESSAGE_ID} characters")
    if name is not None:
        if kind not in _NAMES:
            raise click.UsageError(f"a {kind} event has no name: leave {name!r} out")
        event[_NAMES[kind]] = name
    if kind != "alias" and not event.get("userId"):
        event.setdefault("anonymousId", "relay-send")
    if wrong := problem(event, kind):
        raise click.UsageError(_by_option(wrong[1]))
    return event


def _by_option(sentence: str) -> str:
    """A sentence about a field, in the words of the command line."""
    return " ".join(_OPTIONS.get(word, word) for word in sentence.split(" "))


def _wait(trace: Trace, seconds: float) -> None:
    """Return when nothing more is to come, or the time is up."""
    deadline = time.monotonic() + seconds
    trace.look()
    while not trace.is_final and time.monotonic() < deadline:
        time.sleep(min(POLL_SECONDS, max(deadline - time.monotonic(), 0)))
        trace.look()


def _print(trace: Trace) -> None:
    reason = f" ({plain(trace.reason)})" if trace.reason else ""
    click.echo(f"messageId {plain(trace.message_id)}, source {trace.source}: {trace.verdict}{reason}")
    for note in trace.notes:
        click.echo(f"note: {plain(note)}")
    rows = trace.rows()
    if rows:
        columns = ("destination", "state", "status", "seconds", "attempts")
        print_table(
            (*columns, "reason"), [[*(row[column] for column in columns), _reason(row)] for row in rows]
        )
        for row in rows:
            _print_requests(row)
    elif trace.verdict == "admitted":
        click.echo("It is in the log; no running destination takes the events of this source.")

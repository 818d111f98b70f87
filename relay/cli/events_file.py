"""Events of a file for commands that try something on them: one JSON object a line.

What is to be said of one goes to stderr as `FILE:LINE: …`, so that a line which is no event costs the others nothing.
"""

import sys
import time
from collections.abc import Iterator
from json import JSONDecodeError
from pathlib import Path
from typing import Any

import click

from relay.admission.normalise import events_of
from relay.body import decode, encode
from relay.cli.client import CannotDo
from relay.event import Event
from relay.log.record import Record

STDIN = "-"

events_option = click.option(
    "--events",
    "events_file",
    metavar="FILE",
    required=True,
    help="The events, one JSON object a line; `-` is standard input.",
)


class EventsFile:
    """The events of a file, which remembers its line: for what is said about the one in hand."""

    def __init__(self, file: str) -> None:
        self.has_mistakes = False
        self._file = file
        self.line = 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for line in self._lines():
            self.line += 1
            event = self._event(line) if line.strip() else None
            if event is not None:
                yield event

    def say(self, what: str) -> None:
        """Something about the event in hand, on stderr."""
        click.echo(f"{self._file}:{self.line}: {what}", err=True)

    def refuse(self, reason: str) -> None:
        """The same, and the command will not have gone well."""
        self.has_mistakes = True
        self.say(reason)

    def give(self, value: Any) -> None:
        """The line of output for the event in hand."""
        written = encode(value)
        if written is None:
            self.refuse("the result is nested too deeply to be written")
            written = b"null"
        click.echo(written)

    def _lines(self) -> Iterator[bytes]:
        try:
            if self._file == STDIN:
                yield from sys.stdin.buffer
            else:
                with Path(self._file).open("rb") as opened:
                    yield from opened
        except OSError as error:
            raise CannotDo(f"{self._file}: cannot be read: {error.strerror}") from None

    def _event(self, line: bytes) -> dict[str, Any] | None:
        try:
            event = decode(line)
        except JSONDecodeError as error:
            self.refuse(f"not JSON: {error.msg} (character {error.colno})")
        except ValueError as error:
            self.refuse(f"not JSON: {error}")
        else:
            if isinstance(event, dict):
                return event
            self.refuse("an event is a JSON object, which this is not")
        return None


def admitted(data: dict[str, Any], line: int) -> Event:
    """The event of a line as admission makes it; one with a `receivedAt` has been through admission already."""
    json = encode(data)
    if json is None:
        raise CannotDo("an event is nested too deeply")
    if "receivedAt" in data:
        integrations = data.get("integrations")
        return Event(
            1,
            0,
            "",
            str(data.get("messageId", "")),
            json,
            integrations=integrations if isinstance(integrations, dict) and integrations else None,
        )
    now = int(time.time() * 1000)
    body = b'{"batch":[%b]}' % json
    record = Record(
        now, "", "batch", client=False, ip=None, user_agent=None, sent_at=None, events=1, body=body
    )
    record.sequence = line  # an id that is made names the line
    return events_of(record, "try")[0]

"""`relay try`: a filter, a subscription or a mapping on each event of a file. Nothing is sent, no relay is asked.

One JSON value a line on stdout for each event. What is to be said goes to stderr as `FILE:LINE: …`, so that a
line which is no event costs the others nothing.
"""

import sys
from collections.abc import Callable, Iterator
from json import JSONDecodeError
from pathlib import Path
from typing import Any

import click

from relay.body import decode, encode
from relay.cli.client import CannotDo
from relay.destinations.fql import FqlError, compile_filter, compile_subscription

STDIN = "-"
_EXTRA = ("liquid", "dateutil")  # what `relay[liquid]` installs

_events_option = click.option(
    "--events",
    "file",
    metavar="FILE",
    required=True,
    help="The events, one JSON object a line; `-` is standard input.",
)


@click.group("try")
def try_() -> None:
    """Try a filter, a subscription or a mapping on events of a file.

    Nothing is sent, and no relay need run. Each prints one JSON value a line for each event.
    """


@try_.command("filter")
@click.argument("fql")
@_events_option
def filter_(fql: str, file: str) -> None:
    """Tell which events a filter matches.

    Prints true or false for each. FQL is read as a destination's `filter` is. An event that it cannot judge would
    be dropped: false, and stderr says why.
    """
    matches = compile_filter(fql)
    events = _Events(file)
    for event in events:
        try:
            holds = matches(event)
        except FqlError as error:
            events.say(f"the event would be dropped: {error}")
            holds = False
        events.give(holds)
    sys.exit(events.has_mistakes)


@try_.command()
@click.argument("fql")
@_events_option
def subscription(fql: str, file: str) -> None:
    """Tell which events a subscription matches.

    Prints true or false for each. FQL is read as Segment reads it. Where that is not what stands there, a note
    says so.
    """
    compiled = compile_subscription(fql)
    if compiled.error is not None:
        raise CannotDo(compiled.error)
    if compiled.differs is not None:
        click.echo(f"note: {compiled.differs}", err=True)
    events = _Events(file)
    for event in events:
        events.give(compiled.matches(event))
    sys.exit(events.has_mistakes)


@try_.command()
@click.argument("mapping_file", metavar="MAPPING", type=click.Path(path_type=Path))
@_events_option
def mapping(mapping_file: Path, file: str) -> None:
    """Print what a mapping makes of each event.

    MAPPING is a JSON file. A result that is missing is null. So is that of an event which the mapping cannot work
    on; stderr says why.
    """
    from relay.destinations.mapping import MISSING, MappingError  # noqa: PLC0415  nobody else needs it

    mapped = _compiled(mapping_file)
    events = _Events(file)
    for event in events:
        try:
            result = mapped(event)
        except MappingError as error:
            events.refuse(str(error))
            result = None
        events.give(None if result is MISSING else result)
    sys.exit(events.has_mistakes)


def _compiled(file: Path) -> Callable[[dict[str, Any]], Any]:
    from relay.destinations.mapping import MappingError, compile_mapping  # noqa: PLC0415

    try:
        return compile_mapping(decode(file.read_bytes()))
    except OSError as error:
        raise CannotDo(f"{file}: cannot be read: {error.strerror}") from None
    except JSONDecodeError as error:
        place = f"{file}:{error.lineno}"
        raise CannotDo(f"{place}: not JSON: {error.msg} (character {error.colno})") from None
    except ValueError as error:
        raise CannotDo(f"{file}: not JSON: {error}") from None
    except MappingError as error:
        raise CannotDo(f"{file}: {error}") from None
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        raise CannotDo(f"{file}: @liquid needs an extra: pip install 'relay[liquid]'") from None


class _Events:
    """The events of a file, which remembers its line: for what is said about the one in hand."""

    def __init__(self, file: str) -> None:
        self.has_mistakes = False
        self._file = file
        self._line = 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for line in self._lines():
            self._line += 1
            event = self._event(line) if line.strip() else None
            if event is not None:
                yield event

    def say(self, what: str) -> None:
        """Something about the event in hand, on stderr."""
        click.echo(f"{self._file}:{self._line}: {what}", err=True)

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

"""`relay try`: a filter, a subscription, a mapping or a destination on each event of a file. Nothing leaves.

One JSON value a line on stdout for each event. What is to be said goes to stderr as `FILE:LINE: …`, so that a
line which is no event costs the others nothing.
"""

import sys
from collections.abc import Callable
from json import JSONDecodeError
from pathlib import Path
from typing import Any

import click

from relay.body import decode
from relay.cli.client import CannotDo
from relay.cli.events_file import EventsFile, events_option
from relay.cli.try_destination import destination
from relay.destinations.fql import FqlError, compile_filter, compile_subscription

_EXTRA = ("liquid", "dateutil")  # what `relay[liquid]` installs


@click.group("try")
def try_() -> None:
    """Try a filter, a subscription, a mapping or a destination on events of a file.

    Nothing is sent, and no relay need run. Each prints one JSON value a line for each event.
    """


@try_.command("filter")
@click.argument("fql")
@events_option
def filter_(fql: str, events_file: str) -> None:
    """Tell which events a filter matches.

    Prints true or false for each. FQL is read as a destination's `filter` is. An event that it cannot judge would
    be dropped: false, and stderr says why.
    """
    matches = compile_filter(fql)
    events = EventsFile(events_file)
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
@events_option
def subscription(fql: str, events_file: str) -> None:
    """Tell which events a subscription matches.

    Prints true or false for each. FQL is read as Segment reads it. Where that is not what stands there, a note
    says so.
    """
    compiled = compile_subscription(fql)
    if compiled.error is not None:
        raise CannotDo(compiled.error)
    if compiled.differs is not None:
        click.echo(f"note: {compiled.differs}", err=True)
    events = EventsFile(events_file)
    for event in events:
        events.give(compiled.matches(event))
    sys.exit(events.has_mistakes)


@try_.command()
@click.argument("mapping_file", metavar="MAPPING", type=click.Path(path_type=Path))
@events_option
def mapping(mapping_file: Path, events_file: str) -> None:
    """Print what a mapping makes of each event.

    MAPPING is a JSON file. A result that is missing is null. So is that of an event which the mapping cannot work
    on; stderr says why.
    """
    from relay.destinations.mapping import MISSING, MappingError  # noqa: PLC0415  nobody else needs it

    mapped = _compiled(mapping_file)
    events = EventsFile(events_file)
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
        given = decode(file.read_bytes())
        if not isinstance(given, dict):
            raise CannotDo(f"{file}: must be a JSON object: the fields of an action, and what each is")
        return compile_mapping(given)
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


try_.add_command(destination)

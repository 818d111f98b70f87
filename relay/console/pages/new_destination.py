"""Which lines of relay.toml make a destination of each type. The console writes nothing there."""

from pathlib import Path

from aiohttp import web

from relay.console.destination import description_of, types_of
from relay.console.gatekeeping import Denied
from relay.console.relay import Relay
from relay.console.rendering import page
from relay.destinations.bridge.errors import NotInstalled
from relay.destinations.catalogue import UnknownType, find, installed
from relay.destinations.describe import Description


def new_destination(relay: Relay, request: web.Request) -> web.Response:
    """The page that says what to write: of the type that is asked for, when one is."""
    config = relay.config
    data_dir, problem = Path(config.server.data_dir), ""
    try:
        found = installed(data_dir)
    except NotInstalled as error:
        found, problem = None, str(error)
    asked = request.query.get("type", "")
    taken = {destination.name for destination in config.destinations}
    return page(
        request,
        "new_destination.html",
        types=sorted(types_of(found).items(), key=lambda one: one[1].casefold()),
        problem=problem,
        asked=asked,
        it=_described(asked, data_dir, taken) if asked else None,
        is_installed=found is not None,
        file=config.path,
    )


def _described(asked: str, data_dir: Path, taken: set[str]) -> Description:
    try:
        return description_of(asked, find(asked, None, data_dir), taken)
    except UnknownType:
        raise Denied(404, "There is no such type of destination.") from None

"""Which lines of relay.toml make a destination of each type. The console writes nothing there."""

from pathlib import Path
from typing import Any

from aiohttp import web

from relay.console.destination import description_of, types_of
from relay.console.gatekeeping import Denied
from relay.console.relay import Relay
from relay.console.rendering import page
from relay.destinations.bridge.errors import NotInstalled
from relay.destinations.catalogue import UnknownType, find


def new_destination_routes(relay: Relay) -> list[web.RouteDef]:
    """To be added before those of the destinations: one called `new` has its page all the same."""

    async def show(request: web.Request) -> web.Response:
        config = relay.config
        taken = {destination.name for destination in config.destinations}
        data_dir = Path(config.server.data_dir)
        asked = request.query.get("type", "")
        described: Any = None
        if asked:
            try:
                kind = find(asked, request.query.get("engine") or None, data_dir)
            except UnknownType:
                raise Denied(404, "There is no such type of destination.") from None
            described = description_of(asked, kind, taken)
        try:
            types, problem = types_of(data_dir), ""
        except NotInstalled as error:
            types, problem = types_of(Path()), str(error)
        return page(
            request,
            "new_destination.html",
            types=sorted(types.items(), key=lambda one: one[1].casefold()),
            problem=problem,
            asked=asked,
            it=described,
            is_installed=len(types) > 100,  # noqa: PLR2004  with Segment's own
            file=config.path,
        )

    return [web.get("/destinations/new", show)]

"""What relay runs with, where each value comes from, and taking up a changed relay.toml."""

import asyncio
from pathlib import Path

from aiohttp import web

from relay.console.configuration import sections
from relay.console.gatekeeping import went_well
from relay.console.relay import Relay
from relay.console.rendering import page
from relay.errors import ConfigError

HERE = "/console/configuration"


def configuration_routes(relay: Relay) -> list[web.RouteDef]:
    pages = _Pages(relay)
    return [
        web.get("/configuration", pages.show),
        web.get("/configuration/reload", pages.to_configuration),  # where a page with mistakes stands
        web.post("/configuration/reload", pages.reload),
    ]


class _Pages:
    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    async def show(self, request: web.Request) -> web.Response:
        return await self._page(request)

    async def to_configuration(self, _: web.Request) -> web.Response:
        return web.Response(status=303, headers={"Location": HERE})

    async def reload(self, request: web.Request) -> web.Response:
        try:
            restart = await self._relay.reload()
        except ConfigError as error:
            return await self._page(request, error.problems, 400)
        still = f" Restart relay for {', '.join(restart)}." if restart else ""
        return went_well(HERE, f"The configuration was taken up.{still}")

    async def _page(
        self, request: web.Request, problems: tuple[str, ...] = (), status: int = 200
    ) -> web.Response:
        config = self._relay.config
        return page(
            request,
            "configuration.html",
            status=status,
            file=config.path,
            sections=sections(config),
            notes=self._relay.notes(),
            restart=self._relay.restart_needed_for,
            problems=problems,
            has_changed=config.path is not None
            and await asyncio.to_thread(_has_changed, config.path, config.text),
        )


def _has_changed(file: Path, text: str) -> bool:
    """Whether somebody has edited it, or taken it away, since relay read it."""
    try:
        now = file.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return True
    return now.replace("\r\n", "\n") != text

"""A whole relay in the test's own process and event loop, with both listeners."""

import gc
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp

from relay.app import App, running
from relay.config import load
from relay.console.search import Search
from tests.acceptance.relay_process import Answer, basic, eventually, new_session
from tests.ports import free_ports

ADMIN_TOKEN, READ_TOKEN = "admin-token", "read-token"
KEY = "web-key"
SOURCE = f"""
[[sources]]
name = "web"
write_key = "{KEY}"
rate_limit = 100000
"""
_numbers = count()


def event(**fields: Any) -> dict[str, Any]:
    return {"userId": "u", "event": "Tested", "messageId": f"here-{next(_numbers)}"} | fields


class RelayHere:
    """`app` is the relay itself."""

    def __init__(self, app: App, session: aiohttp.ClientSession, file: Path) -> None:
        self.app = app
        self.file = file
        self.session = session
        self.port = int(app.config.server.listen.rpartition(":")[2])
        self.admin_port = int(app.config.server.admin.rpartition(":")[2])
        self.scheme = "https" if app.config.server.tls_cert else "http"
        self.public = f"{self.scheme}://127.0.0.1:{self.port}"
        self.admin = f"http://127.0.0.1:{self.admin_port}"

    async def post(
        self, path: str, body: Any, headers: Mapping[str, str] | None = None, key: str = KEY
    ) -> Answer:
        async with self.session.post(
            self.public + path, data=json.dumps(body).encode(), headers=basic(key) | dict(headers or {})
        ) as response:
            return await Answer.of(response)

    async def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        async with self.session.get(self.public + path, headers=headers) as response:
            return await Answer.of(response)

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        token: str | None = ADMIN_TOKEN,
    ) -> Answer:
        """One request to the admin listener."""
        given = {"Authorization": f"Bearer {token}"} if token else {}
        async with self.session.request(
            method, self.admin + path, data=body, headers=given | dict(headers or {})
        ) as response:
            return await Answer.of(response)

    async def admitted(self, message_id: str) -> dict[str, Any]:
        """The event as admission made it."""
        found: list[dict[str, Any]] = []

        def look() -> bool:
            found[:] = self.app.debugger.newest(Search(message_id=message_id), 1)
            return bool(found)

        await eventually(look, 60, lambda: f"{message_id} was not admitted")
        admitted: dict[str, Any] = found[0]["event"]
        return admitted


@asynccontextmanager
async def relay_here(folder: Path, tables: str = SOURCE, server: str = "") -> AsyncIterator[RelayHere]:
    """`tables` follow the [server] table, to which `server` adds lines."""
    public, admin = free_ports(2)
    file = folder / "relay.toml"
    file.write_text(
        f"""[server]
listen = "127.0.0.1:{public}"
admin = "127.0.0.1:{admin}"
admin_token = "{ADMIN_TOKEN}"
read_token = "{READ_TOKEN}"
data_dir = "{folder / "data"}"
{server}
[log]
durability = "normal"
{tables}"""
    )
    interval, threshold = sys.getswitchinterval(), gc.get_threshold()
    try:
        async with running(load(file, {}), {}) as app, new_session() as session:
            yield RelayHere(app, session, file)
    finally:
        sys.setswitchinterval(interval)
        gc.set_threshold(*threshold)
        gc.unfreeze()

"""A vendor that gives tokens and takes events, and a destination of its kind.

Access tokens are `access-1`, `access-2` …; only the newest is good. Refresh tokens are `refresh-1` …, each good for one
renewal, as strict vendors have it.
"""

import asyncio
import json
from collections import deque
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import parse_qs

from aiohttp import web

from relay.destinations.actions import Action, Preset
from relay.destinations.actions.requests import json_request
from relay.destinations.base import Destination, Route, Steps
from relay.destinations.oauth import OAuth, OAuthDestination, OAuthSettings
from relay.event import Event
from tests.delivery.pipeline import Target, target
from tests.receiver import close_door

CLIENT_SECRET = "client-5ecret"


class Toy(OAuthDestination, frozen=True):
    """Posts events, one a request."""

    title: ClassVar[str] = "Toy"
    summary: ClassVar[str] = "To be tried."
    oauth_at: ClassVar[OAuth] = OAuth(
        "https://login.example.com/authorize",
        "https://api.example.com/token",
        ("events", "people"),
        {"access_type": "offline"},
    )
    actions: ClassVar[Mapping[str, Action]] = {}
    presets: ClassVar[Sequence[Preset]] = ()

    def route(self, subscriptions: Any = None) -> Route:
        return Destination.route(self, subscriptions)

    def requests(self, events: Sequence[Event], *, is_batch: bool = False) -> Steps:
        yield json_request("POST", "https://api.example.com/events", [event.data for event in events])


def toy(url: str, access: str = "", refresh: str = "", name: str = "toy", **fields: Any) -> Target:
    """A destination at the vendor `url`."""
    oauth = OAuthSettings("client", CLIENT_SECRET, access, refresh)
    return target(name, "toy", Toy(oauth=oauth), **({"endpoint": url} | fields))


class Vendor:
    """`renewals` and `exchanges`: forms that /token was given. `script`: the next answers of /token, before its own."""

    def __init__(self) -> None:
        self.generation = 0
        self.is_locked = False  # nobody is let in, whatever token
        self.lifetime: object = None
        self.renewals: list[dict[str, str]] = []
        self.exchanges: list[dict[str, str]] = []
        self.script: deque[tuple[int, object]] = deque()
        self.events: list[str] = []
        self.answers: list[int] = []  # of /events
        self.url = ""
        self._gate = asyncio.Event()
        self._gate.set()
        self._changed = asyncio.Condition()
        self._runner: web.AppRunner
        self._listener: asyncio.Server

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.add_routes([web.post("/{place:.*token}", self._token), web.post("/events", self._events)])
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        assert self._runner.server is not None
        self._listener = await asyncio.get_running_loop().create_server(self._runner.server, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._listener.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._gate.set()
        await close_door(self._listener)
        await self._runner.cleanup()

    def hold(self) -> None:
        """Leave requests for tokens without an answer until `release`."""
        self._gate.clear()

    def release(self) -> None:
        self._gate.set()

    def expire(self) -> None:
        """The access token in force is not good any more."""
        self.is_locked = True

    async def until(self, holds: Any) -> None:
        """Return once `holds()`, looked at after every request."""
        async with asyncio.timeout(60), self._changed:
            await self._changed.wait_for(holds)

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: values[0] for name, values in parse_qs(await request.text()).items()}
        is_renewal = form["grant_type"] == "refresh_token"
        (self.renewals if is_renewal else self.exchanges).append(form)
        await self._notify()
        await self._gate.wait()
        status, body = self.script.popleft() if self.script else self._grant(form, is_renewal=is_renewal)
        return web.Response(status=status, text=json.dumps(body), content_type="application/json")

    def _grant(self, form: dict[str, str], *, is_renewal: bool) -> tuple[int, object]:
        if form["client_secret"] != CLIENT_SECRET:
            return 401, {"error": "invalid_client"}
        if is_renewal and form["refresh_token"] != f"refresh-{self.generation}":
            return 400, {"error": "invalid_grant", "error_description": "secret words"}
        self.generation += 1
        self.is_locked = False
        granted = {"access_token": f"access-{self.generation}", "refresh_token": f"refresh-{self.generation}"}
        return 200, granted | ({} if self.lifetime is None else {"expires_in": self.lifetime})

    async def _events(self, request: web.Request) -> web.Response:
        is_good = (
            request.headers.get("Authorization") == f"Bearer access-{self.generation}" and not self.is_locked
        )
        self.answers.append(200 if is_good else 401)
        body = await request.json()
        if is_good and isinstance(body, list):
            self.events += [event["messageId"] for event in body]
        await self._notify()
        echo = request.headers.get("Authorization", "")  # some vendors repeat what they were given
        return web.Response(status=self.answers[-1], text=json.dumps({"you sent": echo}))

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

"""The console: an application of its own under /console/, in the admin listener."""

import time
from collections.abc import Callable

from aiohttp import web

from relay.bucket import Bucket
from relay.console import static
from relay.console.gatekeeping import COOKIE, ROOT, SIGN_IN, form_of, gatekeeper, inside, set_session
from relay.console.pages.alerts import alert_routes
from relay.console.pages.blocked import blocked_routes
from relay.console.pages.configuration import configuration_routes
from relay.console.pages.dead_letters import dead_letter_routes
from relay.console.pages.destinations import destination_routes
from relay.console.pages.event import one_event_routes
from relay.console.pages.events import event_routes
from relay.console.pages.overview import overview_routes
from relay.console.pages.plan_changes import plan_change_routes
from relay.console.pages.plans import plan_routes
from relay.console.pages.replays import replay_routes
from relay.console.pages.sources import source_routes
from relay.console.pages.testing import testing_routes
from relay.console.pages.violations import violation_routes
from relay.console.relay import Relay
from relay.console.rendering import SESSION, environment, page
from relay.console.sessions import Sessions

TRIES_PER_SECOND, TRIES_AT_ONCE = (
    0.5,
    10,
)  # to sign in, all people together: tokens are long, but may be chosen


def console_application(relay: Relay) -> web.Application:
    """To be mounted at /console."""
    sessions = Sessions(lambda: relay.admin_token, lambda: relay.config.server.read_token)

    def cookie_name() -> str:
        """Browsers tell cookies apart by host, not by port: two relays on one host each need their own."""
        return f"{COOKIE}_{relay.state.log_id}"

    application = web.Application(middlewares=[gatekeeper(sessions, cookie_name)])
    door = _Door(sessions, cookie_name)
    environment().globals |= {"address": static.address, "is_built": static.is_built}
    application.add_routes(
        [
            web.get("/sign-in", door.show),
            web.post("/sign-in", door.sign_in),
            web.post("/sign-out", door.sign_out),
            web.get("/static/{name}", static.serve),
            *overview_routes(relay),
            *event_routes(relay),
            *one_event_routes(relay),
            *source_routes(relay),
            *destination_routes(relay),
            *dead_letter_routes(relay),
            *replay_routes(relay),
            *configuration_routes(relay),
            *plan_routes(relay),
            *plan_change_routes(relay),
            *violation_routes(relay),
            *blocked_routes(relay),
            *testing_routes(relay),
            *alert_routes(relay),
        ]
    )
    return application


async def to_console(_: web.Request) -> web.Response:
    """`/` of the admin listener."""
    return web.Response(status=303, headers={"Location": f"{ROOT}/"})


class _Door:
    """Signing in and out."""

    def __init__(self, sessions: Sessions, cookie_name: Callable[[], str]) -> None:
        self._sessions = sessions
        self._cookie_name = cookie_name
        self._tries = Bucket(TRIES_PER_SECOND, TRIES_AT_ONCE, time.monotonic)

    async def show(self, request: web.Request) -> web.Response:
        back = inside(request.query.get("next", ""))
        if request.get(SESSION) is not None:
            return web.Response(status=303, headers={"Location": back})
        return page(request, "sign_in.html", back=back, said="")

    async def sign_in(self, request: web.Request) -> web.Response:
        form = await form_of(request)
        back = inside(str(form.get("next", "")))
        if (wait := self._tries.wait()) > 0:
            said = "Too many wrong tokens. Try again in a minute."
            response = page(request, "sign_in.html", status=429, back=back, said=said)
            response.headers["Retry-After"] = str(round(wait) + 1)
            return response
        session = self._sessions.sign_in(str(form.get("token", "")).strip())
        if session is None:
            said = "This is not the token. It is `admin_token` in relay.toml, or in the file admin_token of the data directory."
            return page(request, "sign_in.html", status=401, back=back, said=said)
        self._tries.give_back()
        response = web.Response(status=303, headers={"Location": back})
        set_session(request, response, self._cookie_name(), self._sessions.cookie(session))
        return response

    async def sign_out(self, request: web.Request) -> web.Response:
        self._sessions.sign_out(request[SESSION])
        response = web.Response(status=303, headers={"Location": SIGN_IN})
        response.del_cookie(self._cookie_name(), path=ROOT)
        return response

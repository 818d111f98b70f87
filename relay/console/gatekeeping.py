"""What stands before every page of the console: who may see it, who may change things, and what a browser may load.

A page that is asked for without a session is a sign-in, and then itself. A program may read pages with a token in
`Authorization`, as the API takes it. A change needs the token of a form that this very session was shown.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from multidict import MultiMapping

from relay.console.rendering import FLASH, FORM_TOKEN, SESSION, page
from relay.console.sessions import SECONDS, Session, Sessions, tokens_in

log = structlog.get_logger()

ROOT = "/console"
SIGN_IN = f"{ROOT}/sign-in"
STATIC = f"{ROOT}/static/"
COOKIE = "relay_session"
# whether the session is good now: a stream outlasts what it began with
IS_SIGNED_IN: web.RequestKey[Callable[[], bool]] = web.RequestKey("is_signed_in", Callable)  # type: ignore[arg-type]
FLASH_COOKIE = "relay_said"
FLASH_LONGEST = 1000
LONGEST_FORM = 2_000_000  # bytes; the largest are plans and batches, escaped

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
SAFE = frozenset(("GET", "HEAD"))
READABLE_POSTS = frozenset((f"{ROOT}/sign-out", f"{ROOT}/test"))  # which change nothing: for readers too


class Denied(Exception):
    """Not for this person, or not like this. `said` is shown to them."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status = status
        self.said = said


class Mistake(Exception):
    """What somebody asked for cannot be done. Shown to them as it is, on the page where they were."""


def gatekeeper(sessions: Sessions, cookie_name: Callable[[], str]) -> Middleware:
    """Sees to sessions, forms and headers, and to errors: each is a page, none has a stack trace."""

    @web.middleware
    async def keep(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await _explained(request, lambda: _admitted(request, handler, sessions, cookie_name()))
        if not response.prepared:  # a stream has sent its headers already
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
        return response

    return keep


async def _admitted(
    request: web.Request, handler: Handler, sessions: Sessions, cookie_name: str
) -> web.StreamResponse:
    if request.path.startswith(STATIC):
        return await handler(request)

    def found() -> Session | None:
        return sessions.read(request.cookies.get(cookie_name, "")) or _by_header(request, sessions)

    session = found()
    if request.method not in SAFE:
        _same_origin(request)
        request = request.clone(client_max_size=LONGEST_FORM)
    if session is None:
        return await handler(request) if request.path == SIGN_IN else _to_sign_in(request)
    request[SESSION] = session
    request[IS_SIGNED_IN] = lambda: found() is not None
    request[FORM_TOKEN] = sessions.form_token(session)
    request[FLASH] = _flash(request)
    if request.method not in SAFE and request.path != SIGN_IN:
        await _check_change(request, session, sessions)
    response = await handler(request)
    # not for what an open page asks for by itself: it would be signed in for ever
    if not response.prepared and "HX-Request" not in request.headers:
        if request[FLASH] and response.status == 200:  # noqa: PLR2004
            response.del_cookie(FLASH_COOKIE, path=ROOT)
        if (renewed := sessions.renewed(session)) is not None and cookie_name not in response.cookies:
            set_session(request, response, cookie_name, sessions.cookie(renewed))
    return response


async def _check_change(request: web.Request, session: Session, sessions: Sessions) -> None:
    form = await form_of(request)
    if not sessions.is_form_token(session, str(form.get("csrf", ""))):
        raise Denied(403, "This form is not from this session. Reload the page it was on, and try again.")
    if not session.can_change and request.path not in READABLE_POSTS:
        raise Denied(403, "You are signed in with the read-only token: it may look, not change.")


async def form_of(request: web.Request) -> MultiMapping[Any]:
    """Its fields. Afterwards `post` has the same."""
    if request.content_type.startswith("multipart/"):
        raise Denied(415, "Forms are taken as the pages of the console send them: x-www-form-urlencoded.")
    try:
        return await request.post()
    except (ValueError, LookupError):  # its bytes are no text, or of no encoding that there is
        raise Mistake("This form cannot be read.") from None


def _by_header(request: web.Request, sessions: Sessions) -> Session | None:
    """Only to look: browsers send what they once were given with whatever request."""
    if request.method not in SAFE:
        return None
    found = (sessions.sign_in(one) for one in tokens_in(request.headers.get("Authorization", "")))
    return next((session for session in found if session is not None), None)


def set_session(request: web.Request, response: web.StreamResponse, name: str, value: str) -> None:
    response.set_cookie(
        name,
        value,
        max_age=SECONDS,
        path=ROOT,
        httponly=True,
        samesite="Strict",
        # relay speaks plain HTTP here; a proxy in front that speaks TLS says so
        secure=request.secure or request.headers.get("X-Forwarded-Proto") == "https",
    )


def went_well(where: str, said: str = "") -> web.Response:
    """After a change: to a page that shows how things stand now, and says what was done."""
    response = web.Response(status=303, headers={"Location": where})
    if said:
        value = urlsafe_b64encode(said[:FLASH_LONGEST].encode("utf-8", "replace")).decode()
        response.set_cookie(FLASH_COOKIE, value, max_age=60, path=ROOT, httponly=True, samesite="Strict")
    return response


def inside(target: str, otherwise: str = f"{ROOT}/") -> str:
    """`target`, if it is a place in the console: nobody is led elsewhere."""
    try:
        parts = urlsplit(target)
    except ValueError:  # as in //[
        return otherwise
    is_ours = (
        not parts.scheme and not parts.netloc and parts.path.startswith(f"{ROOT}/") and "\\" not in target
    )
    return target if is_ours and target.isprintable() else otherwise


def _flash(request: web.Request) -> str:
    try:
        return urlsafe_b64decode(request.cookies.get(FLASH_COOKIE, "")).decode()
    except (NotBase64, UnicodeDecodeError, ValueError):
        return ""


def _to_sign_in(request: web.Request) -> web.Response:
    """The sign-in in the place of the page; a part of a page that is asked for leads the whole page there."""
    if "HX-Request" in request.headers:
        return web.Response(status=401, headers={"HX-Redirect": SIGN_IN})
    if request.method in SAFE:
        return page(request, "sign_in.html", status=401, back=inside(request.path_qs), said="")
    referrer = request.headers.get("Referer", "")
    back = inside(referrer.partition(request.host)[2]) if request.host else f"{ROOT}/"
    said = "Your session has ended, and nothing was done. Sign in, and do it again."
    return page(request, "sign_in.html", status=401, back=back, said=said)


def _same_origin(request: web.Request) -> None:
    """Browsers say where a form is from. One that does not is covered by the cookie and the form's token."""
    origin = request.headers.get("Origin")
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none") or (
        origin is not None and _host_in(origin) != request.host
    ):
        raise Denied(403, "This was asked for by another site.")


def _host_in(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:  # as in http://[
        return None


async def _explained(
    request: web.Request, answer: Callable[[], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await answer()
    except Denied as error:
        return _wrong(request, error.status, error.said)
    except Mistake as error:
        return _wrong(request, 400, str(error))
    except web.HTTPException as error:
        said = "There is no such page." if error.status == 404 else error.reason  # noqa: PLR2004
        return _wrong(request, error.status, said)
    except ConnectionError:
        raise
    except Exception:
        log.exception("a page of the console failed", path=request.path)
        return _wrong(request, 500, "Something in relay failed here. Its log says what.")


def _wrong(request: web.Request, status: int, said: str) -> web.Response:
    is_part = "HX-Request" in request.headers  # what a page asked for stands within it
    return page(request, "wrong_part.html" if is_part else "wrong.html", status=status, said=said)

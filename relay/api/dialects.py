"""How Segment's two APIs say that something is wrong: under their paths nothing else is answered, whoever refuses.

Config API    {"error": "…", "code": 3}
Public API    {"errors": [{"type": "bad-request", "message": "…", "field": "…"}]}
"""

from collections.abc import Callable, Iterable

import orjson
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from relay.api.parameters import answer
from relay.plans.running import PlanError

log = structlog.get_logger()

CONFIG = "/v1beta"
PUBLIC = ("/tracking-plans", "/sources")

# Segment documents all but 405 and 413; the codes are gRPC's: 12 is "not implemented", 3 "invalid argument"
CODES = {400: 3, 401: 16, 403: 7, 404: 5, 405: 12, 409: 6, 413: 3, 429: 8, 500: 13, 501: 12, 503: 14}
TYPES = {
    400: "bad-request",
    401: "unauthorized",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    409: "conflict",
    413: "request-too-large",
    500: "internal-server-error",
    503: "service-unavailable",
}
MEDIA_TYPES = tuple(f"application/vnd.segment.{version}+json" for version in ("v1", "v1beta", "v1alpha"))

Mistakes = Iterable[tuple[str | None, str]]
Dialect = Callable[[web.Request, int, Mistakes], web.Response]


def dialect_of(path: str) -> Dialect | None:
    """How mistakes are told under `path`; None: as everywhere else."""
    if path.startswith(CONFIG):
        return _config
    if any(path == one or path.startswith(f"{one}/") for one in PUBLIC):
        return _public
    return None


def _config(_: web.Request, status: int, mistakes: Mistakes) -> web.Response:
    said = "; ".join(said if field is None else f"{field}: {said}" for field, said in mistakes)
    return answer({"error": said, "code": CODES.get(status, 2)}, status)


def _public(request: web.Request, status: int, mistakes: Mistakes) -> web.Response:
    kind = TYPES.get(status, "unexpected")
    errors = [
        {"type": kind, "message": said} | ({} if field is None else {"field": field})
        for field, said in mistakes
    ]
    return in_media_type(request, answer({"errors": errors}, status))


def in_media_type(request: web.Request, response: web.Response) -> web.Response:
    """The answer in the media type that was asked for."""
    wanted = request.headers.get("Accept", "")
    response.content_type = next(
        (one for one in MEDIA_TYPES if one in wanted.replace(",", " ").replace(";", " ").split()),
        "application/json",
    )
    return response


@web.middleware
async def in_their_words(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tell mistakes under the paths of Segment's APIs in their way."""
    tell = dialect_of(request.path)
    if tell is None:
        return await handler(request)
    headers: dict[str, str] = {}
    try:
        response = await handler(request)
        if response.status < 400 or not isinstance(response, web.Response):  # noqa: PLR2004
            return response
        told: Mistakes = ((None, _message(response)),)
        status, headers = response.status, dict(response.headers)
    except PlanError as error:
        status, told = error.status, error.mistakes
    except web.HTTPException as error:
        status, told, headers = error.status, ((None, error.reason),), dict(error.headers)
    except ConnectionError:
        raise
    except Exception:
        log.exception("an admin request failed", path=request.path)
        status, told = 500, ((None, "internal error, see the log"),)
    made = tell(request, status, told)
    for name in ("Allow", "WWW-Authenticate"):
        if name in headers:
            made.headers[name] = headers[name]
    return made


def _message(response: web.Response) -> str:
    """What a middleware that knows no dialect has said."""
    assert isinstance(response.body, bytes)
    message: str = orjson.loads(response.body)["error"]["message"]
    return message

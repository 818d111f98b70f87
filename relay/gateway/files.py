"""Scripts, and what goes with them, as answers: the encoding that the browser takes, and nothing when it has it already."""

from aiohttp import web

from relay.browser.library import Served
from relay.gateway.answers import Answer, Headers

SCRIPT_SECONDS = 300  # a page may keep it; then it asks whether there is another
ANYBODY = (("Access-Control-Allow-Origin", "*"),)  # and so the same for every page


def script(
    request: web.BaseRequest, served: Served, seconds: int = SCRIPT_SECONDS, more: Headers = ANYBODY
) -> Answer:
    return whole(request, served, "text/javascript; charset=utf-8", seconds, more)


def whole(request: web.BaseRequest, served: Served, content_type: str, seconds: int, more: Headers) -> Answer:
    encoding, body, tag = served.best(request.headers.get("Accept-Encoding", ""))
    headers: Headers = (
        ("Cache-Control", f"public, max-age={seconds}"),
        ("ETag", tag),
        ("Vary", "Accept-Encoding"),
        *more,
    )
    if tag in request.headers.get("If-None-Match", ""):
        return Answer(304, b"", None, headers)
    if encoding != "identity":
        headers += (("Content-Encoding", encoding),)
    return Answer(200, body, content_type, headers)

"""Cross-origin rules of the public listener. The admin listener shares none of them."""

from multidict import CIMultiDictProxy

from relay.gateway.answers import NO_HEADERS, Answer, Headers

MAX_AGE = 86_400  # seconds a browser may keep a preflight


def cors_headers(origin: str | None) -> Headers:
    """For an answer to a request from `origin`. Retry-After must be exposed, or browsers hammer."""
    if origin is None:
        return NO_HEADERS
    return (
        ("Access-Control-Allow-Origin", origin),
        ("Vary", "Origin"),
        ("Access-Control-Allow-Credentials", "true"),
        ("Access-Control-Expose-Headers", "Retry-After"),
    )


def shared_cors_headers(origin: str | None) -> Headers:
    """As `cors_headers`, for an answer that caches keep: one that nobody's page asked for is not for pages."""
    return cors_headers(origin) or (("Vary", "Origin"),)


def preflight(headers: CIMultiDictProxy[str], *, is_allowed: bool) -> Answer:
    """The answer to OPTIONS: whatever headers are asked for are allowed, since sites add their own."""
    origin = headers.get("Origin")
    if origin is None or not is_allowed:
        return Answer(204, b"", None, (("Allow", "GET, POST, OPTIONS"),))
    asked = headers.get("Access-Control-Request-Headers")
    answer: Headers = (
        *cors_headers(origin),
        ("Access-Control-Allow-Methods", "GET, POST, OPTIONS"),
        ("Access-Control-Max-Age", str(MAX_AGE)),
    )
    if asked is not None:
        answer += (("Access-Control-Allow-Headers", asked),)
    return Answer(204, b"", None, answer)

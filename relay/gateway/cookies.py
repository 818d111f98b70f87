"""Cookies with visitors' ids, renewed by the server: Safari keeps those for longer than what scripts store.

The question was when to renew. Each answer could: but `track("Signed Out"); reset()` is common, and the answer to the first
would bring back the ids that the second has just thrown away. So only the answer to a page view does, which comes when a
page has been loaded, and after the script wrote its cookies on that page. The settings and the script could not: what
answers them may be kept by a CDN, for everybody.

relay makes no id. It sends back what the browser sent, unless that is no plain value, or is there twice: a cookie of the host beside
that of the domain. The attributes are those of analytics.js, with which scripts go on changing these cookies; so they must
be for the same domain, the highest that the site has, which is why it must be said in `cookie_domains`.
"""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from multidict import CIMultiDictProxy

from relay.gateway.answers import NO_HEADERS, Headers
from relay.log.record import Record

NAMES = ("ajs_anonymous_id", "ajs_user_id", "ajs_group_id")
SECONDS = 400 * 86_400  # the most that Chrome keeps a cookie

# what RFC 6265 lets stand in a cookie, and no more of it than an id is long
_VALUE = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{1,300}")


def renewed(headers: CIMultiDictProxy[str], record: Record, domains: tuple[str, ...]) -> Headers:
    """The Set-Cookie headers for the answer to this request, of which `record` was kept."""
    sent = ";".join(headers.getall("Cookie", ()))  # proxies may make several of one
    origin = headers.get("Origin")
    if origin is None or "ajs_" not in sent or not _has_page(record):
        return NO_HEADERS
    domain = _domain_of(origin, domains)
    if domain is None:
        return NO_HEADERS
    secure = "; Secure" if origin.startswith("https://") else ""
    attributes = f"; Max-Age={SECONDS}; Domain={domain}; Path=/; SameSite=Lax{secure}"
    return tuple(("Set-Cookie", f"{name}={value}{attributes}") for name, value in _ids(sent))


def _has_page(record: Record) -> bool:
    return record.route == "page" or (record.route == "batch" and b'"page"' in record.body)


def _domain_of(origin: str, domains: tuple[str, ...]) -> str | None:
    """The domain of the page that asked, if it is one of the site's."""
    try:
        host = urlsplit(origin).hostname or ""
    except ValueError:
        return None
    return next((domain for domain in domains if host == domain or host.endswith(f".{domain}")), None)


def _ids(sent: str) -> Iterator[tuple[str, str]]:
    pairs = [pair.strip(" ").partition("=") for pair in sent.split(";")]
    for name in NAMES:
        values = [value for known, _, value in pairs if known == name]
        if len(values) == 1 and _VALUE.fullmatch(values[0]):
            yield name, values[0]

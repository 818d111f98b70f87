"""The `[browser]` table of relay.toml: how relay is called where browsers see it."""

import re
from typing import Literal

import msgspec

_RESERVED = frozenset(
    ("analytics-next", "api", "beacon", "healthz", "next-integrations", "sourceConfig", "v1", "webhooks")
)
_LONGEST = 100


class BrowserConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[browser]`: names of one's own for the script and the routes, the cookies that relay renews, whose script it is."""

    prefix: str | None = None  # all routes are under it too, without `/v1`
    script: str | None = None  # the library is also at `{prefix}/{write_key}/{script}`
    cookie_domains: tuple[str, ...] = ()  # of sites whose visitors' ids are renewed by Set-Cookie
    library: Literal["relay", "analytics-next"] = "relay"  # which analytics.js: relay's own, or Segment's


def prefix_problem(text: str) -> str | None:
    """The rest of a sentence when `text` cannot be a prefix."""
    if len(text) > _LONGEST or not re.fullmatch(r"(/[A-Za-z0-9_-]+)+", text):
        return "must be like /x7k: letters, digits, `_` and `-` after each slash, and no slash at the end"
    taken = [f"`{part}`" for part in text.split("/") if part in _RESERVED]
    return f"must not have {taken[0]} in it: relay's own routes begin so" if taken else None


def script_problem(text: str) -> str | None:
    """The rest of a sentence when `text` cannot be the name of the script."""
    if len(text) <= _LONGEST and re.fullmatch(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.js", text):
        return None
    return "must be a file name like a.js: letters, digits, `_`, `.` and `-`, with .js at its end"


def domain_problem(text: str) -> str | None:
    """The rest of a sentence when `text` cannot be the domain of a cookie."""
    label = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
    is_name = re.fullmatch(rf"({label}\.)+{label}", text) and not re.fullmatch(r"[\d.]+", text)
    if is_name and len(text) <= 253:  # noqa: PLR2004  DNS
        return None
    return "must hold domains such as example.com: lower case, without scheme, port or a dot in front"

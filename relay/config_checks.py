"""What a value of relay.toml must be, by itself: each check returns the rest of a sentence, or None."""

import ipaddress
import math
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from relay.alerts.config import AlertConfig, SmtpConfig
from relay.browser.config import BrowserConfig, domain_problem, prefix_problem, script_problem
from relay.delivery.config import DestinationConfig
from relay.destinations.bridge.config import IntegrationsConfig
from relay.destinations.fql import FqlError, compile_filter
from relay.gateway.config import ServerConfig, SourceConfig
from relay.log.config import LogConfig
from relay.plans.config import ViolationsConfig


def parse_address(text: str) -> tuple[str, int]:
    """Host and port of `host:port` or `[IPv6]:port`; `ValueError` when it is neither."""
    match = re.fullmatch(r"(?:\[([^\]]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})", text, re.ASCII)
    if match is None or int(match[3]) > 65535:  # noqa: PLR2004  the highest port
        raise ValueError("not host:port")
    if match[1]:
        ipaddress.IPv6Address(match[1])
    return match[1] or match[2], int(match[3])


def _filled(text: str) -> str | None:
    return None if text.strip() else "must not be empty"


def _long(text: str) -> str | None:
    return None if len(text) >= 16 else "must have 16 characters at least"  # noqa: PLR2004


def _name(text: str) -> str | None:
    if re.fullmatch(r"[A-Za-z0-9_.-]+", text):
        return None
    return "must be made of letters, digits, `_`, `.` and `-`" if text else "must not be empty"


def _address(text: str) -> str | None:
    try:
        parse_address(text)
    except ValueError:
        return "must be host:port, such as 127.0.0.1:8080 or [::1]:8080"
    return None


def _network(text: str) -> str | None:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return "must hold addresses and networks, such as 10.0.0.1 or 10.0.0.0/8"
    return None


def _origin(text: str) -> str | None:
    return None if is_origin(text) else "must be scheme, host and port only, such as https://eu.example.com"


def is_origin(text: str) -> bool:
    try:
        parts = urlsplit(text)
        plain = parts.port != 0 and f"{parts.scheme}://{parts.netloc}" == text
    except ValueError:  # a port that is no number, an IPv6 address that is none
        return False
    has_host = bool(parts.hostname) and not re.search(r"[@\s\\]", parts.netloc)
    return plain and has_host and parts.scheme in ("http", "https")


def _url(text: str) -> str | None:
    try:
        parts = urlsplit(text)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_url = False
    return None if is_url and not re.search(r"[\s\\]", text) else "must be an http or https URL"


def _mail(text: str) -> str | None:
    address = r"[^<>@\s,;]+@[^<>@\s,;]+"
    if re.fullmatch(rf"{address}|[^<>@,;\r\n]+<{address}>", text):
        return None
    return "must be like ann@example.com or Ann <ann@example.com>"


def _port(number: int) -> str | None:
    return None if 0 < number <= 65535 else "must be a port: 1 to 65535"  # noqa: PLR2004


def _not_below_zero(number: int) -> str | None:
    return None if number >= 0 else "must not be below 0"


def fql(text: str) -> str | None:
    try:
        compile_filter(text)
    except FqlError as error:
        return f"cannot be read: {error}"
    return None


def _category(text: str) -> str | None:
    if re.fullmatch(r"\D.{,33}", text, re.ASCII | re.DOTALL):
        return None
    return "must hold ids of categories: 1 to 34 characters, the first no digit"


def _positive(number: float) -> str | None:
    return None if 0 < number < math.inf else "must be a number above 0"


def _share(number: float) -> str | None:
    return None if 0 < number <= 100 else "must be a percentage: above 0, 100 at most"  # noqa: PLR2004


def _at_least_one(number: float) -> str | None:
    return None if 1 <= number < math.inf else "must be at least 1"


Check = Callable[[Any], str | None]
CHECKS: Mapping[type[msgspec.Struct], Mapping[str, Check]] = {
    ServerConfig: {
        "listen": _address,
        "admin": _address,
        "admin_token": _filled,
        "read_token": _filled,
        "encryption_key": _long,
        "data_dir": _filled,
        "trusted_proxies": _network,
    },
    BrowserConfig: {
        "prefix": prefix_problem,
        "script": script_problem,
        "cookie_domains": domain_problem,
    },
    IntegrationsConfig: {},
    ViolationsConfig: {},
    LogConfig: {"retention": _positive, "max_bytes": _positive},
    SourceConfig: {
        "name": _name,
        "write_key": _filled,
        "write_keys": _filled,
        "rate_limit": _positive,
        "burst": _at_least_one,
    },
    AlertConfig: {
        "name": _name,
        "over": _not_below_zero,
        "within": _positive,
        "after": _positive,
        "below": _share,
        "change": _positive,
        "at_least": _at_least_one,
        "webhook": _url,
        "secret": _filled,
        "slack": _url,
        "email": _mail,
    },
    SmtpConfig: {
        "host": _filled,
        "from": _mail,
        "port": _port,
        "username": _filled,
        "password": _filled,
    },
    DestinationConfig: {
        "name": _name,
        "endpoint": _origin,
        "filter": fql,
        "rate_limit": _positive,
        "concurrency": _at_least_one,
        "batch_size": _at_least_one,
        "timeout": _positive,
        "consent": _category,
    },
}

"""The Tracking API's routes and all their aliases, as one table."""

import msgspec

from relay.browser.analytics_next import PLACE
from relay.event import TYPES


class Route(msgspec.Struct, frozen=True):
    """Where a POST goes.

    `kind`: an event type, or `batch`. `client`: True is a browser or a phone, False a server, None depends on
    the Origin header.
    """

    kind: str
    client: bool | None = None


def _tracking() -> dict[str, Route]:
    table = {
        "/v1/batch": Route("batch", client=False),
        "/v1/import": Route("batch", client=False),
        "/v1/b": Route("batch", client=True),
        "/beacon/v1/batch": Route("batch", client=True),
    }
    for kind in TYPES:
        table[f"/v1/{kind}"] = Route(kind)
        table[f"/v1/{kind[0]}"] = Route(kind, client=True)
        table[f"/api/s/{kind}"] = Route(kind, client=True)
        table[f"/api/s/s2s/{kind}"] = Route(kind, client=False)
    return table


TRACKING = _tracking()
_STARTS = ("/v1/", "/beacon/v1/", "/api/s/", "/sourceConfig", "/analytics.js/", PLACE, "/next-integrations/")


def is_well_known(path: str) -> bool:
    """Whether there is something in `path` that routes begin with."""
    return any(start in path for start in _STARTS)


def split_prefix(path: str) -> tuple[str, str]:
    """A path without its trailing slash, as (prefix, route): SDKs may be told a prefix before `/v1`."""
    path = path.rstrip("/") or "/"
    if path.startswith(_STARTS):
        return "", path
    places = [place for start in _STARTS if (place := path.find(start)) > 0]
    place = min(places, default=0)
    return path[:place], path[place:]

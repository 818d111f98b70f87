"""Whose address a request came from. `X-Forwarded-For` counts only as far as configured proxies wrote it."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp import web


class Proxies:
    """The trusted proxies of relay.toml."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks: list[IPv4Network | IPv6Network] = [ip_network(n, strict=False) for n in networks]
        self.trusts = lru_cache(10_000)(self._trusts)

    def _trusts(self, address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
            parsed = parsed.ipv4_mapped  # how a listener on [::] sees IPv4
        return any(parsed in network for network in self._networks)

    def client_of(self, request: web.BaseRequest) -> str | None:
        """The address of whoever asked first, as far as it can be believed."""
        peer = request.remote
        if not self._networks or peer is None or not self.trusts(peer):
            return peer
        hops = [
            hop.strip() for value in request.headers.getall("X-Forwarded-For", ()) for hop in value.split(",")
        ]
        for hop in reversed(hops):
            address = _address(hop)
            if address is None:
                break
            peer = address
            if not self.trusts(peer):
                break
        return peer

    def scheme_of(self, request: web.BaseRequest) -> str:
        """`https` or `http`, as the client spoke it."""
        if self._networks and request.remote is not None and self.trusts(request.remote):
            forwarded = request.headers.get("X-Forwarded-Proto", "").split(",")[0].strip().lower()
            if forwarded in ("http", "https"):
                return forwarded
        return "https" if request.secure else "http"


def _address(hop: str) -> str | None:
    """The address in a hop, which some proxies write with a port; None when it is none."""
    if hop.startswith("["):
        hop = hop[1:].partition("]")[0]
    elif hop.count(":") == 1:
        hop = hop.partition(":")[0]
    try:
        return str(ip_address(hop))
    except ValueError:
        return None

"""Destinations that one logs in to: what works, and may not be what was meant."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from relay.config_errors import Table
from relay.destinations.base import Destination
from relay.destinations.oauth import OAuthDestination


def oauth_notes(server: Table, settings: Mapping[str, Destination], path: Path) -> Iterator[str]:
    destinations = {name: each for name, each in settings.items() if isinstance(each, OAuthDestination)}
    names = [f"`{name}`" for name in destinations]
    if names and server.values["encryption_key"] is None:
        yield f"{path}: OAuth tokens of {', '.join(names)} are stored as they are: `[server]` has no `encryption_key`"
    for name, each in destinations.items():
        if not each.oauth.client_id and each.first_tokens is None:
            yield (
                f"{path}: `{name}` can neither log in nor send, unless it has been logged in to:"
                " `settings.oauth` has no `clientId` and no token"
            )

"""Requests as commands that can be pasted into a shell."""

import shlex
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from relay.body import encode


def of_request(request: Mapping[str, Any]) -> str:
    """A request as exchanges.py shows it: what is secret in it says so."""
    parts = [f"curl -X {request['method']} {shlex.quote(request['url'])}"]
    parts += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in request["headers"].items()]
    if request["body"]:
        parts.append(f"--data-raw {shlex.quote(request['body'])}")
    return " \\\n  ".join(parts)


def of_event(data: Mapping[str, Any], public: str) -> str:
    """The call that sends the event again, with its messageId: whoever pastes it sets the write key."""
    left = {
        k: v
        for k, v in data.items()
        if k not in ("receivedAt", "sentAt", "type", "sourceId", "originalTimestamp")
    }
    body = (encode(left) or b"{}").decode()
    address = shlex.quote(f"{public}/v1/{data['type']}")
    return f'curl -u "$WRITE_KEY:" {address} \\\n  --json {shlex.quote(body)}'


def seen_as(request: web.Request) -> str | None:
    """The host that the admin listener was called by."""
    try:
        return request.url.host
    except ValueError:  # a Host that no browser sends
        return None


def public_address(server: Any, seen_as: str | None) -> str:
    """Where SDKs reach relay. A listener for all addresses is called as the admin listener was: `seen_as`."""
    host, _, port = server.listen.rpartition(":")
    if host in ("", "0.0.0.0", "[::]") and seen_as:  # noqa: S104  compared, not listened to
        host = f"[{seen_as}]" if ":" in seen_as else seen_as
    return f"{'https' if server.tls_cert else 'http'}://{host}:{port}"


def of_first_event(write_key: str, public: str) -> str:
    """A call that sends an event to see that events come through."""
    body = '{"userId": "jane", "event": "Tried relay", "properties": {"from": "curl"}}'
    return f"curl -u {shlex.quote(f'{write_key}:')} {shlex.quote(f'{public}/v1/track')} \\\n  --json {shlex.quote(body)}"

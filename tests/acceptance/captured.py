"""The captured traffic of Segment's SDKs, ready to be sent again byte for byte."""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WIRE = Path(__file__).parents[1] / "fixtures" / "wire"
PYTHON_SDK = "segment-analytics-python"

SOURCES = {"WKSEED": "browser", "WKNODE": "node", "WKPY": "python"}
TYPES = {"t": "track", "i": "identify", "p": "page", "s": "screen", "g": "group", "a": "alias"}

# They belong to the connection, not to the request, and the new connection has its own.
OF_THE_CONNECTION = frozenset(("Host", "Connection", "Content-Length", "Accept-Encoding"))


@dataclass(frozen=True)
class Captured:
    """One request of a capture."""

    client: str
    scenario: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes | None
    content: Any  # the decoded body

    @property
    def name(self) -> str:
        return f"{self.client} {self.scenario}: {self.method} {self.path}"

    @property
    def is_from_browser(self) -> bool:
        return self.client == "@segment/analytics-next"

    @property
    def carries_events(self) -> bool:
        return self.method == "POST" and self.path != "/v1/m"

    @property
    def source(self) -> str:
        """The source whose write key it carries."""
        key = base64.b64decode(self.headers["Authorization"].removeprefix("Basic ")).decode()
        return SOURCES[key.rstrip(":")]

    def events(self) -> Iterator[dict[str, Any]]:
        """Its events, each with the envelope's sentAt where it has none and the type of the route."""
        if not self.carries_events:
            return
        for event in self.content.get("batch", [self.content]):
            of_route = TYPES.get(self.path.rsplit("/", 1)[1])
            yield event | {
                "sentAt": event.get("sentAt") or self.content.get("sentAt"),
                "type": of_route or event["type"],
            }


def load() -> list[Captured]:
    """Every request that any tracking server is asked: events, telemetry, preflights, settings."""
    files = sorted(WIRE.glob("*.json"))
    requests = [_captured(raw) for file in files for raw in json.loads(file.read_text())]
    return [request for request in requests if _is_tracking(request)]


def _is_tracking(request: Captured) -> bool:
    # Left out: OAuth, which needs a token server, and the files of the browser library.
    return request.path.startswith("/v1/") and not request.scenario.startswith("oauth")


def _captured(raw: dict[str, Any]) -> Captured:
    headers = {name: value for name, value in raw["headers"].items() if name not in OF_THE_CONNECTION}
    body = _body(raw)
    if body is not None:
        assert len(body) == int(raw["headers"]["Content-Length"]), raw["scenario"]
    return Captured(
        raw["client"], raw["scenario"], raw["method"], raw["path"], headers, body, raw.get("body_json")
    )


def _body(raw: dict[str, Any]) -> bytes | None:
    """The exact bytes: the SDK for Python writes spaces and escapes, the others neither."""
    if "body_base64" in raw:
        return base64.b64decode(raw["body_base64"])
    if "body_json" not in raw:
        return None
    if raw["client"] == PYTHON_SDK:
        return json.dumps(raw["body_json"]).encode()
    return json.dumps(raw["body_json"], separators=(",", ":"), ensure_ascii=False).encode()

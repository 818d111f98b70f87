"""Events for tests of pure functions: no log, no admission."""

import json
from typing import Any

from relay.event import Event


def event(data: dict[str, Any], sequence: int = 1) -> Event:
    """An admitted event that holds `data` in compact JSON."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()
    return Event(sequence, 0, "web", data.get("messageId", ""), text)

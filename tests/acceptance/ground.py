"""What the tests of relay's answers have in common: its sources, its events, the shape of an answer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from tests.acceptance.relay_process import Answer, RelayProcess, running, source, webhook
from tests.receiver import Receiver

Event = dict[str, Any]

KEY = "web-key"
NEW_KEY, OLD_KEY = "new-key", "old-key"
DISABLED_KEY = "off-key"
SLOW_KEY, BURST_KEY, PATIENT_KEY = "slow-key", "burst-key", "patient-key"
PICKY_KEY = "picky-key"
ALLOWED_ORIGIN = "https://www.example.com"
OTHER_ORIGIN = "https://www.example.org"

SOURCES = (
    source("web", KEY)
    + f"""
[[sources]]
name = "rotating"
write_keys = ["{NEW_KEY}", "{OLD_KEY}"]
"""
    + source("off", DISABLED_KEY, "enabled = false")
    + source("slow", SLOW_KEY, "rate_limit = 0.5\nburst = 5")  # so slow that no machine is slower
    + source("burst", BURST_KEY, "rate_limit = 0.5\nburst = 5")
    + source("patient", PATIENT_KEY, "rate_limit = 5\nburst = 5")
    + source("picky", PICKY_KEY, f'allowed_origins = ["{ALLOWED_ORIGIN}"]')
)

_numbers = count()


@dataclass(frozen=True)
class Ground:
    """A running relay and the receiver at its other end."""

    relay: RelayProcess
    receiver: Receiver

    async def arrived(self, message_id: str) -> Event:
        """The event with this messageId, once it is there."""
        await self.receiver.wait_for_ids({message_id})
        return self.receiver.find(message_id)

    async def flush(self) -> None:
        """Return when all that was accepted before has been sent: an event that came later has arrived."""
        last = event()
        assert is_success(await self.relay.post("/v1/track", last, KEY))
        await self.arrived(last["messageId"])


@asynccontextmanager
async def ground_in(folder: Path) -> AsyncIterator[Ground]:
    async with Receiver() as receiver:
        # One request at a time, so that events leave in the order in which they came.
        hook = webhook(receiver.url, more="concurrency = 1")
        async with running(folder, SOURCES + hook) as relay:
            yield Ground(relay, receiver)


def event(**fields: Any) -> Event:
    """A track that nobody sent before; `fields` change it."""
    return {"userId": "u1", "event": "Tested", "messageId": f"message-{next(_numbers)}"} | fields


def of_type(kind: str, **fields: Any) -> Event:
    """An event with what its type needs, and without the type."""
    needs = {"group": {"groupId": "g1"}, "alias": {"previousId": "u0"}}
    return event(**needs.get(kind, {}), **fields)


def is_success(answer: Answer) -> bool:
    """Exactly what every SDK takes for a success."""
    is_json = answer.headers.get("Content-Type", "").startswith("application/json")
    return answer.status == 200 and is_json and answer.json == {"success": True}


def check_refusal(answer: Answer, status: int) -> Event:
    """The error body in the form that SDKs read; returns it."""
    assert answer.status == status, answer
    assert answer.headers["Content-Type"].startswith("application/json")
    body: Event = answer.json
    assert body["success"] is False
    assert all(isinstance(body[name], str) and body[name] for name in ("code", "message", "error"))
    return body


def whole_seconds(answer: Answer) -> int:
    """Retry-After, which clients read as an integer and nothing else."""
    text = answer.headers["Retry-After"]
    assert text.isdecimal(), text
    seconds = int(text)
    assert 1 <= seconds <= 300
    return seconds

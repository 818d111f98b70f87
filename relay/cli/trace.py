"""One event on its way through a running relay, as the debugger shows it."""

from typing import Any

from relay.cli.running import Running

FINAL = frozenset(("delivered", "filtered", "duplicate", "blocked", "rejected", "expired"))
ADMITTED = "admitted"
UNKNOWN = "taken, but not admitted yet"


class Trace:
    """Made before the event is sent, so that an older one with the same messageId is not taken for it."""

    def __init__(self, running: Running, source: str, message_id: str) -> None:
        self.source = source
        self.message_id = message_id
        self._running = running
        self._seen: dict[str, Any] = {}
        status = running.get("/v1/status")
        self._after = status["log"]["head"]
        self._states = _expected(running, source, status["destinations"])

    def look(self) -> None:
        """Ask the debugger."""
        path = "/v1/debugger/events"
        found = self._running.get(path, source=self.source, messageId=self.message_id)["events"]
        self._seen = next((seen for seen in found if seen["sequence"] > self._after), self._seen)

    @property
    def verdict(self) -> str:
        return str(self._seen.get("verdict", UNKNOWN))

    @property
    def reason(self) -> str | None:
        return self._seen.get("reason")

    @property
    def notes(self) -> list[str]:
        return self._seen.get("notes") or []

    @property
    def is_final(self) -> bool:
        """Whether nothing more is to come. A paused destination is not waited for."""
        if not self._seen:
            return False
        return self.verdict != ADMITTED or all(row["state"] in FINAL | {"paused"} for row in self.rows())

    @property
    def is_delivered(self) -> bool:
        return self.verdict == ADMITTED and all(row["state"] == "delivered" for row in self.rows())

    def rows(self) -> list[dict[str, Any]]:
        """One object a destination: those that take the source's events, and any that had it all the same."""
        if self.verdict != ADMITTED:
            return []
        deliveries = self._seen["deliveries"]
        names = self._states | dict.fromkeys(deliveries, "waiting")
        return [_row(name, deliveries.get(name), self._states.get(name, "waiting")) for name in names]

    def summary(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            "messageId": self.message_id,
            "source": self.source,
            "verdict": self._seen.get("verdict"),
            "reason": self.reason,
            "notes": self.notes,
            "delivered": self.is_delivered,
            "destinations": self.rows(),
        }


def _expected(running: Running, source: str, destinations: list[dict[str, Any]]) -> dict[str, str]:
    """The state of each running destination that takes the source's events, before anything is known."""
    configured = {d.name for d in running.config.destinations if d.sources is None or source in d.sources}
    return {
        d["name"]: "paused" if d["state"] == "paused" else "waiting"
        for d in destinations
        if d["name"] in configured
    }


def _row(name: str, delivery: dict[str, Any] | None, otherwise: str) -> dict[str, Any]:
    delivery = delivery or {}
    reply = delivery.get("reply") or {}
    return {
        "destination": name,
        "state": delivery.get("state", otherwise),
        "status": reply.get("status"),
        "seconds": delivery.get("seconds"),
        "attempts": delivery.get("attempts", 0),
        "reason": delivery.get("reason"),
        "detail": delivery.get("detail"),
        "requests": delivery.get("requests", []),
    }

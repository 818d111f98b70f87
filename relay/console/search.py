"""What somebody looks for among events, in the console and in `relay tail` alike."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import msgspec
import orjson

from relay.event import Event
from relay.outcome import Outcome

ADMITTED = "admitted"
RETRYING = "retrying"
OUTCOMES = (*(str(outcome) for outcome in Outcome), RETRYING)
_RETRYING = frozenset((RETRYING, "parked", "sending"))


class Search(msgspec.Struct, frozen=True, dict=True):
    """Each field that is given must hold. `text`: its words, anywhere in an event: names, ids, properties, in any case.

    `event` is a name or a type, exactly. `outcome` is what admission said or a destination did; with `destination`, what that
    one did.
    """

    source: str | None = None
    event: str | None = None
    type: str | None = None
    message_id: str | None = None
    text: str = ""
    only_violations: bool = False
    destination: str | None = None
    outcome: str | None = None

    @cached_property
    def is_for_all(self) -> bool:
        """Whether every event is meant."""
        return self == Search()

    @property
    def is_about_deliveries(self) -> bool:
        """Whether it can be answered only once something became of the event."""
        return self.destination is not None or self.outcome is not None

    def matches(self, event: Event) -> bool:
        """Whether the event itself is meant, whatever became of it."""
        return (
            (self.source is None or event.source == self.source)
            and (not self.only_violations or breaks_plan(event))
            and (not self.text or self._has_words(event))
            and (not self._looks_inside or self._is_called_so(event.data))
        )

    def matches_fates(self, event: Event, deliveries: Mapping[str, Mapping[str, Any]]) -> bool:
        """Whether what became of it is meant: `deliveries` by destination, each with its `state`."""
        if self.destination is not None:
            found = deliveries.get(self.destination)
            return found is not None and self.is_meant(found["state"])
        if self.outcome is None:
            return True
        return (event.outcome is not None and self.is_meant(str(event.outcome))) or any(
            self.is_meant(delivery["state"]) for delivery in deliveries.values()
        )

    def is_meant(self, state: str) -> bool:
        """Whether a delivery in this state is."""
        if self.outcome == RETRYING:
            return state in _RETRYING
        return self.outcome is None or state == self.outcome

    @cached_property
    def _looks_inside(self) -> bool:
        return (self.event, self.type, self.message_id) != (None, None, None)

    def _is_called_so(self, data: Mapping[str, Any]) -> bool:
        return (
            self.message_id in (None, data.get("messageId"))
            and self.type in (None, data.get("type"))
            and self.event in (None, data.get("event"), data.get("type"), data.get("name"))
        )

    @cached_property
    def _words(self) -> tuple[tuple[bytes, ...], tuple[str, ...]]:
        """As JSON has them: those of ASCII, for which an event need not be decoded, and the others."""
        words = [
            orjson.dumps(word.encode("utf-8", "replace").decode())[1:-1].decode().lower()
            for word in self.text.split()
        ]
        return tuple(w.encode() for w in words if w.isascii()), tuple(w for w in words if not w.isascii())

    def _has_words(self, event: Event) -> bool:
        ascii_words, others = self._words
        if ascii_words:
            said = event.json.lower()
            if not all(word in said for word in ascii_words):
                return False
        return not others or all(word in event.json.decode().lower() for word in others)


def breaks_plan(event: Event) -> bool:
    """Whether an event does not keep its tracking plan: it has violations, or is blocked."""
    return bool(event.violations) or event.outcome is Outcome.BLOCKED


def search_of(query: Mapping[str, str]) -> Search:
    """What a query string asks for; an empty field asks for nothing. Raises ValueError with a sentence."""
    given = {name: value for name, value in query.items() if value}
    if (violations := given.get("violations", "false")) not in ("true", "false"):
        raise ValueError("violations must be true or false")
    if given.get("outcome", RETRYING) not in OUTCOMES:
        raise ValueError(f"outcome must be one of {', '.join(OUTCOMES)}")
    return Search(
        source=given.get("source"),
        event=given.get("event"),
        type=given.get("type"),
        message_id=given.get("messageId"),
        text=given.get("q", ""),
        only_violations=violations == "true",
        destination=given.get("destination"),
        outcome=given.get("outcome"),
    )

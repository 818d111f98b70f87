"""What an alert says, and how it says it in plain text, in Slack and as JSON.

Names and counts only, never an event's values. Names of events and fields were chosen by whoever sent the events, so they
are cut, kept on one line, and cannot become markup, a mention or a link.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from relay.body import encode
from relay.times import format_iso

LISTED = 20  # groups in one message; the others are counted
NAME_SHOWN = 200  # characters of a name or a description
SECTION = 2900  # characters; Slack: 3,000 a section
_MINUTE, _HOUR = 60, 3600


class Group(NamedTuple):
    """Violations that are one thing to mend, and how many of them there were."""

    source: str
    event: str
    kind: str
    field: str
    description: str
    total: int


class Message(msgspec.Struct, frozen=True):
    """One alert. Kept as JSON until every channel has taken it.

    `groups` are listed; `more` is the number of those that are not. `total`: violations in all. `over` and `within`
    (seconds): of a rate. Times in ms.
    """

    alert: str
    on: str
    at: int
    since: int
    sources: tuple[str, ...] = ()
    plans: Mapping[str, str] = {}  # names, by source
    groups: tuple[Group, ...] = ()
    more: int = 0
    total: int = 0
    over: int | None = None
    within: float | None = None
    is_summary: bool = False  # of what happened in the quiet time
    is_test: bool = False

    @property
    def headline(self) -> str:
        """The message in one line, of names that are the operator's own."""
        if self.is_test:
            return f"relay alert `{self.alert}`: a test, nothing is wrong"
        said = f"relay alert `{self.alert}`: {self._where}: {self._count} since {_clock(self.since)}"
        if self.over is not None and self.within is not None:
            said += f", more than {self.over:,} within {_span(self.within)}"
        return f"{said}, found in the quiet time" if self.is_summary else said

    @property
    def subject(self) -> str:
        """In short, as headers of mail are."""
        return f"[relay] {self.alert}: " + ("a test" if self.is_test else f"{self._count}, {self._where}")

    @property
    def _where(self) -> str:
        return f"source {self.sources[0]}" if len(self.sources) == 1 else f"{len(self.sources)} sources"

    @property
    def _count(self) -> str:
        if self.over is not None:
            return f"{self.total:,} violations"
        count = len(self.groups) + self.more
        return f"{count:,} new {'violation' if count == 1 else 'violations'}"

    def lines(self) -> Iterator[str]:
        """What stands below the headline."""
        if self.is_test:
            yield "Alerts of this rule arrive here."
            return
        for source in dict.fromkeys(group.source for group in self.groups):
            plan = f", plan {_name(self.plans[source])}" if source in self.plans else ""
            yield f"source {source}{plan}:"
            yield from (_line(group) for group in self.groups if group.source == source)
        if self.more:
            yield f"and {self.more:,} more {'kind' if self.more == 1 else 'kinds'} of violation"
        yield f"To see all of them: {' ; '.join(self._commands())}"

    def _commands(self) -> Sequence[str]:
        few = self.sources[:3]  # of more than these the command without an option shows all
        if len(few) < len(self.sources):
            return ["relay plan violations"]
        return [f"relay plan violations --source {source}" for source in few]

    def text(self) -> str:
        """All of it, as plain text."""
        return "\n".join((self.headline, "", *self.lines())) + "\n"


def as_json(message: Message, key: str) -> bytes:
    """What a webhook gets. `key` is the same for every try."""
    content = {
        "id": key,
        "alert": message.alert,
        "on": message.on,
        "test": message.is_test,
        "summary": message.is_summary,
        "at": format_iso(message.at),
        "since": format_iso(message.since),
        "over": message.over,
        "withinSeconds": message.within,
        "total": message.total,
        "violations": [_described(message, group) for group in message.groups],
        "more": message.more,
        "text": message.text(),
    }
    return encode(content) or b"{}"


def _described(message: Message, group: Group) -> dict[str, Any]:
    return {
        "source": group.source,
        "plan": message.plans.get(group.source),
        "event": group.event,
        "type": group.kind,
        "field": group.field,
        "description": group.description,
        "count": group.total,
    }


def as_slack(message: Message) -> bytes:
    """An incoming webhook's message. `verbatim`: Slack makes no links and mentions of what only looks like them."""
    blocks = [
        {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}
        for text in (_escaped(message.headline), *_sections(message.lines()))
    ]
    content = {
        "text": _escaped(message.headline),
        "blocks": blocks,
        "unfurl_links": False,
        "unfurl_media": False,
    }
    return encode(content) or b"{}"


def _sections(lines: Iterator[str]) -> Iterator[str]:
    """The lines, together as far as a section has room."""
    gathered = ""
    for line in map(_escaped, lines):
        if len(gathered) + len(line) >= SECTION:
            yield gathered
            gathered = ""
        gathered = f"{gathered}\n{line}" if gathered else line
    yield gathered


def _escaped(text: str) -> str:
    """As Slack asks for it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _line(group: Group) -> str:
    event = _name(group.event).replace("`", "'")
    field = f" {_name(group.field)}" if group.field else ""
    description = f": {_name(group.description)}" if group.description else ""
    return f"- `{event}`{field}{description} ({group.total:,} {'event' if group.total == 1 else 'events'})"


def _name(text: str) -> str:
    line = " ".join(text.split())
    line = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)
    return line if len(line) <= NAME_SHOWN else line[: NAME_SHOWN - 1] + "…"


def _clock(ms: int) -> str:
    return format_iso(ms)[:16].replace("T", " ") + " UTC"


def _span(seconds: float) -> str:
    for unit, name in ((_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= unit and seconds % unit == 0:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:g} s"

"""What an alert says, and how it says it in plain text, in Slack and as JSON.

Names, counts, times and codes of errors only, never an event's values. Names of events and fields were chosen by whoever
sent the events, so they are cut, kept on one line, and cannot become markup, a mention or a link.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from relay.alerts.config import VIOLATIONS
from relay.alerts.wording import clock, shown, span
from relay.body import encode
from relay.times import format_iso

LISTED = 20  # groups or findings in one message; the others are counted
SECTION = 2900  # characters; Slack: 3,000 a section


class Group(NamedTuple):
    """Violations that are one thing to mend, and how many of them there were."""

    source: str
    event: str
    kind: str
    field: str
    description: str
    total: int


class Told(msgspec.Struct, frozen=True):
    """What is wrong with a destination or a source, or is no longer so. Times in ms; `until` None: it is so now.

    `times`: how often it began anew. `text` says all of it in a sentence.
    """

    thing: str
    name: str
    since: int
    until: int | None
    times: int
    text: str
    reason: str
    numbers: Mapping[str, int | float]  # with `float` alone a message that was kept would have 15 as 15.0
    url: str


class Message(msgspec.Struct, frozen=True):
    """One alert. Kept as JSON until every channel has taken it.

    `groups` are listed; `more` is the number of those that are not. `total`: violations in all. `over` and `within`
    (seconds): of a rate. An alert that is not on violations has `findings` instead, each of them `state`. Times in ms.
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
    findings: tuple[Told, ...] = ()
    state: str = ""

    @property
    def headline(self) -> str:
        """The message in one line, of names that are the operator's own."""
        if self.is_test:
            return f"relay alert `{self.alert}`: a test, nothing is wrong"
        if self.findings:
            said = f"relay alert `{self.alert}`: {'; '.join(self._standings())}"
            return f"{said}, found in the quiet time" if self.is_summary else said
        said = f"relay alert `{self.alert}`: {self._where}: {self._count} since {clock(self.since)}"
        if self.over is not None and self.within is not None:
            said += f", more than {self.over:,} within {span(self.within)}"
        return f"{said}, found in the quiet time" if self.is_summary else said

    @property
    def subject(self) -> str:
        """In short, as headers of mail are."""
        said = "; ".join(self._standings()) if self.findings else f"{self._count}, {self._where}"
        return f"[relay] {self.alert}: {'a test' if self.is_test else said}"

    def _standings(self) -> Iterator[str]:
        """How many are so, and how many no longer."""
        for is_over, state in ((False, self.state), (True, f"no longer {self.state}")):
            some = [one for one in self.findings if (one.until is not None) == is_over]
            if some:
                several = f"{len(some):,} {some[0].thing}s"
                yield f"{f'{some[0].thing} {some[0].name}' if len(some) == 1 else several} {state}"

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
        if self.findings:
            yield from self._found()
            return
        for source in dict.fromkeys(group.source for group in self.groups):
            plan = f", plan {shown(self.plans[source])}" if source in self.plans else ""
            yield f"source {source}{plan}:"
            yield from (_line(group) for group in self.groups if group.source == source)
        if self.more:
            yield f"and {self.more:,} more {'kind' if self.more == 1 else 'kinds'} of violation"
        yield f"To see all of them: {' ; '.join(self._commands())}"

    def _found(self) -> Iterator[str]:
        for one in self.findings[:LISTED]:
            yield f"- {one.text}"
            yield one.url
        if (more := len(self.findings) - LISTED) > 0:
            yield f"and {more:,} more"

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
        **(_of_violations(message) if message.on in VIOLATIONS else _of_findings(message)),
        "text": message.text(),
    }
    return encode(content) or b"{}"


def _of_findings(message: Message) -> dict[str, Any]:
    return {
        "findings": [_found(one) for one in message.findings[:LISTED]],
        "more": max(0, len(message.findings) - LISTED),
    }


def _found(one: Told) -> dict[str, Any]:
    return {
        one.thing: one.name,
        "since": format_iso(one.since),
        "until": None if one.until is None else format_iso(one.until),
        "times": one.times,
        "reason": one.reason or None,
        **one.numbers,
        "description": one.text,
        "url": one.url,
    }


def _of_violations(message: Message) -> dict[str, Any]:
    return {
        "since": format_iso(message.since),
        "over": message.over,
        "withinSeconds": message.within,
        "total": message.total,
        "violations": [_described(message, group) for group in message.groups],
        "more": message.more,
    }


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
        for text in (_escaped(message.headline), *_sections(_linked(message)))
    ]
    content = {
        "text": _escaped(message.headline),
        "blocks": blocks,
        "unfurl_links": False,
        "unfurl_media": False,
    }
    return encode(content) or b"{}"


def _linked(message: Message) -> Iterator[str]:
    """The lines as Slack takes them: those that are a link of relay's own are one there too."""
    urls = {one.url for one in message.findings}
    for line in message.lines():
        yield f"<{line}>" if line in urls else _escaped(line)


def _sections(lines: Iterator[str]) -> Iterator[str]:
    """The lines, together as far as a section has room."""
    gathered = ""
    for line in lines:
        if len(gathered) + len(line) >= SECTION:
            yield gathered
            gathered = ""
        gathered = f"{gathered}\n{line}" if gathered else line
    yield gathered


def _escaped(text: str) -> str:
    """As Slack asks for it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _line(group: Group) -> str:
    event = shown(group.event).replace("`", "'")
    field = f" {shown(group.field)}" if group.field else ""
    description = f": {shown(group.description)}" if group.description else ""
    return f"- `{event}`{field}{description} ({group.total:,} {'event' if group.total == 1 else 'events'})"

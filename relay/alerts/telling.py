"""What is told of a destination or a source: the sentence, with the numbers and times that are in it."""

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote

from relay.alerts.config import AlertConfig
from relay.alerts.findings import Facts, Finding
from relay.alerts.message import Message, Told
from relay.alerts.wording import clock, counted, lasted, shown, span

Words = Callable[[str | None], str]

STATES: Mapping[str, str] = {
    "destination_failing": "failing",
    "destination_lagging": "behind",
    "destination_paused": "paused",
    "dead_letters": "getting dead letters",
    "delivery_rate": "below its delivery rate",
    "source_blocked": "sending what its plan blocks",
    "source_silent": "silent",
    "source_volume": "of unusual volume",
}


def message_of(
    rule: AlertConfig,
    findings: Sequence[Finding],
    now: int,
    words: Words,
    console: str,
    *,
    is_summary: bool,
) -> Message:
    """What is to be told of these findings."""
    return Message(
        rule.name,
        rule.on,
        now,
        min((one.since for one in findings if one.since is not None), default=now),
        is_summary=is_summary,
        findings=tuple(_told(rule, one, now, words, console) for one in findings),
        state=STATES[rule.on],
    )


def _told(rule: AlertConfig, finding: Finding, now: int, words: Words, console: str) -> Told:
    """One finding, as a message has it."""
    assert finding.since is not None
    thing = "source" if rule.on.startswith("source_") else "destination"
    facts, is_over = finding.facts, finding.over_at is not None
    reason = shown(words(facts.reason) or facts.reason)
    if is_over:
        text = _past(rule.on, finding, reason)
    else:
        text = _SENTENCES[rule.on](rule, finding, now) + (f"{_JOINED[rule.on]}{reason}" if reason else "")
    return Told(
        thing,
        finding.name,
        finding.since,
        finding.over_at,
        finding.times,
        f"{thing} {finding.name}: {text}",
        facts.reason,
        _numbers(facts, now),
        f"{console}/console/{thing}s/{quote(finding.name, safe='')}",
    )


def _numbers(facts: Facts, now: int) -> Mapping[str, float]:
    given = {
        "waiting": facts.waiting,
        "oldestSeconds": None if facts.oldest_at is None else (now - facts.oldest_at) // 1000,
        "events": facts.events,
        "failed": facts.failed,
        "eventsBefore": facts.before,
        "percent": None if facts.rate is None else round(facts.rate, 2),
    }
    return {name: n for name, n in given.items() if n is not None}


def _past(on: str, finding: Finding, reason: str) -> str:
    """It is over. What was not told while it was so is told now."""
    assert finding.since is not None
    assert finding.over_at is not None
    until, length = clock(finding.over_at), lasted(finding.over_at - finding.since)
    if finding.facts.is_gone:
        return f"not watched any more since {until}: it is switched off or gone"
    if finding.told_at is not None:
        return f"no longer {STATES[on]} since {until}, after {length}"
    often = f"{finding.times:,} times " if finding.times > 1 else ""
    why = f"{_JOINED[on]}{reason}" if reason else ""
    return f"was {STATES[on]} {often}from {clock(finding.since)} to {until} ({length}), and is no longer{why}"


def _failing(_: AlertConfig, finding: Finding, now: int) -> str:
    return f"failing {_since(finding, now)}, {_waiting(finding.facts)}"


def _lagging(_: AlertConfig, finding: Finding, now: int) -> str:
    facts, oldest = finding.facts, ""
    if facts.oldest_at is not None:
        oldest = f", the oldest since {clock(facts.oldest_at)} ({lasted(now - facts.oldest_at)})"
    return f"behind, {_waiting(facts)}{oldest}{'; it is paused' if facts.is_paused else ''}"


def _paused(_: AlertConfig, finding: Finding, now: int) -> str:
    return f"paused {_since(finding, now)}, {_waiting(finding.facts)}"


def _dead_letters(rule: AlertConfig, finding: Finding, _: int) -> str:
    n = counted(finding.facts.failed or 0, "new dead letter", "new dead letters")
    return f"{n} within {_within(rule)}, more than {rule.over:,}"


def _delivery_rate(rule: AlertConfig, finding: Finding, _: int) -> str:
    facts = finding.facts
    events = counted(facts.events or 0, "event", "events")
    return f"{_percent(facts.rate)} of {events} delivered within {_within(rule)}, below {rule.below:g} %"


def _blocked(rule: AlertConfig, finding: Finding, _: int) -> str:
    events = counted(finding.facts.events or 0, "event", "events")
    return f"its plan blocked {events} within {_within(rule)}, more than {rule.over:,}"


def _silent(_: AlertConfig, finding: Finding, now: int) -> str:
    return f"nothing was received {_since(finding, now)}"


def _volume(rule: AlertConfig, finding: Finding, _: int) -> str:
    facts = finding.facts
    events, rate = counted(facts.events or 0, "event", "events"), facts.rate or 0.0
    more = "fewer" if rate < 0 else "more"
    return f"{events} within {_within(rule)}, {_percent(abs(rate))} {more} than the {facts.before:,} a day before"


_Sentence = Callable[[AlertConfig, Finding, int], str]
_SENTENCES: Mapping[str, _Sentence] = {
    "destination_failing": _failing,
    "destination_lagging": _lagging,
    "destination_paused": _paused,
    "dead_letters": _dead_letters,
    "delivery_rate": _delivery_rate,
    "source_blocked": _blocked,
    "source_silent": _silent,
    "source_volume": _volume,
}
_MOSTLY = ("dead_letters", "delivery_rate", "source_blocked")
_JOINED = dict.fromkeys(STATES, ": ") | dict.fromkeys(_MOSTLY, "; mostly: ")


def _since(finding: Finding, now: int) -> str:
    assert finding.since is not None
    return f"since {clock(finding.since)} ({lasted(now - finding.since)})"


def _waiting(facts: Facts) -> str:
    waiting = facts.waiting or 0
    return f"{counted(waiting, 'request waits', 'requests wait')}"


def _within(rule: AlertConfig) -> str:
    return span((rule.within_ms or 0) / 1000)


def _percent(share: float | None) -> str:
    """To the tenth, and never so that a little is nothing or nearly all is all."""
    rounded = round(share or 0.0, 1)
    if share is not None and rounded in (0.0, 100.0) and share != rounded:
        return f"{share:.3g} %" if rounded == 0.0 else f"{int(share * 1000) / 1000:g} %"
    return f"{rounded:g} %"

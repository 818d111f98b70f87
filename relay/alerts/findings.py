"""What an alert has found of one destination or source, from the first sign until its end was told.

Something is found when it has lasted long enough. It is told once, after it has **gathered** with what else comes up and
after the quiet time of its rule; if it is over by then, that is told with it. When something that was told is over, that is told
too, and not held back by the quiet time. What comes again before its end was told goes on as if it had not ended, and what comes and
goes in the quiet time is one finding that counts how often.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from relay.alerts.rules import Standing


class Facts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What there is to say of it besides times: counts, a share in percent, the code of an error."""

    waiting: int | None = None  # requests
    oldest_at: int | None = None
    events: int | None = None
    failed: int | None = None
    before: int | None = None  # events a day before
    rate: float | None = None
    reason: str = ""
    is_paused: bool = False
    is_gone: bool = False  # nobody watches it any more


class Verdict(NamedTuple):
    """Whether it is so now; None: nobody can tell. `since`: when that is known better than from looking."""

    is_so: bool | None
    facts: Facts = Facts()
    since: int | None = None


class Finding(msgspec.Struct, frozen=True):
    """`streak`: since when it is so. The rest is of what was found; times in ms. As a row of alert_findings."""

    name: str
    streak: int | None = None
    since: int | None = None
    found_at: int | None = None
    told_at: int | None = None
    over_at: int | None = None
    times: int = 0
    facts: Facts = Facts()

    @property
    def is_new(self) -> bool:
        """Found and not told."""
        return self.found_at is not None and self.told_at is None

    @property
    def is_told_and_over(self) -> bool:
        return self.told_at is not None and self.over_at is not None

    def differs(self, other: "Finding | None") -> bool:
        """Whether it must be written down again: facts alone are not worth that."""
        return other is None or msgspec.structs.replace(self, facts=other.facts) != other

    def due_at(self, now: int, gather: int, quiet_until: int) -> int | None:
        """When there is something to tell. A clock that was set back makes no time longer than it was."""
        if self.is_new and self.found_at is not None:
            return max(min(self.found_at, now) + gather, quiet_until)
        if self.is_told_and_over and self.over_at is not None:
            return min(self.over_at, now) + gather
        return None


def advance(before: Finding, verdict: Verdict, now: int, lasting: int) -> Finding | None:
    """After a look. None: there is nothing to remember."""
    if verdict.is_so is None:
        return before
    if not verdict.is_so:
        return _ended(before, verdict, now)
    known = before.streak if verdict.since is None else verdict.since
    after = msgspec.structs.replace(before, streak=now if known is None else min(known, now))
    if now - (after.streak or 0) < lasting:
        return after
    if after.found_at is None:
        return msgspec.structs.replace(after, since=after.streak, found_at=now, times=1, facts=verdict.facts)
    again = after.over_at is not None and after.is_new
    return msgspec.structs.replace(after, over_at=None, times=after.times + again, facts=verdict.facts)


def _ended(before: Finding, verdict: Verdict, now: int) -> Finding | None:
    if before.found_at is None:
        return None
    if before.over_at is not None:
        return msgspec.structs.replace(before, streak=None)
    reason = verdict.facts.reason or before.facts.reason
    facts = msgspec.structs.replace(verdict.facts, reason=reason)
    return msgspec.structs.replace(before, streak=None, over_at=now, facts=facts)


class Outcome(NamedTuple):
    """What becomes of a rule: its standing, its findings, and those that are to be told now."""

    standing: Standing
    findings: Mapping[str, Finding]
    told: tuple[Finding, ...] = ()
    is_summary: bool = False


def settle(standing: Standing, findings: Iterable[Finding], now: int, gather: int, quiet: int) -> Outcome:
    """Decide what is told now. Times in ms."""
    found = {finding.name: finding for finding in findings}
    quiet_until = min(standing.quiet_until, now + quiet)
    new, over = _due(found.values(), now, gather, quiet_until)
    told = (*new, *over)
    if not told:
        dues = (one.due_at(now, gather, quiet_until) for one in found.values())
        due_at = min((due for due in dues if due is not None), default=None)
        return Outcome(Standing(standing.told, due_at, quiet_until), found)
    for one in told:
        left = _after_telling(one, now)
        if left is None:
            del found[one.name]
        else:
            found[one.name] = left
    is_summary = any((one.found_at or 0) < quiet_until for one in new)
    after = Standing(standing.told, None, now + quiet if new else quiet_until)
    return Outcome(after, found, told, is_summary)


def _due(
    findings: Iterable[Finding], now: int, gather: int, quiet_until: int
) -> tuple[list[Finding], list[Finding]]:
    """What is new and what is over, as far as it is to be told now: what is not due goes along with what is."""
    due = {one.name: one.due_at(now, gather, quiet_until) for one in findings}
    ready = {name for name, at in due.items() if at is not None and at <= now}
    new = [one for one in findings if one.is_new]
    over = [one for one in findings if one.is_told_and_over]
    is_new_due = any(one.name in ready for one in new)
    return new if is_new_due else [], over if ready else []


def _after_telling(one: Finding, now: int) -> Finding | None:
    if one.over_at is None:
        return msgspec.structs.replace(one, told_at=now)
    return None if one.streak is None else Finding(one.name, one.streak)

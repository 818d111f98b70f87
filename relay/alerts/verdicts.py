"""How each kind of alert on destinations and sources decides, by one look."""

from collections.abc import Callable, Mapping

from relay.alerts.config import AT_LEAST, AlertConfig
from relay.alerts.findings import Facts, Finding, Verdict
from relay.alerts.watch import DAY, Look

UNKNOWN = Verdict(is_so=None)
NOT_SO = Verdict(is_so=False)

Judge = Callable[[AlertConfig, Look, Finding], Verdict]


def judge(rule: AlertConfig, look: Look, before: Finding) -> Verdict:
    """What is to be said of the destination or source by the name of `before`."""
    if rule.on.startswith("destination_") and before.name not in look.consumers:
        return UNKNOWN  # it is being changed, or starts again
    return JUDGES[rule.on](rule, look, before)


def lasting(rule: AlertConfig) -> int:
    """Milliseconds that it must last before it is found."""
    return rule.after_ms or 0 if rule.on in ("destination_failing", "destination_paused") else 0


def _failing(_: AlertConfig, look: Look, before: Finding) -> Verdict:
    """It has answered nobody since it failed. Over when it has answered; after a restart that is to be waited for."""
    courier, since = look.consumers[before.name].courier, before.streak
    has_answered = since is None or courier.last_success >= since
    if courier.is_paused:
        return UNKNOWN  # nobody asks it
    if not courier.gate.is_held:
        return NOT_SO if has_answered else UNKNOWN
    began = courier.held_since if has_answered or since is None else min(since, courier.held_since)
    facts = Facts(waiting=look.lag(before.name), reason=courier.last_error or "")
    return Verdict(is_so=True, facts=facts, since=began)


def _lagging(rule: AlertConfig, look: Look, before: Finding) -> Verdict:
    """Too many requests wait, or one for too long. What is parked to be tried again does not wait."""
    courier, waiting = look.consumers[before.name].courier, look.lag(before.name)
    oldest = look.oldest.get(before.name)
    is_long = rule.over is not None and waiting > rule.over
    is_old = rule.after_ms is not None and oldest is not None and look.now - oldest >= rule.after_ms
    reason = courier.last_error or "" if courier.gate.is_held else ""
    facts = Facts(waiting=waiting, oldest_at=oldest, reason=reason, is_paused=courier.is_paused)
    return Verdict(is_long or is_old, facts)


def _paused(_: AlertConfig, look: Look, before: Finding) -> Verdict:
    is_paused = look.consumers[before.name].courier.is_paused
    return Verdict(is_paused, Facts(waiting=look.lag(before.name)))


def _dead_letters(rule: AlertConfig, look: Look, before: Finding) -> Verdict:
    """More than so many in a time; those that were redriven meanwhile are taken off."""
    assert rule.within_ms is not None
    assert rule.over is not None
    _, failed, reason = look.went(before.name, look.now - rule.within_ms)
    return Verdict(failed > rule.over, Facts(failed=failed, reason=reason))


def _delivery_rate(rule: AlertConfig, look: Look, before: Finding) -> Verdict:
    """Of what was sent and has its fate; filtered events do not count. With too few of them nobody can tell."""
    assert rule.within_ms is not None
    assert rule.below is not None
    delivered, failed, reason = look.went(before.name, look.now - rule.within_ms)
    events = delivered + failed
    if events < max(1, _at_least(rule)):
        return UNKNOWN
    rate = 100 * delivered / events
    return Verdict(rate < rule.below, Facts(events=events, failed=failed, rate=rate, reason=reason))


def _blocked(rule: AlertConfig, look: Look, before: Finding) -> Verdict:
    """More than so many in a time; those that were released meanwhile count too."""
    assert rule.within_ms is not None
    assert rule.over is not None
    events, reason = look.blocked(before.name, look.now - rule.within_ms)
    return Verdict(events > rule.over, Facts(events=events, reason=reason))


def _silent(rule: AlertConfig, look: Look, before: Finding) -> Verdict:
    """Nothing came for so long while relay ran, of a source that has sent something before."""
    assert rule.after_ms is not None
    since = look.now - rule.after_ms
    if look.came(before.name, since):
        return NOT_SO
    if not look.ever(before.name) or not look.ran[since, look.now]:
        return UNKNOWN
    return Verdict(is_so=True, since=since if before.streak is None else before.streak)


def _volume(rule: AlertConfig, look: Look, before: Finding) -> Verdict:
    """Against the same time a day before, when relay ran in both. Too few events then: nobody can tell."""
    assert rule.within_ms is not None
    assert rule.change is not None
    since = look.now - rule.within_ms
    spans = (since - DAY, look.now - DAY), (since, look.now)
    if not all(look.ran[span] for span in spans):
        return UNKNOWN
    earlier, events = look.came(before.name, *spans[0]), look.came(before.name, since)
    if earlier < max(1, _at_least(rule)):
        if before.facts.before is None:
            return UNKNOWN
        earlier = before.facts.before  # the day before was unusual too: against the last day that was not
    rate = 100 * (events - earlier) / earlier
    return Verdict(abs(rate) >= rule.change, Facts(events=events, before=earlier, rate=rate))


def _at_least(rule: AlertConfig) -> int:
    return AT_LEAST if rule.at_least is None else rule.at_least


JUDGES: Mapping[str, Judge] = {
    "destination_failing": _failing,
    "destination_lagging": _lagging,
    "destination_paused": _paused,
    "dead_letters": _dead_letters,
    "delivery_rate": _delivery_rate,
    "source_blocked": _blocked,
    "source_silent": _silent,
    "source_volume": _volume,
}

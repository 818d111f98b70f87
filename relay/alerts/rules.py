"""When a rule speaks.

Two times hold an alert back. What is new **gathers** for half a minute first, so that the groups of one broken release
go out together. And after an alert the rule is **quiet**: what happens meanwhile is told in one summary at the end of
that time, or not at all when nothing did.
"""

import msgspec

from relay.alerts.config import AlertConfig
from relay.alerts.rates import Counts, Key, Tally, Window, to_json

GATHER_SECONDS = (
    30.0  # a release reaches its first users within it, and nobody is the worse for so short a wait
)
KEPT_GROUPS = 100  # over a restart, of what a rate has counted in its quiet time


class Standing(msgspec.Struct, frozen=True):
    """How far a rule has come, as it is kept. Times in ms."""

    told: int  # the newest violation that was told
    due_at: int | None = None  # when what was found is to be told; None: nothing was
    quiet_until: int = 0

    def found(self, now: int, gather_seconds: float, quiet_seconds: float) -> "Standing":
        """As it is when there is something to tell. A clock that was set back makes no time longer than it was."""
        quiet_until = min(self.quiet_until, now + _ms(quiet_seconds))
        due_at = max(now + _ms(gather_seconds), quiet_until)
        if self.due_at is not None:
            due_at = min(due_at, self.due_at)
        return Standing(self.told, due_at, quiet_until)

    def nothing(self, told: int) -> "Standing":
        """As it is when there is nothing to tell, up to the violation `told`."""
        return Standing(told, None, self.quiet_until)

    def is_due(self, now: int) -> bool:
        return self.due_at is not None and self.due_at <= now

    @property
    def is_summary(self) -> bool:
        """Whether what is due waited for the end of the quiet time."""
        return self.due_at == self.quiet_until

    def after(self, now: int, told: int, quiet_seconds: float) -> "Standing":
        """As it is when it has been told."""
        return Standing(told, None, now + _ms(quiet_seconds))


def _ms(seconds: float) -> int:
    return int(seconds * 1000)


class New(msgspec.Struct, frozen=True):
    """Groups that were not there before. `newest`: the id of the last of all, whether the rule is about it or not."""

    newest: int
    count: int = 0
    total: int = 0
    since: int = 0
    sources: tuple[str, ...] = ()


class Decision(msgspec.Struct, frozen=True):
    """What becomes of a rule that stood at `before`: its standing, and what is to be told now.

    `pending`: what its rate has counted and is not told yet, as JSON.
    """

    rule: "Rule"
    before: Standing
    standing: Standing
    pending: str | None = None
    new: New | None = None
    tally: Tally | None = None
    is_summary: bool = False

    @property
    def is_told(self) -> bool:
        return self.new is not None or self.tally is not None


class Rule:
    """One rule while relay runs. `pending`: a rate that was exceeded, with what has come since, until it is told."""

    def __init__(self, config: AlertConfig, pending: Tally | None = None) -> None:
        self.config = config
        self.pending = pending
        self._window = None if config.within is None else Window(_ms(config.within))

    def is_about(self, key: Key) -> bool:
        source, event, _, _ = key
        sources, events = self.config.sources, self.config.events
        return (sources is None or source in sources) and (events is None or event in events)

    def observe(self, now: int, counts: Counts) -> None:
        """Count violations, if it is a rate."""
        if self._window is None or self.config.over is None:
            return
        mine = [(key, count) for key, count in counts if self.is_about(key)]
        if not mine:
            return
        if self.pending is not None:
            self.pending.add(mine)
        elif self._window.add(now, mine) > self.config.over:
            self.pending = self._window.take()

    def decide(self, now: int, standing: Standing, new: New | None, gather_seconds: float) -> Decision:
        """What becomes of it. `new` is what was found, None for a rate, whose `pending` is taken if it is told."""
        newest = standing.told if new is None else new.newest
        if not (self.pending if new is None else new.count):
            return Decision(self, standing, standing.nothing(newest))
        quiet = self.config.quiet
        found = standing.found(now, 0.0 if new is None else gather_seconds, quiet)
        if not found.is_due(now):
            return Decision(self, standing, found, to_json(self.pending, KEPT_GROUPS))
        tally, self.pending = self.pending, None
        return Decision(self, standing, found.after(now, newest, quiet), None, new, tally, found.is_summary)

    def give_back(self, tally: Tally | None) -> None:
        """What was taken to be told could not be written down."""
        if tally is not None:
            if self.pending is not None:
                tally.add(self.pending.by_group.items())
            self.pending = tally

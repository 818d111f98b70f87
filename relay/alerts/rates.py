"""How many violations there were lately, counted in memory: after a restart counting begins at nothing.

A window goes forward in sixtieths of its length, so it may be that much shorter than was said, never longer.
"""

from collections import deque
from collections.abc import Iterable
from operator import itemgetter

import msgspec

STEPS = 60
MAX_GROUPS = 500  # that a tally tells apart; of the others it has the total

Key = tuple[str, str, str, str]  # source, event, kind, field
Counts = Iterable[tuple[Key, int]]


class Tally(msgspec.Struct):
    """Violations since a moment (ms): `total` in all, and by group."""

    since: int
    total: int = 0
    by_group: dict[Key, int] = {}

    def add(self, counts: Counts) -> None:
        by_group = self.by_group
        for key, count in counts:
            self.total += count
            if key in by_group:
                by_group[key] += count
            elif len(by_group) < MAX_GROUPS:
                by_group[key] = count

    def most(self, n: int) -> list[tuple[Key, int]]:
        """The `n` groups with the most violations."""
        return sorted(self.by_group.items(), key=itemgetter(1), reverse=True)[:n]


class Window:
    """The violations of the last so many ms."""

    def __init__(self, length: int) -> None:
        self.length = length
        self._steps: deque[Tally] = deque()
        self._total = 0

    def add(self, now: int, counts: Counts) -> int:
        """The total, with these."""
        steps = self._steps
        while steps and not now - self.length < steps[0].since <= now:  # the clock may have been set back
            self._total -= steps.popleft().total
        if not steps or now - steps[-1].since >= self.length / STEPS:
            steps.append(Tally(now))
        before = steps[-1].total
        steps[-1].add(counts)
        self._total += steps[-1].total - before
        return self._total

    def take(self) -> Tally:
        """What is in it, as one; afterwards it is empty."""
        taken = Tally(self._steps[0].since)
        for step in self._steps:
            taken.add(step.by_group.items())
        taken.total = self._total
        self._steps.clear()
        self._total = 0
        return taken


def to_json(tally: Tally | None, n: int) -> str | None:
    """A tally to be kept, with its `n` largest groups."""
    if tally is None:
        return None
    return msgspec.json.encode((tally.since, tally.total, tally.most(n))).decode()


def from_json(text: str | None) -> Tally | None:
    if text is None:
        return None
    since, total, groups = _decode(text)
    return Tally(since, total, dict(groups))


_decode = msgspec.json.Decoder(tuple[int, int, list[tuple[Key, int]]]).decode

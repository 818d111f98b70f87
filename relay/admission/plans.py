"""The tracking plans of sources: decided once, and from then on the same for every reader.

The question was how an event that lost a property is read again a week later, when the plan has long changed. The
log keeps what arrived, so something must be written beside it. Not the changed event: that would keep every such
payload twice. Not the plan's version: every plan there ever was would have to be kept, and old code with it. What
is written is the ruling, that is the names of what was omitted and the violations as sentences; to apply it is to
take these names away and to put the sentences in, which no later plan has a say in. It is written in the same
transaction as the verdicts and the cursor, goes when its segment of the log goes, and never holds a value.

Duplicates are not looked at: what they repeat was.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from relay.body import encode
from relay.event import Event
from relay.log.feed import Rulings
from relay.outcome import Outcome
from relay.plans.checking import Checked, checked
from relay.plans.compile import CompiledPlan
from relay.plans.controls import Controls
from relay.plans.enforce import Enforcer
from relay.plans.ruling import Ruling, decode_ruling
from relay.plans.violations import Violation

Ruled = tuple[Event, Ruling]

LOOP_SECONDS = (
    0.005  # of the loop at a time: events in violation cost ten times what good ones do, or a thousand
)


class SourcePlans:
    """The plan of every source that has one."""

    def __init__(self) -> None:
        self._enforcers: dict[str, Enforcer] = {}

    def take_up(
        self,
        plans: Mapping[str, CompiledPlan],
        controls: Iterable[tuple[str, Controls]],
        *,
        has_consent: bool = False,
    ) -> None:
        """From now on these plans, by their source's name, under the controls of each source.

        `has_consent`: whether destinations ask for it.
        """
        self._enforcers = {
            name: Enforcer(plans[name], said, has_consent=has_consent)
            for name, said in controls
            if name in plans
        }

    async def rule(self, groups: Iterable[list[Event]]) -> list[Ruled]:
        """The good events that do not keep their plan, with what was decided; nothing is done to them yet."""
        ruled: list[Ruled] = []
        enforcers = self._enforcers
        if not enforcers:
            return ruled
        since = time.perf_counter()
        for events in groups:
            enforcer = enforcers.get(events[0].source) if events else None
            if enforcer is None:
                continue
            for event in events:
                if event.outcome is None and (ruling := enforcer(event.data)) is not None:
                    ruled.append((event, ruling))
                    if time.perf_counter() - since > LOOP_SECONDS:
                        await asyncio.sleep(0)
                        since = time.perf_counter()
        return ruled

    def blocks(self, source: str, data: dict[str, Any]) -> bool:
        """Whether a good event of this source would be blocked now."""
        enforcer = self._enforcers.get(source)
        ruling = None if enforcer is None else enforcer(data)
        return ruling is not None and ruling.blocked is not None

    def breaches(self, event: Event) -> list[Violation]:
        """For what a strict source refuses `event`, which has no place in the log yet."""
        enforcer = self._enforcers.get(event.source)
        if enforcer is None or event.outcome is not None:
            return []
        return enforcer.breaches(event.data if event.message_id else {**event.data, "messageId": "relay"})

    def judged(self, event: Event) -> dict[str, Any]:
        """What would become of `event`, as JSON has it. Afterwards it is as it would be delivered."""
        enforcer = self._enforcers.get(event.source)
        if event.outcome is not None:
            found = Checked(str(event.outcome), event.reason)
        else:
            ruling = None if enforcer is None else enforcer(event.data)
            found = Checked("admitted") if enforcer is None else _checked(enforcer, event.data, ruling)
            if ruling is not None:
                settle(event, ruling)
        plan = None if enforcer is None else enforcer.compiled.plan.name
        return {"plan": plan, **msgspec.to_builtins(found), "notes": list(event.notes), "event": event.data}


def _checked(enforcer: Enforcer, data: dict[str, Any], ruling: Ruling | None) -> Checked:
    return checked(enforcer.compiled, data, ruling, is_planned=enforcer.plans_always(data))


def settle(event: Event, ruling: Ruling) -> None:
    """Make of `event`, which is as it arrived, what was decided."""
    event.notes += ruling.notes()
    event.violations = ruling.violations
    if ruling.blocked is not None:
        event.outcome, event.reason = Outcome.BLOCKED, ruling.blocked
        return
    data = ruling.applied(event.data)
    event.json, event.decoded = encode(data) or event.json, data


def settle_all(events: list[Event], rulings: Rulings) -> list[Event]:
    """The events of one record as was decided: `rulings` are what was written down, by index."""
    if rulings:
        for event in events:
            if event.index in rulings:
                settle(event, decode_ruling(rulings[event.index]))
    return events

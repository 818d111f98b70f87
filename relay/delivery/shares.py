"""Events that several subscriptions want: each has its fate when the last of its parcels is done.

The worst counts: what must be tried again is parked, else what was refused is a dead letter. Subscriptions that
went well are noted with it, so that a later try serves only the others.
"""

from collections import Counter
from collections.abc import Sequence

from relay.delivery.batch import Batch
from relay.delivery.fates import BEHIND, Fates
from relay.delivery.routing import NO_MAPPING
from relay.destinations.base import Parcel
from relay.destinations.reply import Reply
from relay.event import Event

Place = tuple[int, int]
Delayed = tuple[Reply, int]  # why, and when the destination last answered well


class Shares:
    """The parcels of one batch, and how far each of its events is."""

    def __init__(self, fates: Fates, batch: Batch, parcels: Sequence[Parcel]) -> None:
        self._fates = fates
        self._done: dict[Place, list[str]] = {}
        self._left: Counter[Place] = Counter()
        self._parked: dict[Place, Delayed] = {}
        self._refused: dict[Place, Reply] = {}
        self.parcels = self._open(batch, parcels)
        if batch.parked is None and len(parcels) == 1 and len(parcels[0].events) == len(batch.events):
            return  # nearly always: everything goes together
        if len({parcel.subscription for parcel in self.parcels}) > 1:
            counts = Counter(_place(event) for parcel in self.parcels for event in parcel.events)
            self._left.update({place: n for place, n in counts.items() if n > 1})
        self._close(batch, parcels)

    @property
    def has_shared(self) -> bool:
        """Whether an answer to one parcel does not yet decide an event's fate."""
        return bool(self._left)

    def _open(self, batch: Batch, parcels: Sequence[Parcel]) -> list[Parcel]:
        """The parcels, without the events that an earlier try has served."""
        if batch.parked is None:
            return list(parcels)
        served = {place: row.done.split() for place, row in batch.parked.items() if row.done}
        if not served:
            return list(parcels)
        self._done = served
        left = [
            p.part([e for e in p.events if p.subscription not in served.get(_place(e), ())]) for p in parcels
        ]
        return [parcel for parcel in left if parcel.events]

    def _close(self, batch: Batch, parcels: Sequence[Parcel]) -> None:
        """Give their fate to the events that nothing is left to do for."""
        carried = {_place(event) for parcel in self.parcels for event in parcel.events}
        if len(carried) == len(batch.events):
            return
        served = {_place(event) for parcel in parcels for event in parcel.events} - carried
        rest = [event for event in batch.events if _place(event) not in carried]
        if done := [event for event in rest if _place(event) in served]:
            self._fates.delivered(batch.part(done))
        self._fates.unwanted(batch.part([e for e in rest if _place(e) not in served]), NO_MAPPING)

    def delivered(self, batch: Batch, parcel: Parcel) -> None:
        """These went well, as far as this parcel is concerned."""
        alone = self._alone(batch)
        if alone.events:
            self._fates.delivered(alone)
        if len(alone.events) < len(batch.events):
            for event in self._shared(batch):
                self._done.setdefault(_place(event), []).append(parcel.subscription)
                self._finish(event, batch)

    def bury(self, batch: Batch, parcel: Parcel, reply: Reply) -> None:  # noqa: ARG002
        """These were refused."""
        for event in batch.events:
            place = _place(event)
            if place not in self._left:
                self._fates.bury(batch.part([event]), reply, done=self._done.get(place, ()))
                continue
            self._refused[place] = reply
            self._finish(event, batch)

    def park(self, batch: Batch, parcel: Parcel, reply: Reply, last_success: int) -> None:  # noqa: ARG002
        """These must be tried later."""
        for event in batch.events:
            place = _place(event)
            if place not in self._left:
                self._fates.park(batch.part([event]), reply, last_success, done=self._done.get(place, ()))
                continue
            self._parked[place] = reply, last_success
            if self._fates.keeps_order:
                self._left[place] = 1  # the user's later events must find it in the table: the rest waits too
            self._finish(event, batch)

    def park_behind(self, batch: Batch, event: Event, parcel: Parcel) -> bool:
        """True, and cared for, when it waits in the retry table, or an earlier event of the same user does."""
        if _place(event) in self._parked:
            return True
        if batch.parked is not None or not self._fates.is_behind(event):
            return False
        if _place(event) in self._left:
            self.park(batch.part([event]), parcel, Reply(None, "", 0.0, BEHIND), 0)
            return True
        return self._fates.park_behind(event)

    def _alone(self, batch: Batch) -> Batch:
        left = self._left
        return batch if not left else batch.part([e for e in batch.events if _place(e) not in left])

    def _shared(self, batch: Batch) -> list[Event]:
        return [event for event in batch.events if _place(event) in self._left]

    def _finish(self, event: Event, batch: Batch) -> None:
        place = _place(event)
        self._left[place] -= 1
        if self._left[place]:
            return
        one = batch.part([event])
        done = self._done.get(place, ())
        if place in self._parked:
            self._fates.park(one, *self._parked[place], done=done)
        elif place in self._refused:
            self._fates.bury(one, self._refused[place], done=done)
        else:
            self._fates.delivered(one)
            self._fates.tell(event)


def _place(event: Event) -> Place:
    return event.sequence, event.index

"""An answer that looks like another: a flow reads "later" in a 200 or a 403."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import pytest

from relay.destinations.base import Destination, Request, Steps
from relay.destinations.errors import Busy, HttpError
from relay.event import Event
from tests.delivery.choosy import Choosy
from tests.delivery.clock import Clock
from tests.delivery.pipeline import ids, pipeline, target, tracks

pytestmark = pytest.mark.usefixtures("quick")


class Polite(Destination, frozen=True):
    """Takes a 403 for "later, in a minute"."""

    title: ClassVar[str] = "Polite"
    summary: ClassVar[str] = "Says later with a status that says never."
    batch: ClassVar[int] = 4
    max_batch: ClassVar[int] = 4

    url: str

    def requests(self, events: Sequence[Event], *, is_batch: bool = False) -> Steps:
        try:
            yield Request("POST", self.url, {}, b"[" + b",".join(event.json for event in events) + b"]")
        except HttpError:
            raise Busy("not now", "LIMIT", after=60.0) from None


async def test_the_destination_is_held_as_long_as_the_flow_says_and_the_batch_stays_whole(
    tmp_path: Path,
) -> None:
    clock = Clock()
    answers: Iterator[tuple[int, dict[str, str]]] = iter([(403, {})])
    async with (
        Choosy(lambda _: next(answers, (200, {}))) as receiver,
        pipeline(tmp_path, clock=clock) as line,
    ):
        await line.apply(target("it", "polite", Polite(url=receiver.url), batch_wait="1h"))
        events = tracks(4)
        await line.send_batch(events)
        status = await line.until(lambda s: s["state"] == "held", "it")
        assert status["lastError"] == "LIMIT"
        clock.move(59.9)
        line.wake()
        assert len(receiver.requests) == 1
        clock.move(0.2)
        line.wake()
        await receiver.wait_for_ids(ids(events))
        assert (await line.done("it"))["events"]["delivered"] == 4
        assert [len(list(request.events())) for request in receiver.requests] == [4, 4]

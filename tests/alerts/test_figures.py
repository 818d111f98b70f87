"""Dead letters, the rate of deliveries, and what sources send: told from the totals that the history has."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from relay.alerts.outbox import SQL as ALERTS
from relay.log.state import SQL
from tests.alerts.house import START, House, rule
from tests.delivery.clock import Clock
from tests.history.house import House as Past
from tests.receiver import Receiver

LETTERS = {"on": "dead_letters", "over": 10, "within": "10m"}
RATE = {"on": "delivery_rate", "below": 95}
VOLUME = {"on": "source_volume", "change": 50}
BLOCKED = {"on": "source_blocked", "over": 0, "within": "10m"}
SILENT = {"on": "source_silent", "after": "30m"}
MINUTE, HOUR, DAY = 60, 3600, 86_400


class Lived(House):
    """A house with a past: `past` is what admission, delivery and the history would have written."""

    past: Past

    async def live(self, minutes: int, each: int = 1) -> None:
        """So many minutes of a relay that runs, with a look every so many."""
        for number in range(minutes):
            self.clock.move(MINUTE)
            await self.past.history.tick()
            if number % each == each - 1:
                await self.step()

    async def be_off(self, seconds: float) -> None:
        """So long nothing runs."""
        await self.restart()
        self.clock.move(seconds)
        self.past = Past(self.state, self.clock)
        await self.past.history.open()


@pytest.fixture
async def lived(tmp_path: Path) -> AsyncIterator[Lived]:
    made = Lived(tmp_path, Clock(START))
    await made.open()
    made.past = Past(made.state, made.clock)
    await made.past.enrol()
    await made.past.history.open()
    yield made
    await made.close()


def texts(receiver: Receiver) -> list[str]:
    return [one["description"] for request in receiver.requests for one in request.json["findings"]]


def last(receiver: Receiver) -> Any:
    return receiver.requests[-1].json["findings"][-1]


async def test_more_dead_letters_than_so_many_are_told_with_the_reason_of_most(
    lived: Lived, receiver: Receiver
) -> None:
    await lived.past.went(50, failed=500)  # the past
    await lived.live(30)
    await lived.rules(rule(receiver.url, **LETTERS))
    await lived.past.went(5, failed=10)
    await lived.live(3)
    assert receiver.requests == []
    await lived.past.went(0, failed=1)
    await lived.live(3)
    assert texts(receiver) == [
        "destination hook: 11 new dead letters within 10 min, more than 10; mostly: the destination answered 400 Bad Request"
    ]
    assert (last(receiver)["failed"], last(receiver)["reason"]) == (11, "400")
    await lived.live(15)
    assert "destination hook: no longer getting dead letters since" in texts(receiver)[1]
    await lived.live(120, 10)
    assert len(receiver.requests) == 2


async def test_dead_letters_that_were_redriven_are_taken_off(lived: Lived, receiver: Receiver) -> None:
    await lived.rules(rule(receiver.url, **LETTERS))
    await lived.live(15)
    await lived.past.went(0, failed=12)
    await lived.past.went(0, failed=-5)
    await lived.live(5)
    assert receiver.requests == []


async def test_dead_letters_that_come_over_a_longer_time_are_not_told(
    lived: Lived, receiver: Receiver
) -> None:
    await lived.rules(rule(receiver.url, **LETTERS))
    for _ in range(20):
        await lived.past.went(0, failed=8)
        await lived.live(12)
    assert receiver.requests == []


async def test_dead_letters_that_were_found_before_a_crash_are_told_after_it(
    lived: Lived, receiver: Receiver
) -> None:
    await lived.rules(rule(receiver.url, **LETTERS))
    await lived.live(5)
    await lived.past.went(0, failed=11)
    await lived.step(10)
    await lived.be_off(DAY)
    await lived.step(30)
    assert [one["failed"] for request in receiver.requests for one in request.json["findings"]] == [11]
    await lived.be_off(DAY)
    await lived.live(5)
    assert len(receiver.requests) == 2
    assert last(receiver)["until"] is not None


async def test_too_few_deliveries_of_enough_events_are_told(lived: Lived, receiver: Receiver) -> None:
    await lived.rules(rule(receiver.url, **RATE))
    await lived.live(2)
    await lived.past.went(80, failed=19)
    await lived.live(5)
    assert receiver.requests == []  # 99 events are too few
    await lived.past.went(20)
    await lived.live(5)
    assert texts(receiver) == [
        "destination hook: 84 % of 119 events delivered within 24 h, below 95 %; mostly: the destination answered 400 Bad Request"
    ]
    await lived.past.went(1000)
    await lived.live(5)
    assert "no longer below its delivery rate" in texts(receiver)[1]


async def test_filtered_events_do_not_count(lived: Lived, receiver: Receiver) -> None:
    await lived.rules(rule(receiver.url, **RATE, at_least=10))
    await lived.past.went(96, failed=4)
    await lived.past.execute("save_fate_reasons", '[["hook","filtered","FILTERED_BY_RULES",0,5000,"[]"]]')
    await lived.live(5)
    assert receiver.requests == []
    await lived.past.went(0, failed=2)
    await lived.live(5)
    assert (last(receiver)["events"], last(receiver)["failed"]) == (102, 6)


async def test_a_rate_is_of_its_time(lived: Lived, receiver: Receiver) -> None:
    await lived.rules(rule(receiver.url, **RATE, within="1h"))
    await lived.past.went(1000, failed=0)
    await lived.live(90, 10)
    await lived.past.went(50, failed=60)
    await lived.live(5)
    assert (last(receiver)["events"], last(receiver)["percent"]) == (110, 45.45)


async def test_what_a_plan_blocks_is_told_with_the_reason_of_most(lived: Lived, receiver: Receiver) -> None:
    await lived.past.came(500, outcome="blocked", reason="schema_violation")  # the past
    await lived.live(30)
    await lived.rules(rule(receiver.url, **BLOCKED))
    await lived.past.came(20)
    await lived.past.came(30, outcome="duplicate", reason="duplicate_message_id")
    await lived.live(3)
    assert receiver.requests == []
    await lived.past.came(1, outcome="blocked", reason="schema_violation")
    await lived.past.came(2, outcome="blocked", reason="unplanned")
    await lived.live(3)
    assert texts(receiver) == [
        "source web: its plan blocked 3 events within 10 min, more than 0; mostly: it is not in the tracking plan of its source"
    ]
    found = last(receiver)
    assert (found["source"], found["events"], found["reason"]) == ("web", 3, "unplanned")
    assert found["url"] == "http://127.0.0.1:8081/console/sources/web"
    await lived.live(15)
    assert "source web: no longer sending what its plan blocks since" in texts(receiver)[1]
    assert len(receiver.requests) == 2


async def test_blocked_events_that_come_over_a_longer_time_are_not_told(
    lived: Lived, receiver: Receiver
) -> None:
    await lived.rules(rule(receiver.url, **{**BLOCKED, "over": 10}))
    for _ in range(20):
        await lived.past.came(8, outcome="blocked", reason="unplanned")
        await lived.live(12)
    assert receiver.requests == []


async def test_a_source_that_falls_silent_is_told_and_when_it_sends_again(
    lived: Lived, receiver: Receiver
) -> None:
    await lived.rules(rule(receiver.url, **SILENT))
    await lived.live(60, 5)
    assert receiver.requests == []  # it has never sent anything
    await lived.past.came(1)
    await lived.live(29)
    assert receiver.requests == []
    await lived.live(4)
    assert texts(receiver) == ["source web: nothing was received since 2026-09-21 15:14 UTC (31 min)"]
    assert last(receiver)["source"] == "web"
    assert last(receiver)["url"] == "http://127.0.0.1:8081/console/sources/web"
    await lived.live(200, 10)
    assert len(receiver.requests) == 1
    await lived.past.came(1)
    await lived.live(2)
    assert "source web: no longer silent since 2026-09-21 19:07 UTC" in texts(receiver)[1]


async def test_what_could_not_come_while_relay_was_off_is_no_silence(
    lived: Lived, receiver: Receiver
) -> None:
    await lived.rules(rule(receiver.url, **SILENT))
    await lived.past.came(1)
    await lived.live(5)
    await lived.be_off(2 * HOUR)
    await lived.live(26)
    assert receiver.requests == []
    await lived.live(8)
    assert len(receiver.requests) == 1


async def test_a_restart_does_not_hide_silence(lived: Lived, receiver: Receiver) -> None:
    await lived.rules(rule(receiver.url, **SILENT))
    await lived.past.came(1)
    await lived.live(20)
    await lived.be_off(30)
    await lived.live(14)
    assert len(receiver.requests) == 1
    await lived.be_off(30)
    await lived.live(40)
    assert len(receiver.requests) == 1


async def an_hour(lived: Lived, events: int, day: int) -> None:
    """The same hour of a day, with so many events."""
    start = START + day * DAY
    assert lived.clock.at <= start
    lived.clock.at = start
    await lived.past.history.tick()
    await lived.live(3, 10)
    await lived.past.came(events)
    await lived.live(60, 5)


@pytest.mark.parametrize(
    ("events", "said"),
    [
        (99, ["99 events within 1 h, 50.5 % fewer than the 200 a day before"]),
        (101, []),
        (299, []),
        (300, ["300 events within 1 h, 50 % more than the 200 a day before"]),
        (0, ["0 events within 1 h, 100 % fewer than the 200 a day before"]),
    ],
)
async def test_a_volume_is_compared_with_the_same_hour_of_the_day_before(
    lived: Lived, receiver: Receiver, events: int, said: list[str]
) -> None:
    await lived.rules(rule(receiver.url, **VOLUME))
    await an_hour(lived, 200, day=0)
    await an_hour(lived, events, day=1)
    await lived.live(2)
    assert texts(receiver) == [f"source web: {one}" for one in said]


async def test_a_volume_that_is_as_before_is_the_end_whatever_the_day_before_was(
    lived: Lived, receiver: Receiver
) -> None:
    await lived.rules(rule(receiver.url, **VOLUME))
    await an_hour(lived, 200, day=0)
    await an_hour(lived, 10, day=1)
    await an_hour(lived, 10, day=2)
    assert len(receiver.requests) == 1
    await an_hour(lived, 180, day=3)
    await lived.live(2)
    assert "source web: no longer of unusual volume since" in texts(receiver)[1]
    assert len(receiver.requests) == 2


async def test_too_few_events_the_day_before_are_nothing_to_compare_with(
    lived: Lived, receiver: Receiver
) -> None:
    await lived.rules(rule(receiver.url, **VOLUME))
    await an_hour(lived, 99, day=0)
    await an_hour(lived, 1000, day=1)
    await lived.live(2)
    assert receiver.requests == []


async def test_a_day_on_which_relay_was_off_is_nothing_to_compare_with(
    lived: Lived, receiver: Receiver
) -> None:
    await lived.rules(rule(receiver.url, **VOLUME))
    await lived.past.came(1000)
    await lived.be_off(DAY)
    await an_hour(lived, 500, day=2)
    await lived.live(2)
    assert receiver.requests == []


@pytest.mark.parametrize(
    ("query", "values"), [(SQL["history_before"], (1,)), (ALERTS["moments_of_history"], (1, 2))]
)
async def test_a_look_does_not_read_the_whole_history(
    lived: Lived, query: str, values: tuple[int, ...]
) -> None:
    plan = await lived.state.read(lambda c: c.execute(f"EXPLAIN QUERY PLAN {query}", values).fetchall())
    assert [step for *_, step in plan if "SCAN history" in step and "marks" not in step] == []

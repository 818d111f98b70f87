"""Rows of the history: when they are written, what they say, how long they are kept, and what is read from them."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from relay.history import history as room
from relay.history.history import HOUR, KEPT, KEPT_BY_MINUTE, RANGES
from relay.log.state import State
from tests.acceptance.relay_process import eventually
from tests.delivery.clock import Clock
from tests.faults.disk import Disk
from tests.history.house import MINUTE, START, House, house

DAY = 24 * HOUR


async def test_what_happened_in_a_minute_is_in_its_point_and_nowhere_else(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        await at.minutes(2)
        await at.came(5)
        await at.went(4, failed=1)
        await at.minutes(3)
        overview = await at.history.overview("1h")
        (hook,), (web,) = overview.series.destinations, overview.series.sources
        assert len(overview.series.at) == len(hook.delivered) == len(web.received) == 60
        assert [n for n in web.received if n] == [5]
        assert [n for n in hook.delivered if n] == [4]
        minute = overview.series.at[web.received.index(5)]
        assert minute == int(START * 1000) + 3 * MINUTE
        number = hook.delivered.index(4)
        assert (hook.failed[number], hook.error_rate[number]) == (1, 0.2)
        assert hook.delivered_per_second[number] == pytest.approx(4 / 60, abs=0.001)


async def test_the_minute_that_is_not_over_is_there_too(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        await at.minutes(1)
        at.clock.move(20)
        await at.came(3)
        await at.went(2)
        at.doors["web"].rejected["bad_request"] += 1
        overview = await at.history.overview("1h")
        assert overview.series.destinations[0].delivered[-1] == 2
        assert overview.series.destinations[0].backlog[-1] == 1
        assert overview.series.destinations[0].lag[-1] == 1
        assert overview.series.sources[0].refused[-1] == 1
        (web,), (hook,) = overview.funnel.sources, overview.funnel.destinations
        assert (web.received, web.admitted, hook.delivered) == (3, 3, 2)
        assert web.refused.reasons[0].words == "in words: bad_request"


async def test_a_funnel_of_one_source_and_destination_is_of_these(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        at.doors["app"] = type(at.doors["web"])()
        await at.came(3)
        await at.came(2, source="app", outcome="duplicate", reason="duplicate_message_id")
        funnel = await at.history.funnel("1h", source="app", destination="nobody")
        assert [(one.name, one.received, one.admitted) for one in funnel.sources] == [("app", 2, 0)]
        assert funnel.destinations == ()
        whole = await at.history.funnel("1h")
        assert [one.received for one in whole.sources] == [3, 2]
        assert [(one.name, one.received) for one in whole.destinations] == [("hook", 5)]


async def test_delays_are_told_by_their_classes(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        await at.went(90, seconds=0.1)
        await at.went(10, seconds=20)
        await at.minutes()
        hook = (await at.history.funnel("1h")).destinations[0]
        assert hook.p50 is not None
        assert hook.p95 is not None
        assert 0.064 <= hook.p50 <= 0.128
        assert 16.384 <= hook.p95 <= 32.768


async def test_what_the_gateway_counts_is_kept_over_a_restart_and_only_once(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        door = at.doors["web"]
        door.rejected["bad_request"] = 2
        door.statuses.update({200: 7, 400: 2})
        await at.minutes(2)
        door.statuses[200] += 1
        await at.history.close()
        at.doors["web"] = type(door)()  # a new process counts from nothing
        at.begin()
        at.doors["web"].statuses[200] = 1
        await at.history.open()
        await at.minutes()
        (web,) = (await at.history.funnel("1h")).sources
        assert web.answers == {"200": 9, "400": 2}
        assert [(r.code, r.events) for r in web.refused.reasons] == [("bad_request", 2)]


async def test_after_a_crash_nothing_is_missing_and_nothing_twice(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        for _ in range(4):
            await at.came(10)
            await at.went(10)
            at.clock.move(30)
            await at.history.tick()
            at.begin()
            await at.history.open()
        await at.minutes(3)
        overview = await at.history.overview("1h")
        assert overview.funnel.destinations[0].delivered == 40
        assert sum(n or 0 for n in overview.series.destinations[0].delivered) == 40
        assert sum(n or 0 for n in overview.series.sources[0].received) == 40


async def test_what_came_after_a_long_stop_is_not_of_the_time_before(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        await at.came(7)
        await at.went(7)
        at.clock.move(20)  # and it crashed before the minute was over
        await asyncio.sleep(0)
        at.begin()
        at.clock.move(3 * 3600)
        await at.history.open()
        await at.minutes()
        await at.came(1)
        await at.went(1)
        await at.minutes()
        funnel = await at.history.funnel("24h")
        assert (funnel.sources[0].received, funnel.destinations[0].delivered) == (8, 8)
        hook = await at.series("1h")
        assert [n for n in hook.delivered if n] == [7, 1]


async def test_what_was_there_before_the_first_row_is_of_no_minute(tmp_path: Path) -> None:
    state = await State.open(tmp_path / "state.db")
    at = House(state, Clock(START))
    await at.enrol()
    await at.came(1000)
    await at.went(1000)
    await at.history.open()
    await at.came(1)
    await at.minutes()
    funnel = await at.history.funnel("7d")
    assert (funnel.sources[0].received, funnel.destinations[0].delivered) == (1, 0)
    await state.close()


async def test_a_range_that_begins_before_relay_did_is_not_averaged_over_what_was_not(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        await at.came(60)
        await at.went(60)
        at.clock.move(30)
        overview = await at.history.overview("7d")
        assert [n for n in overview.series.destinations[0].delivered_per_second if n] == [2.0]
        assert [n for n in overview.series.sources[0].received_per_second if n] == [2.0]


async def test_a_destination_that_is_new_has_its_first_minute(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        await at.minutes(3)
        await at.enrol("new")
        at.states["new"] = "running"
        await at.came(4)
        await at.went(3, "new")
        await at.minutes(2)
        assert [n for n in (await at.series("1h", "new")).delivered if n] == [3]


async def test_rows_are_thinned_and_dropped_and_never_more_than_so_many(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        await at.minutes(90)
        sent = []
        for _ in range(9 * 24 * 6):  # nine days, with a row every ten minutes
            at.clock.move(600)
            await at.came(1)
            await at.went(1)
            await at.history.tick()
            sent.append(int(at.clock() * 1000))
        await at.minutes(60)
        now = int(at.clock() * 1000) // MINUTE * MINUTE
        moments = [moment for _, name, moment in await at.rows() if name == "hook"]
        assert min(moments) >= now - KEPT
        tenths = [-(-m // (10 * MINUTE)) for m in moments if m < now - KEPT_BY_MINUTE - 10 * MINUTE]
        assert len(set(tenths)) == len(tenths)
        assert len(moments) <= KEPT_BY_MINUTE / MINUTE + KEPT / MINUTE / 10
        assert len([moment for moment in moments if moment > now - HOUR]) == 60
        funnel = await at.history.funnel("7d")
        expected = len([moment for moment in sent if moment > funnel.since])
        assert funnel.destinations[0].delivered == expected
        series = await at.series("7d")
        assert sum(n or 0 for n in series.delivered) == expected
        assert [n for n in series.delivered if n][1:-1] == [6] * 166
        assert len(series.delivered) <= 170


async def test_a_full_history_of_a_day_has_every_minute_and_no_more(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        await at.minutes(26 * 60)
        now = int(at.clock() * 1000)
        moments = [moment for _, name, moment in await at.rows() if name == "web"]
        assert len([m for m in moments if m >= now - KEPT_BY_MINUTE]) == 25 * 60 + 1
        assert len(await at.rows()) <= 2 * (25 * 60 + 1 + 7)
        assert len((await at.series("24h")).delivered) == 24 * 12 + 1


async def test_a_source_that_is_gone_vanishes_with_its_last_row(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        await at.came(5)
        at.doors["web"].statuses[200] = 5
        await at.minutes(2)
        at.doors.clear()
        await at.minutes(2)
        assert [one.received for one in (await at.history.funnel("1h")).sources] == [5]
        at.clock.move(2 * 3600)
        assert (await at.history.funnel("1h")).sources == ()
        assert [one.received for one in (await at.history.funnel("24h")).sources] == [5]
        at.clock.move(9 * 24 * 3600)
        await at.minutes()
        for table in ("source_counts", "door_counts", "history_marks WHERE kind = 'source'"):
            assert await at.rows(f"SELECT * FROM {table}") == []
        at.doors["web"] = type("Door", (), {"rejected": {}, "statuses": {}})()
        await at.came(1)
        await at.minutes()
        assert [one.received for one in (await at.history.funnel("7d")).sources] == [1]


async def test_a_destination_that_comes_back_after_weeks_goes_on_from_where_it_was(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        await at.came(50)
        await at.went(50)
        await at.minutes(2)
        at.states.clear()
        at.clock.move(20 * 24 * 3600)
        await at.minutes()
        assert await at.rows("SELECT * FROM history WHERE kind = 'destination'") == []
        assert (await at.history.funnel("7d")).destinations == ()
        at.states["hook"] = "running"
        await at.came(2)
        await at.went(2)
        await at.minutes()
        assert (await at.history.funnel("7d")).destinations[0].delivered == 2


async def test_a_clock_that_is_set_back_costs_the_rows_of_the_future_and_no_more(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        await at.came(3)
        await at.went(3)
        await at.minutes(5)
        at.clock.move(-180)
        await at.history.tick()
        await at.came(2)
        await at.went(2)
        await at.minutes(1)
        now = int(at.clock() * 1000)
        assert max(moment for _, _, moment in await at.rows()) <= now
        assert (await at.history.funnel("1h")).destinations[0].delivered == 5


async def test_what_was_refused_before_and_is_tried_again_is_said_so(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        await at.came(10)
        await at.went(0, failed=10)
        await at.minutes(70)

        def redrive(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE fate_reasons SET count = 4")
            connection.execute("UPDATE consumers SET rejected = 4, delivered = 6")

        await at.state.write(redrive)
        (hook,) = (await at.history.funnel("1h")).destinations
        assert (hook.carried, hook.redriven, hook.received) == (0, 6, 0)
        assert (hook.failed_delivery.events, hook.delivered, hook.in_hand) == (0, 6, 0)


async def test_a_minute_that_cannot_be_written_is_in_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk()
    state = await State.open(tmp_path / "state.db", connect=disk.connect)
    at = House(state, Clock(START))
    await at.enrol()
    await at.history.open()
    monkeypatch.setattr(room, "MINUTE", 1)  # the loop looks all the time
    at.doors["web"].statuses[200] = 3
    disk.break_down("COMMIT", times=3)
    loop = asyncio.create_task(at.history.run())

    async def is_written() -> bool:
        found = await at.rows("SELECT count FROM door_counts")
        at.clock.move(1)
        return found == [(3,)]

    await eventually(is_written, 30, lambda: "never written")
    assert not loop.done()
    loop.cancel()
    await asyncio.wait([loop])
    assert disk.remaining == 0
    await state.close()


def test_every_range_has_rows_for_its_points() -> None:
    for name, span in RANGES.items():
        grain = MINUTE if span.length + span.step <= KEPT_BY_MINUTE else 10 * MINUTE
        assert span.step % grain == 0, name
        assert span.length + span.step <= KEPT, name
        assert span.length // span.step <= 300, name


async def test_an_incident_stays_in_the_error_rate_when_all_of_it_is_tried_again(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        await at.minutes(2)
        await at.came(10)
        await at.went(0, failed=10)
        await at.minutes(3)

        def redrive(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE fate_reasons SET count = 0")
            connection.execute("UPDATE consumers SET rejected = 0, delivered = 10")

        await at.state.write(redrive)
        await at.minutes(2)
        overview = await at.history.overview("1h")
        for hook in (*overview.series.destinations, *overview.table.destinations):
            assert sum(n or 0 for n in hook.failed) == 10
        assert (overview.funnel.destinations[0].error_rate, hook.error_rate_of_all()) == (0.5, 0.5)

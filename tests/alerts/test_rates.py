"""More than so many violations within a time, counted in memory."""

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from relay.alerts.rates import MAX_GROUPS, STEPS, Key, Tally, Window, from_json, to_json
from tests.alerts.house import House, rule
from tests.receiver import Receiver

RATE = {"on": "violation_rate", "over": 100, "within": "10m", "quiet": "1h"}
KEY: Key = ("web", "Order Completed", "Required", "properties.id")


def totals(receiver: Receiver) -> list[int]:
    return [request.json["total"] for request in receiver.requests]


async def test_more_than_so_many_are_told_at_once(alerts: House, receiver: Receiver) -> None:
    await alerts.rules(rule(receiver.url, **RATE))
    await alerts.violate(count=60)
    await alerts.violate("Cart Viewed", 40)
    await alerts.step()
    assert receiver.requests == []
    await alerts.violate("Cart Viewed", 1)
    await alerts.step()
    (message,) = [request.json for request in receiver.requests]
    assert (message["total"], message["more"], message["on"]) == (101, 0, "violation_rate")
    assert [(one["event"], one["count"]) for one in message["violations"]] == [
        ("Order Completed", 60),
        ("Cart Viewed", 41),
    ]
    assert message["violations"][0]["description"] == "Invalid type. Expected: number, given: string"
    assert message["text"].startswith(
        "relay alert `alert`: source web: 101 violations since 2026-09-21 14:13 UTC, more than 100 within 10 min\n"
    )


async def test_as_many_over_a_longer_time_are_not(alerts: House, receiver: Receiver) -> None:
    await alerts.rules(rule(receiver.url, **RATE))
    for _ in range(10):
        await alerts.violate(count=50)
        await alerts.step(300)
    assert receiver.requests == []


async def test_ten_thousand_are_one_alert_and_one_summary(alerts: House, receiver: Receiver) -> None:
    await alerts.rules(rule(receiver.url, **RATE))
    for _ in range(100):
        await alerts.violate(count=100)
        await alerts.step(1)
    assert totals(receiver) == [200]
    await alerts.step(3600)
    assert totals(receiver) == [200, 9800]
    assert receiver.requests[1].json["summary"] is True
    await alerts.step(2 * 3600)
    assert len(receiver.requests) == 2


async def test_what_stays_below_in_the_quiet_time_is_no_summary(alerts: House, receiver: Receiver) -> None:
    await alerts.rules(rule(receiver.url, **RATE))
    await alerts.violate(count=101)
    await alerts.step()
    await alerts.violate(count=100)
    await alerts.step()
    await alerts.step(2 * 3600)
    assert totals(receiver) == [101]


async def test_what_was_counted_in_the_quiet_time_outlives_a_restart(
    alerts: House, receiver: Receiver
) -> None:
    await alerts.rules(rule(receiver.url, **RATE))
    await alerts.violate(count=101)
    await alerts.step()
    await alerts.violate("Cart Viewed", 150)
    await alerts.step(60)
    await alerts.restart()
    await alerts.violate("Cart Viewed", 7)
    await alerts.step(60)
    await alerts.restart()
    await alerts.step(3600 - 120)
    assert totals(receiver) == [101, 157]
    assert [one["event"] for one in receiver.requests[1].json["violations"]] == ["Cart Viewed"]


async def test_a_reload_does_not_begin_to_count_again(alerts: House, receiver: Receiver) -> None:
    await alerts.rules(rule(receiver.url, **RATE))
    await alerts.violate(count=60)
    await alerts.rules(rule(f"{receiver.url}/new", **RATE))
    await alerts.violate(count=60)
    await alerts.step()
    assert [(request.path, request.json["total"]) for request in receiver.requests] == [("/new", 120)]


async def test_only_the_rule_s_own_sources_and_events_count(alerts: House, receiver: Receiver) -> None:
    await alerts.rules(rule(receiver.url, **RATE, sources=["web"], events=["Order Completed"]))
    await alerts.violate(count=100)
    await alerts.violate("Cart Viewed", 100)
    await alerts.violate(count=100, source="app")
    await alerts.step()
    assert receiver.requests == []
    await alerts.violate()
    await alerts.step()
    assert totals(receiver) == [101]


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 9)), max_size=60))
def test_a_window_has_what_its_time_had(given_events: list[tuple[int, int]]) -> None:
    length, now = 6000, 0
    window = Window(length)
    seen: deque[tuple[int, int]] = deque()
    for wait, count in given_events:
        now += wait
        seen.append((now, count))
        found = window.add(now, [(KEY, count)])
        step = length // STEPS
        surely = sum(n for at, n in seen if at > now - length + step)
        perhaps = sum(n for at, n in seen if at > now - length)
        assert surely <= found <= perhaps


@given(st.lists(st.tuples(st.integers(-9000, 9000), st.integers(1, 9)), min_size=1, max_size=60))
def test_a_window_bears_any_clock(given_events: list[tuple[int, int]]) -> None:
    window, now, total = Window(6000), 100_000, 0
    for wait, count in given_events:
        now += wait
        total += count
        assert count <= window.add(now, [(KEY, count)]) <= total
    taken = window.take()
    assert taken.total == sum(taken.by_group.values())


def test_a_tally_tells_so_many_groups_apart_and_counts_all() -> None:
    tally = Tally(0)
    tally.add((("web", f"Event {number}", "", ""), 1) for number in range(MAX_GROUPS + 5))
    assert (tally.total, len(tally.by_group)) == (MAX_GROUPS + 5, MAX_GROUPS)
    kept = from_json(to_json(tally, 3))
    assert kept is not None
    assert (kept.since, kept.total, len(kept.by_group)) == (0, MAX_GROUPS + 5, 3)
    assert from_json(to_json(None, 3)) is None

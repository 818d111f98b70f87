"""What is new gathers, goes out once, and is quiet for a while."""

from typing import Any

from relay.alerts.message import LISTED
from relay.alerts.rules import GATHER_SECONDS
from tests.alerts.house import House, rule
from tests.receiver import Receiver

HOUR = 3600.0


def told(receiver: Receiver) -> list[list[str]]:
    """The events of each message, as they are listed."""
    return [[one["event"] for one in request.json["violations"]] for request in receiver.requests]


async def test_the_groups_of_one_release_go_out_together(alerts: House, receiver: Receiver) -> None:
    await alerts.rules(rule(receiver.url))
    await alerts.violate("Order Completed", 120)
    assert await alerts.step() == GATHER_SECONDS
    await alerts.violate("Order Refunded", 3)
    await alerts.step(GATHER_SECONDS - 1)
    assert receiver.requests == []
    await alerts.violate("Cart Viewed", 7)
    await alerts.step(1)
    assert told(receiver) == [["Order Completed", "Cart Viewed", "Order Refunded"]]
    assert receiver.requests[0].json["total"] == 130
    await alerts.step(HOUR)
    assert len(receiver.requests) == 1


async def test_a_message_names_what_is_to_be_mended(alerts: House, receiver: Receiver) -> None:
    await alerts.rules(rule(receiver.url))
    await alerts.violate(count=120)
    await alerts.step()
    await alerts.step(GATHER_SECONDS)
    (message,) = [request.json for request in receiver.requests]
    text = message.pop("text")
    assert message.pop("id").endswith("-1")
    assert message == {
        "alert": "alert",
        "on": "new_violation",
        "test": False,
        "summary": False,
        "at": "2026-09-21T14:13:50.000Z",
        "since": "2026-09-21T14:13:20.000Z",
        "over": None,
        "withinSeconds": None,
        "total": 120,
        "violations": [
            {
                "source": "web",
                "plan": "Shop",
                "event": "Order Completed",
                "type": "Invalid Type",
                "field": "properties.price",
                "description": "Invalid type. Expected: number, given: string",
                "count": 120,
            }
        ],
        "more": 0,
    }
    assert text == (
        "relay alert `alert`: source web: 1 new violation since 2026-09-21 14:13 UTC\n"
        "\n"
        "source web, plan Shop:\n"
        "- `Order Completed` properties.price: Invalid type. Expected: number, given: string (120 events)\n"
        "To see all of them: relay plan violations --source web\n"
    )


async def test_ten_thousand_violations_are_one_alert(alerts: House, receiver: Receiver) -> None:
    await alerts.rules(rule(receiver.url))
    for number in range(100):
        await alerts.violate(f"Event {number % 50}", 100)
        await alerts.step(0.1)
    await alerts.step(GATHER_SECONDS)
    for _ in range(10):
        await alerts.violate("Event 0", 1000)
        await alerts.step(2 * HOUR)
    (message,) = [request.json for request in receiver.requests]
    assert (len(message["violations"]), message["more"], message["total"]) == (LISTED, 30, 10_000)
    assert "and 30 more kinds of violation" in message["text"]


async def test_what_is_new_in_the_quiet_time_is_one_summary_at_its_end(
    alerts: House, receiver: Receiver
) -> None:
    await alerts.rules(rule(receiver.url, quiet="1h"))
    await alerts.violate("First")
    await alerts.step()
    await alerts.step(GATHER_SECONDS)
    for number in range(5):
        await alerts.violate(f"Next {number}")
        await alerts.step(600)
    await alerts.step(HOUR - 5 * 600 - 1)
    assert told(receiver) == [["First"]]
    await alerts.step(1)
    assert told(receiver) == [["First"], [f"Next {number}" for number in range(5)]]
    assert [request.json["summary"] for request in receiver.requests] == [False, True]
    assert "found in the quiet time" in receiver.requests[1].json["text"]


async def test_nothing_new_in_the_quiet_time_is_no_summary(alerts: House, receiver: Receiver) -> None:
    await alerts.rules(rule(receiver.url))
    await alerts.violate()
    await alerts.step()
    await alerts.step(GATHER_SECONDS)
    await alerts.violate(count=5)
    await alerts.step()
    await alerts.step(2 * HOUR)
    assert len(receiver.requests) == 1
    await alerts.violate("Other")
    await alerts.step()
    await alerts.step(GATHER_SECONDS)
    assert told(receiver) == [["Order Completed"], ["Other"]]
    assert receiver.requests[1].json["summary"] is False


async def test_a_rule_is_about_its_sources_and_events(alerts: House, receiver: Receiver) -> None:
    await alerts.rules(
        rule(f"{receiver.url}/web", name="web", sources=["web"]),
        rule(f"{receiver.url}/order", name="order", events=["Order Completed"]),
    )
    for source in ("web", "app"):
        for event in ("Order Completed", "Cart Viewed"):
            await alerts.violate(event, source=source)
    await alerts.step()
    await alerts.step(GATHER_SECONDS)
    found = {
        request.path: {(one["source"], one["event"]) for one in request.json["violations"]}
        for request in receiver.requests
    }
    assert found == {
        "/web": {("web", "Order Completed"), ("web", "Cart Viewed")},
        "/order": {("web", "Order Completed"), ("app", "Order Completed")},
    }


async def test_a_new_rule_does_not_tell_the_past(alerts: House, receiver: Receiver) -> None:
    await alerts.violate("Old")
    await alerts.rules(rule(receiver.url))
    await alerts.step()
    await alerts.step(HOUR)
    assert receiver.requests == []
    await alerts.violate("New")
    await alerts.step()
    await alerts.step(GATHER_SECONDS)
    assert told(receiver) == [["New"]]


async def test_a_restart_forgets_no_alert_that_is_due(alerts: House, receiver: Receiver) -> None:
    await alerts.rules(rule(receiver.url))
    await alerts.violate()
    await alerts.step()
    await alerts.restart()
    assert await alerts.step(GATHER_SECONDS / 2) == GATHER_SECONDS / 2
    assert receiver.requests == []
    await alerts.restart()
    await alerts.step(GATHER_SECONDS / 2)
    assert told(receiver) == [["Order Completed"]]


async def test_what_came_while_nobody_looked_is_told_after_a_restart(
    alerts: House, receiver: Receiver
) -> None:
    await alerts.rules(rule(receiver.url))
    await alerts.violate()
    await alerts.restart()
    await alerts.step()
    await alerts.step(GATHER_SECONDS)
    assert told(receiver) == [["Order Completed"]]


async def test_a_restart_repeats_nothing_and_stays_quiet(alerts: House, receiver: Receiver) -> None:
    await alerts.rules(rule(receiver.url))
    await alerts.violate()
    await alerts.step()
    await alerts.step(GATHER_SECONDS)
    await alerts.restart()
    await alerts.violate("Other")
    await alerts.step(HOUR / 2)
    assert told(receiver) == [["Order Completed"]]
    await alerts.step(HOUR / 2)
    assert told(receiver) == [["Order Completed"], ["Other"]]


async def test_a_reload_with_another_channel_goes_on_where_the_rule_was(
    alerts: House, receiver: Receiver
) -> None:
    await alerts.rules(rule(f"{receiver.url}/old"))
    await alerts.violate()
    await alerts.step()
    await alerts.rules(rule(f"{receiver.url}/new"))
    await alerts.step(GATHER_SECONDS)
    assert [request.path for request in receiver.requests] == ["/new"]


async def test_a_shorter_quiet_time_counts_at_once(alerts: House, receiver: Receiver) -> None:
    await alerts.rules(rule(receiver.url, quiet="10h"))
    await alerts.violate("First")
    await alerts.step()
    await alerts.step(GATHER_SECONDS)
    await alerts.rules(rule(receiver.url, quiet="1m"))
    await alerts.violate("Second")
    await alerts.step()
    await alerts.step(60)
    assert told(receiver) == [["First"], ["Second"]]


async def test_a_rule_that_is_removed_says_nothing_more(alerts: House, receiver: Receiver) -> None:
    await alerts.rules(rule(receiver.url))
    await alerts.violate()
    await alerts.step()
    await alerts.rules()
    await alerts.step(HOUR)
    await alerts.rules(rule(receiver.url))
    await alerts.step()
    await alerts.step(HOUR)
    assert receiver.requests == []


async def test_a_clock_that_is_set_back_makes_no_rule_silent(alerts: House, receiver: Receiver) -> None:
    await alerts.rules(rule(receiver.url, quiet="1h"))
    await alerts.violate("First")
    await alerts.step()
    await alerts.step(GATHER_SECONDS)
    await alerts.step(-30 * 24 * HOUR)
    await alerts.violate("Second")
    await alerts.step()
    await alerts.step(HOUR)
    assert told(receiver) == [["First"], ["Second"]]


async def test_what_is_over_the_bound_of_groups_is_told_too(alerts: House, receiver: Receiver) -> None:
    await alerts.rules(rule(receiver.url))
    await alerts.violate("(others)", 9, violation=("", "", ""))
    await alerts.step()
    await alerts.step(GATHER_SECONDS)
    assert "- `(others)` (9 events)\n" in receiver.requests[0].json["text"]


async def test_status_says_what_is_to_come(alerts: House, receiver: Receiver) -> None:
    def times(status: list[dict[str, Any]]) -> list[Any]:
        return [status[0][key] for key in ("lastSentAt", "dueAt", "quietUntil")]

    await alerts.rules(rule(receiver.url))
    assert times(await alerts.alerts.status()) == [None, None, None]
    await alerts.violate()
    await alerts.step()
    assert times(await alerts.alerts.status()) == [None, "2026-09-21T14:13:50.000Z", None]
    await alerts.step(GATHER_SECONDS)
    sent, quiet = "2026-09-21T14:13:50.000Z", "2026-09-21T15:13:50.000Z"
    assert times(await alerts.alerts.status()) == [sent, None, quiet]
    await alerts.step(HOUR)
    assert times(await alerts.alerts.status()) == [sent, None, None]

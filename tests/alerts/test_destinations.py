"""A destination that fails, lags or is paused: told once, after a while, and told again when it is over."""

import sqlite3
from typing import Any

import pytest

from relay.alerts.message import LISTED
from relay.alerts.rules import GATHER_SECONDS
from tests.alerts.house import House, MailServer, rule, smtp
from tests.receiver import Receiver

FAILING = {"on": "destination_failing", "after": "5m"}
HOUR = 3600.0


def found(receiver: Receiver) -> list[list[tuple[str, bool]]]:
    """Of each message what it is about, and whether it is over."""
    return [
        [(one["destination"], one["until"] is not None) for one in request.json["findings"]]
        for request in receiver.requests
    ]


def last(receiver: Receiver) -> Any:
    return receiver.requests[-1].json


async def test_what_fails_for_long_enough_is_told_once_and_told_again_when_it_is_over(
    alerts: House, receiver: Receiver
) -> None:
    await alerts.rules(rule(receiver.url, **FAILING))
    await alerts.step()
    alerts.world.fail("hook")
    alerts.world.arrive(1204)
    await alerts.pass_by(300 + GATHER_SECONDS - 10)
    assert receiver.requests == []
    await alerts.pass_by(10)
    assert found(receiver) == [[("hook", False)]]
    assert b'"waiting":1204,' in receiver.requests[-1].body
    message = last(receiver)
    assert message.pop("id").endswith("-1")
    assert message == {
        "alert": "alert",
        "on": "destination_failing",
        "test": False,
        "summary": False,
        "at": "2026-09-21T14:18:50.000Z",
        "findings": [
            {
                "destination": "hook",
                "since": "2026-09-21T14:13:20.000Z",
                "until": None,
                "times": 1,
                "reason": "503",
                "waiting": 1204,
                "description": (
                    "destination hook: failing since 2026-09-21 14:13 UTC (5 min), 1,204 requests wait: "
                    "the destination answered 503 Service Unavailable"
                ),
                "url": "http://127.0.0.1:8081/console/destinations/hook",
            }
        ],
        "more": 0,
        "text": (
            "relay alert `alert`: destination hook failing\n"
            "\n"
            "- destination hook: failing since 2026-09-21 14:13 UTC (5 min), 1,204 requests wait: "
            "the destination answered 503 Service Unavailable\n"
            "http://127.0.0.1:8081/console/destinations/hook\n"
        ),
    }
    await alerts.pass_by(2 * HOUR, 60)
    assert len(receiver.requests) == 1
    alerts.world.answer("hook")
    await alerts.pass_by(GATHER_SECONDS + 10)
    assert found(receiver)[1:] == [[("hook", True)]]
    assert last(receiver)["text"].startswith(
        "relay alert `alert`: destination hook no longer failing\n\n"
        "- destination hook: no longer failing since 2026-09-21 16:19 UTC, after 2 h\n"
    )
    await alerts.pass_by(2 * HOUR, 60)
    assert len(receiver.requests) == 2


async def test_a_failure_that_does_not_last_is_not_told(alerts: House, receiver: Receiver) -> None:
    await alerts.rules(rule(receiver.url, **FAILING))
    for number in range(10):
        alerts.world.fail("hook")
        await alerts.pass_by(280)
        alerts.world.answer("hook")
        if number % 2:
            await alerts.step(10)  # and seen to be well, or not
    assert receiver.requests == []


async def test_destinations_that_fail_together_are_one_message(alerts: House, receiver: Receiver) -> None:
    await alerts.rules(rule(receiver.url, **FAILING))
    alerts.world.fail("hook")
    await alerts.step()
    await alerts.step(20)
    alerts.world.fail("mixpanel", reason="ETIMEDOUT")
    await alerts.pass_by(340)
    assert found(receiver) == [[("hook", False), ("mixpanel", False)]]
    assert last(receiver)["text"].startswith("relay alert `alert`: 2 destinations failing\n")
    assert "the destination did not answer in time" in last(receiver)["text"]
    alerts.world.answer("hook", "mixpanel")
    await alerts.pass_by(60)
    assert found(receiver)[1:] == [[("hook", True), ("mixpanel", True)]]


async def test_the_end_is_told_in_the_quiet_time_and_what_is_new_after_it(
    alerts: House, receiver: Receiver
) -> None:
    await alerts.rules(rule(receiver.url, **FAILING, quiet="1h"))
    alerts.world.fail("hook")
    await alerts.step()
    await alerts.pass_by(340)
    alerts.world.answer("hook")
    await alerts.pass_by(40)
    assert found(receiver) == [[("hook", False)], [("hook", True)]]
    for _ in range(3):  # it flaps
        alerts.world.fail("hook")
        await alerts.pass_by(400)
        alerts.world.answer("hook")
        await alerts.pass_by(100)
    assert len(receiver.requests) == 2
    await alerts.pass_by(HOUR)
    assert found(receiver)[2:] == [[("hook", True)]]
    summary = last(receiver)
    assert (summary["summary"], summary["findings"][0]["times"]) == (True, 3)
    assert "destination hook no longer failing, found in the quiet time" in summary["text"]
    assert "was failing 3 times from 2026-09-21 14:19 UTC to 2026-09-21 14:43 UTC (23 min)" in summary["text"]
    await alerts.pass_by(2 * HOUR, 60)
    assert len(receiver.requests) == 3


async def test_what_comes_back_before_its_end_was_told_goes_on(alerts: House, receiver: Receiver) -> None:
    await alerts.rules(rule(receiver.url, on="destination_paused", after="1m"))
    courier = alerts.world.consumers["hook"].courier
    courier.is_paused = True
    await alerts.step()
    await alerts.pass_by(100)
    assert found(receiver) == [[("hook", False)]]
    courier.is_paused = False
    await alerts.step(10)
    courier.is_paused = True
    await alerts.pass_by(10)
    assert len(receiver.requests) == 1
    await alerts.pass_by(200)
    assert len(receiver.requests) == 2  # a minute's pause is a new one: the one before is over
    assert found(receiver)[1] == [("hook", True)]


async def test_a_pause_is_told_with_what_waits(alerts: House, receiver: Receiver) -> None:
    await alerts.rules(rule(receiver.url, on="destination_paused"))
    alerts.world.consumers["hook"].courier.is_paused = True
    alerts.world.arrive()
    await alerts.step()
    await alerts.pass_by(HOUR, 10)
    assert receiver.requests == []
    await alerts.pass_by(GATHER_SECONDS + 10)
    assert (
        "destination hook: paused since 2026-09-21 14:13 UTC (60 min), 1 request waits\n"
        in last(receiver)["text"]
    )
    alerts.world.consumers["hook"].courier.is_paused = False
    await alerts.pass_by(60)
    assert "destination hook: no longer paused since" in last(receiver)["text"]


async def test_a_pause_hides_that_nobody_answers(alerts: House, receiver: Receiver) -> None:
    await alerts.rules(rule(receiver.url, **FAILING))
    alerts.world.fail("hook")
    await alerts.step()
    alerts.world.consumers["hook"].courier.is_paused = True
    await alerts.pass_by(HOUR, 60)
    assert receiver.requests == []


async def test_too_many_requests_that_wait_are_lag(alerts: House, receiver: Receiver) -> None:
    await alerts.rules(rule(receiver.url, on="destination_lagging", over=100))
    alerts.world.catch_up("mixpanel")
    alerts.world.arrive(100)
    await alerts.pass_by(60)
    assert receiver.requests == []
    alerts.world.arrive()
    alerts.world.catch_up("mixpanel")
    await alerts.pass_by(60)
    assert (
        "destination hook: behind, 101 requests wait, the oldest since 2026-09-21 14:13 UTC"
        in (last(receiver)["text"])
    )
    alerts.world.catch_up("hook")
    await alerts.pass_by(60)
    assert found(receiver) == [[("hook", False)], [("hook", True)]]


async def test_one_request_that_waits_too_long_is_lag(alerts: House, receiver: Receiver) -> None:
    await alerts.rules(rule(receiver.url, on="destination_lagging", after="10m"))
    alerts.world.arrive()
    alerts.world.catch_up("mixpanel")
    alerts.world.fail("hook", reason="ECONNREFUSED")
    await alerts.pass_by(590)
    alerts.world.consumers["hook"].courier.is_paused = True
    await alerts.pass_by(60)
    (one,) = last(receiver)["findings"]
    assert (one["waiting"], one["oldestSeconds"]) == (1, 630)
    assert one["description"] == (
        "destination hook: behind, 1 request waits, the oldest since 2026-09-21 14:13 UTC (10 min); it is paused: "
        "nothing listens where the destination should be"
    )


async def test_a_rule_is_about_its_destinations(alerts: House, receiver: Receiver) -> None:
    await alerts.rules(rule(receiver.url, **FAILING, destinations=["mixpanel"]))
    alerts.world.fail("hook", "mixpanel")
    await alerts.step()
    await alerts.pass_by(400)
    assert found(receiver) == [[("mixpanel", False)]]


async def test_a_restart_repeats_nothing_and_forgets_nothing(alerts: House, receiver: Receiver) -> None:
    await alerts.rules(rule(receiver.url, **FAILING))
    alerts.world.fail("hook")
    await alerts.step()
    await alerts.pass_by(200)
    await alerts.restart()
    alerts.world.begin("hook")
    await alerts.step(10)  # nobody knows yet
    alerts.world.fail("hook")
    await alerts.pass_by(100)
    assert receiver.requests == []
    await alerts.restart()  # found, and not told
    await alerts.pass_by(GATHER_SECONDS)
    assert found(receiver) == [[("hook", False)]]
    assert last(receiver)["findings"][0]["since"] == "2026-09-21T14:13:20.000Z"
    await alerts.restart()
    alerts.world.begin("hook")
    await alerts.pass_by(2 * HOUR, 60)
    assert len(receiver.requests) == 1  # it has not answered since: that is no end
    alerts.world.answer("hook")
    await alerts.step(10)
    await alerts.restart()
    await alerts.pass_by(60)
    assert found(receiver) == [[("hook", False)], [("hook", True)]]


async def test_a_message_that_was_decided_on_outlives_a_crash(alerts: House, receiver: Receiver) -> None:
    await alerts.rules(rule(receiver.url, **FAILING))
    alerts.world.fail("hook")
    await alerts.step()
    receiver.always(503)
    await alerts.pass_by(340)
    await alerts.restart()
    receiver.always(200)
    await alerts.pass_by(120)
    assert len(receiver.events()) == 1
    assert len({request.json["id"] for request in receiver.requests}) == 1


async def test_a_destination_that_is_removed_is_told_to_be_gone(alerts: House, receiver: Receiver) -> None:
    failing = rule(receiver.url, **FAILING)
    await alerts.rules(failing)
    alerts.world.fail("hook")
    await alerts.step()
    await alerts.pass_by(340)
    del alerts.world.consumers["hook"]  # as in the middle of a reload
    await alerts.pass_by(100)
    assert len(receiver.requests) == 1
    alerts.world.configured = ("mixpanel",)
    await alerts.rules(failing)
    await alerts.pass_by(60)
    assert found(receiver)[1:] == [[("hook", True)]]
    assert "destination hook: not watched any more since" in last(receiver)["text"]


async def test_a_rule_on_something_else_by_the_same_name_begins_anew(
    alerts: House, receiver: Receiver
) -> None:
    await alerts.rules(rule(receiver.url, **FAILING))
    alerts.world.fail("hook")
    await alerts.step()
    await alerts.pass_by(340)
    await alerts.rules(rule(receiver.url, on="destination_paused"))
    await alerts.pass_by(HOUR, 60)
    assert len(receiver.requests) == 1
    (shown,) = await alerts.alerts.status()
    assert shown["open"] == []


async def test_a_shorter_quiet_time_counts_at_once(alerts: House, receiver: Receiver) -> None:
    await alerts.rules(rule(receiver.url, **FAILING, quiet="10h"))
    alerts.world.fail("hook")
    await alerts.step()
    await alerts.pass_by(340)
    alerts.world.fail("mixpanel")
    await alerts.rules(rule(receiver.url, **FAILING, quiet="1m"))
    await alerts.pass_by(400)
    assert found(receiver) == [[("hook", False)], [("mixpanel", False)]]


async def test_a_clock_that_is_set_back_makes_no_rule_silent(alerts: House, receiver: Receiver) -> None:
    await alerts.rules(rule(receiver.url, **FAILING, quiet="1h"))
    alerts.world.fail("hook")
    await alerts.step()
    await alerts.pass_by(340)
    await alerts.step(-48 * HOUR)
    alerts.world.fail("mixpanel")
    await alerts.pass_by(HOUR + 60)
    assert found(receiver) == [[("hook", False)], [("mixpanel", False)]]


async def test_what_is_so_now_is_shown(alerts: House, receiver: Receiver) -> None:
    await alerts.rules(rule(receiver.url, **FAILING, destinations=["hook"]))
    alerts.world.fail("hook")
    await alerts.step()
    await alerts.pass_by(300)
    (shown,) = await alerts.alerts.status()
    assert shown["destinations"] == ("hook",)
    assert shown["open"] == [{"name": "hook", "since": "2026-09-21T14:13:20.000Z", "told": False}]
    assert shown["dueAt"] == "2026-09-21T14:18:50.000Z"
    await alerts.pass_by(30)
    (shown,) = await alerts.alerts.status()
    assert shown["open"] == [{"name": "hook", "since": "2026-09-21T14:13:20.000Z", "told": True}]
    assert (shown["quietUntil"], shown["dueAt"]) == ("2026-09-21T15:18:50.000Z", None)


async def test_many_destinations_are_counted_and_some_listed(alerts: House, receiver: Receiver) -> None:
    names = tuple(f"d{number}" for number in range(LISTED + 5))
    alerts.world.configured = names
    for name in names:
        alerts.world.begin(name)
    alerts.world.fail(*names)
    await alerts.rules(rule(receiver.url, **FAILING))
    await alerts.step()
    await alerts.pass_by(340)
    assert (len(last(receiver)["findings"]), last(receiver)["more"]) == (LISTED, 5)
    assert "relay alert `alert`: 25 destinations failing\n" in last(receiver)["text"]
    assert last(receiver)["text"].endswith("\nand 5 more\n")


async def test_a_look_that_finds_nothing_writes_nothing(alerts: House, receiver: Receiver) -> None:
    await alerts.rules(
        rule(receiver.url, **FAILING), rule(receiver.url, name="lag", on="destination_lagging", over=1)
    )
    await alerts.step()

    def changes() -> Any:
        return alerts.state.read(lambda connection: connection.total_changes)

    before = await changes()
    await alerts.pass_by(600)
    assert await changes() == before


async def test_relay_wakes_to_look(alerts: House, receiver: Receiver) -> None:
    await alerts.rules(rule(receiver.url, **FAILING))
    assert await alerts.step() == 10
    assert await alerts.step(4) == 6


async def test_slack_gets_the_link_and_nothing_else_becomes_one(alerts: House, receiver: Receiver) -> None:
    await alerts.rules(rule(slack=receiver.url, **FAILING))
    alerts.world.fail("hook", reason="<!channel>\nhttp://evil.example")
    await alerts.step()
    await alerts.pass_by(340)
    text = "\n".join(block["text"]["text"] for block in receiver.requests[0].json["blocks"])
    assert "\n<http://127.0.0.1:8081/console/destinations/hook>" in text
    assert "&lt;!channel&gt; http://evil.example" in text
    assert text.count("<") == 1


async def test_a_mail_says_it_in_its_subject(alerts: House) -> None:
    async with MailServer() as server:
        await alerts.rules(rule(email=["ann@example.com"], **FAILING), smtp=smtp(server))
        alerts.world.fail("hook", "mixpanel")
        await alerts.step()
        await alerts.pass_by(340)
        alerts.world.answer("hook")
        await alerts.pass_by(60)
    assert [mail["Subject"] for mail in server.mails] == [
        "[relay] alert: 2 destinations failing",
        "[relay] alert: destination hook no longer failing",
    ]
    assert "http://127.0.0.1:8081/console/destinations/hook" in server.mails[0].get_content().splitlines()


async def test_a_test_message_has_no_findings(alerts: House, receiver: Receiver) -> None:
    await alerts.rules(rule(receiver.url, **FAILING))
    assert await alerts.alerts.test("alert") == {"webhook": None}
    assert (last(receiver)["test"], last(receiver)["findings"], last(receiver)["more"]) == (True, [], 0)
    assert last(receiver)["text"].startswith("relay alert `alert`: a test, nothing is wrong\n")


async def test_what_could_not_be_written_down_is_found_again(
    alerts: House, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    await alerts.rules(rule(receiver.url, **FAILING))
    alerts.world.fail("hook")
    await alerts.step()
    await alerts.pass_by(320)
    with monkeypatch.context() as broken:
        broken.setattr(alerts.state, "write_through", _full)
        with pytest.raises(sqlite3.OperationalError):
            await alerts.step(10)
    assert receiver.requests == []
    await alerts.step(5)
    assert found(receiver) == [[("hook", False)]]


async def _full(_: object) -> None:
    raise sqlite3.OperationalError("database or disk is full")

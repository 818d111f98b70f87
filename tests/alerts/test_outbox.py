"""A channel that fails is tried again, by itself, for a day."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from relay.alerts import alerts as room
from relay.alerts import store
from relay.alerts.outbox import FIRST_SECONDS, GIVE_UP_SECONDS, MAX_SECONDS, MAX_WAITING, delay
from relay.alerts.rules import GATHER_SECONDS
from tests.alerts.house import House, rule
from tests.receiver import Receiver

LONG = 1.25  # the most by which a wait is spread


async def told(alerts: House) -> None:
    """One alert is on its way."""
    await alerts.violate()
    await alerts.step()
    await alerts.step(GATHER_SECONDS)


def sent(outcome: str, channel: str = "webhook") -> float:
    labels = {"alert": "alert", "channel": channel, "outcome": outcome}
    return REGISTRY.get_sample_value("relay_alerts_total", labels) or 0.0


async def test_a_channel_that_fails_is_tried_again(alerts: House, receiver: Receiver) -> None:
    before = [sent(outcome) for outcome in ("failed", "sent")]
    receiver.answers((500, {}), (404, {}), (301, {"Location": "/elsewhere"}))
    await alerts.rules(rule(receiver.url))
    await told(alerts)
    for tries in range(1, 4):
        assert len(receiver.requests) == tries
        found = await alerts.channel()
        assert (found["waiting"], found["attempts"]) == (1, tries)
        assert found["problem"] == ("HTTP 500", "HTTP 404", "HTTP 301")[tries - 1]
        await alerts.step(LONG * FIRST_SECONDS * 2 ** (tries - 1))
    assert len({request.body for request in receiver.requests}) == 1
    assert [request.path for request in receiver.requests] == ["/"] * 4
    assert (await alerts.channel())["waiting"] == 0
    assert [sent(outcome) for outcome in ("failed", "sent")] == [before[0] + 3, before[1] + 1]
    await alerts.step(GIVE_UP_SECONDS)
    assert len(receiver.requests) == 4


async def test_it_is_not_tried_before_its_time(alerts: House, receiver: Receiver) -> None:
    receiver.answers((500, {}))
    await alerts.rules(rule(receiver.url))
    await told(alerts)
    await alerts.step(FIRST_SECONDS * 0.7)
    assert len(receiver.requests) == 1


async def test_one_channel_does_not_stop_another(alerts: House, receiver: Receiver) -> None:
    async with Receiver() as other:
        other.always(503)
        await alerts.rules(rule(receiver.url, slack=other.url))
        await told(alerts)
        assert (len(receiver.requests), len(other.requests)) == (1, 1)
        await alerts.step(LONG * FIRST_SECONDS)
        assert (len(receiver.requests), len(other.requests)) == (1, 2)
        assert (await alerts.channel(channel="webhook"))["problem"] is None
        assert (await alerts.channel(channel="slack"))["problem"] == "HTTP 503"


async def test_a_channel_that_hangs_does_not_hold_up_another(alerts: House, receiver: Receiver) -> None:
    async with Receiver() as other:
        other.hang()
        await alerts.rules(rule(other.url, slack=receiver.url), rule(receiver.url, name="next"))
        await alerts.violate()
        await alerts.alerts.step()
        alerts.clock.move(GATHER_SECONDS)
        await alerts.alerts.step()
        await receiver.wait_for_requests(2, 30)
        assert other.requests == []
        other.release()
        await alerts.alerts.outbox.settled()
        assert len(other.requests) == 1


async def test_a_failed_alert_outlives_a_restart(alerts: House, receiver: Receiver) -> None:
    receiver.always(500)
    await alerts.rules(rule(receiver.url))
    await told(alerts)
    await alerts.restart()
    receiver.always(200)
    await alerts.step(LONG * FIRST_SECONDS)
    assert [request.status for request in receiver.requests] == [500, 200]
    assert len({request.json["id"] for request in receiver.requests}) == 1
    await alerts.restart()
    await alerts.step(3600)
    assert len(receiver.requests) == 2


async def test_a_stop_lets_what_is_on_its_way_arrive_and_does_not_repeat_it(
    alerts: House, receiver: Receiver
) -> None:
    receiver.hang()
    await alerts.rules(rule(receiver.url))
    await alerts.violate()
    await alerts.alerts.step()
    alerts.clock.move(GATHER_SECONDS)
    await alerts.alerts.step()
    receiver.release()
    await alerts.restart()
    await alerts.step(3600)
    assert len(receiver.requests) == 1


async def test_after_a_day_an_alert_is_given_up_and_that_is_an_error(
    alerts: House, receiver: Receiver
) -> None:
    before = sent("given_up")
    receiver.always(500)
    await alerts.rules(rule(receiver.url))
    await told(alerts)
    with capture_logs() as logs:
        for _ in range(int(GIVE_UP_SECONDS / MAX_SECONDS) + 10):
            await alerts.step(LONG * MAX_SECONDS)
    errors = [log for log in logs if log["log_level"] == "error"]
    assert [(log["alert"], log["channel"], log["problem"]) for log in errors] == [
        ("alert", "webhook", "HTTP 500")
    ]
    assert (await alerts.channel())["waiting"] == 0
    assert sent("given_up") == before + 1
    assert len(receiver.requests) < 30


async def test_alerts_of_one_channel_go_out_one_after_the_other(alerts: House, receiver: Receiver) -> None:
    receiver.always(500)
    await alerts.rules(rule(receiver.url, quiet="1m"))
    for number in range(3):
        await alerts.violate(f"Event {number}")
        await alerts.step()
        await alerts.step(61)
    assert (await alerts.channel())["waiting"] == 3
    receiver.always(200)
    await alerts.step(LONG * MAX_SECONDS)
    await alerts.step()
    await alerts.step()
    good = [request.json for request in receiver.requests if request.status == 200]
    assert [one["violations"][0]["event"] for one in good] == ["Event 0", "Event 1", "Event 2"]


async def test_no_more_wait_for_a_channel_than_a_day_has(alerts: House, receiver: Receiver) -> None:
    receiver.always(500)
    await alerts.rules(rule(receiver.url, quiet="1m"))
    for number in range(MAX_WAITING + 20):
        await alerts.violate(f"Event {number}")
        await alerts.step()
        await alerts.step(61)
    for _ in range(MAX_WAITING):
        await alerts.step(300)
    assert (await alerts.channel())["waiting"] <= MAX_WAITING


async def test_a_mended_channel_gets_what_waited(alerts: House, receiver: Receiver) -> None:
    receiver.always(404)
    await alerts.rules(rule(f"{receiver.url}/wrong"))
    await told(alerts)
    receiver.always(200)
    await alerts.rules(rule(f"{receiver.url}/right"))
    await alerts.step(LONG * FIRST_SECONDS)
    assert [request.path for request in receiver.requests] == ["/wrong", "/right"]


async def test_a_channel_that_is_removed_is_sent_nothing_more(alerts: House, receiver: Receiver) -> None:
    receiver.always(500)
    await alerts.rules(rule(f"{receiver.url}/hook", slack=f"{receiver.url}/slack"))
    await told(alerts)
    receiver.always(200)
    await alerts.rules(rule(slack=f"{receiver.url}/slack"))
    await alerts.step(LONG * FIRST_SECONDS)
    assert [request.path for request in receiver.requests if request.status == 200] == ["/slack"]
    rows = await alerts.state.read(lambda c: c.execute("SELECT count(*) FROM alert_messages").fetchone())
    assert rows == (0,)


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 10), (2, 20), (3, 40), (9, 2560), (10, 3600), (1000, 3600)]
)
def test_waits_double_to_an_hour(attempts: int, seconds: float) -> None:
    assert delay(attempts, lambda: 0.5) == seconds
    assert delay(attempts, lambda: 0.0) == seconds * 0.75


async def test_nobody_listens_is_a_sentence_without_the_url(
    alerts: House, receiver: Receiver, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    url = f"{receiver.url}/services/S3CRET-PATH"
    await receiver.stop()
    with capture_logs() as logs:
        await alerts.rules(rule(url, slack=url, secret="S3CRET-KEY"))
        await told(alerts)
        tested = await alerts.alerts.test("alert")
        status = await alerts.alerts.status()
    assert tested == {"webhook": "nobody listens there", "slack": "nobody listens there"}
    kept = (tmp_path / "state.db").read_bytes() + (tmp_path / "state.db-wal").read_bytes()
    said: Any = (logs, tested, status, capfd.readouterr())
    assert "S3CRET" not in str(said)
    assert b"S3CRET" not in kept
    assert len(logs) == 2


async def test_a_message_that_cannot_be_read_is_a_problem_and_stops_nothing(
    alerts: House, receiver: Receiver
) -> None:
    await alerts.rules(rule(receiver.url, slack=f"{receiver.url}/slack"))
    broken = (
        "INSERT INTO alert_messages (alert, channel, message, made_at, next_at) VALUES (?, ?, '{}', ?, 0)"
    )
    now = int(alerts.clock() * 1000)
    await alerts.state.write(lambda c: c.execute(broken, ("alert", "slack", now)))
    await told(alerts)
    assert [request.path for request in receiver.requests] == ["/"]
    assert (await alerts.channel(channel="slack"))["problem"] == "it was written by another version of relay"


async def test_what_could_not_be_written_down_is_told_later(
    alerts: House, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    rate = rule(receiver.url, name="rate", on="violation_rate", over=5, within="10m")
    await alerts.rules(rule(receiver.url), rate)
    await alerts.violate(count=10)
    with monkeypatch.context() as broken:
        broken.setattr(store, "write", refuse)
        for _ in range(2):
            with pytest.raises(sqlite3.OperationalError):
                await alerts.step()
            await alerts.violate(count=10)
    await alerts.step()
    await alerts.step(GATHER_SECONDS)
    assert [(one.json["alert"], one.json["total"]) for one in receiver.requests] == [
        ("rate", 30),
        ("alert", 30),
    ]


async def test_alerts_outlive_a_database_that_cannot_be_used_for_a_while(
    alerts: House, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = iter([sqlite3.OperationalError("disk I/O error")] * 2)
    look = store.look

    def fail_first(*given: Any) -> Any:
        for failure in failures:
            raise failure
        return look(*given)

    monkeypatch.setattr(store, "look", fail_first)
    for name in ("LOOK_SECONDS", "RETRY_SECONDS"):
        monkeypatch.setattr(room, name, 0.01)
    await alerts.rules(rule(receiver.url, on="violation_rate", over=0, within="10m"))
    await alerts.violate()
    running = asyncio.create_task(alerts.alerts.run())
    await receiver.wait_for_requests(1, 30)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize("status", [200, 500])
async def test_what_became_of_an_alert_is_written_down_later_when_it_cannot_be_now(
    alerts: House, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    write, calls = alerts.state.write_through, 0

    async def only_decisions(work: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise sqlite3.OperationalError("database or disk is full")
        return await write(work)

    receiver.answers((status, {}))
    await alerts.rules(rule(receiver.url))
    with monkeypatch.context() as full:
        full.setattr(alerts.state, "write_through", only_decisions)
        await told(alerts)
        for _ in range(5):
            await alerts.step(1.0)
    assert calls == 7
    await alerts.step(1.0)
    assert len(receiver.requests) == 1
    assert (await alerts.channel())["attempts"] == (0 if status == 200 else 1)
    assert (await alerts.channel())["waiting"] == (0 if status == 200 else 1)

"""What was refused for good: kept with the reply, sent again or dropped, and every event accounted for."""

from pathlib import Path
from typing import Any

import pytest

from relay.delivery.dead_letters import Chosen, Group
from tests.delivery.choosy import Choosy, failing_for, ids_of
from tests.delivery.pipeline import Pipeline, ids, pipeline, track, tracks, webhook
from tests.receiver import Receiver

pytestmark = pytest.mark.usefixtures("quick")


def refusing() -> Choosy:
    receiver = Choosy(failing_for("refused", 410))
    receiver.text = "gone"
    return receiver


async def with_letters(line: Pipeline, receiver: Choosy, n: int, **fields: Any) -> list[dict[str, Any]]:
    await line.apply(webhook(receiver.url, **fields))
    events = tracks(n, event="refused", properties={"a": [1, {"b": None}]})
    await line.send(*events)
    await line.until(lambda s: s["deadLetters"] == n and s["lag"] == 0)
    return events


async def test_a_dead_letter_is_listed_with_reply_and_event(tmp_path: Path) -> None:
    async with refusing() as receiver, pipeline(tmp_path) as line:
        (event,) = await with_letters(line, receiver, 1)
        (letter,) = await line.letters("hook")
        at = letter.pop("at")
        sent = letter.pop("event")
        assert at.endswith("Z")
        assert sent["properties"] == event["properties"]
        assert letter == {
            "id": letter["id"],
            "destination": "hook",
            "sequence": 1,
            "index": 0,
            "messageId": event["messageId"],
            "outcome": "rejected",
            "reason": "410",
            "status": 410,
            "reply": "gone",
            "attempts": 1,
            "replay": None,
        }


async def test_the_list_is_newest_first_and_in_pages(tmp_path: Path) -> None:
    async with refusing() as receiver, pipeline(tmp_path) as line:
        await with_letters(line, receiver, 7)
        first = await line.dead_letters.page("hook", None, 3)
        second = await line.dead_letters.page("hook", first[-1]["id"], 3)
        third = await line.dead_letters.page("hook", second[-1]["id"], 3)
        numbers = [letter["id"] for letter in first + second + third]
        assert numbers == sorted(numbers, reverse=True)
        assert len(set(numbers)) == 7
        assert await line.dead_letters.page("other", None, 3) == []
        assert await line.dead_letters.page(None, None, 500) == first + second + third


async def test_a_retry_delivers_and_moves_the_fate(tmp_path: Path) -> None:
    async with refusing() as receiver, pipeline(tmp_path) as line:
        events = await with_letters(line, receiver, 5)
        chosen = [letter["id"] for letter in await line.letters()][:2]
        assert (await line.status())["events"]["rejected"] == 5
        receiver.rule = lambda _: None
        assert await line.dead_letters.retry(None, chosen) == 2
        status = await line.until(lambda s: s["retrying"] == 0 and s["deadLetters"] == 3)
        assert (status["events"]["delivered"], status["events"]["rejected"]) == (2, 3)
        assert await line.dead_letters.retry("hook", None) == 3
        status = await line.until(lambda s: s["retrying"] == 0 and s["events"]["delivered"] == 5)
        assert (status["events"]["rejected"], status["deadLetters"]) == (0, 0)
        assert receiver.counts == dict.fromkeys(ids(events), 1)
        assert await line.dead_letters.retry("hook", None) == 0


async def test_a_retry_sends_as_the_destination_is_configured(tmp_path: Path) -> None:
    """One event a request means one event a request, for redriven ones too."""
    async with refusing() as receiver, pipeline(tmp_path) as line:
        await with_letters(line, receiver, 6)
        receiver.rule = lambda _: None
        await line.dead_letters.retry("hook", None)
        await line.until(lambda s: s["events"]["delivered"] == 6)
        accepted = [r for r in receiver.requests if r.status == 200]
        assert all(type(r.json) is dict for r in accepted)
        assert len(accepted) == 6


async def test_a_retry_in_vain_is_a_dead_letter_again(tmp_path: Path) -> None:
    async with refusing() as receiver, pipeline(tmp_path) as line:
        await with_letters(line, receiver, 2)
        (_, before) = sorted(letter["id"] for letter in await line.letters())
        receiver.text = "still gone"
        assert await line.dead_letters.retry("hook", None) == 2
        status = await line.until(lambda s: s["retrying"] == 0 and s["deadLetters"] == 2)
        assert status["events"]["rejected"] == 2
        letters = await line.letters()
        assert [letter["reply"] for letter in letters] == ["still gone"] * 2
        assert min(letter["id"] for letter in letters) > before


async def test_a_retry_that_meets_a_busy_destination_waits_in_the_table(tmp_path: Path) -> None:
    async with refusing() as receiver, pipeline(tmp_path) as line:
        await with_letters(line, receiver, 1)
        receiver.rule = failing_for("refused", 503)
        assert await line.dead_letters.retry("hook", None) == 1
        await receiver.wait_for_requests(2)
        status = await line.until(lambda s: s["retrying"] == 1)
        assert (status["events"]["rejected"], status["deadLetters"]) == (0, 0)
        receiver.rule = lambda _: None
        await line.send(track())
        await line.until(lambda s: s["events"]["delivered"] == 2)


async def test_a_drop_forgets_and_leaves_the_fate(tmp_path: Path) -> None:
    async with refusing() as receiver, pipeline(tmp_path) as line:
        await with_letters(line, receiver, 4)
        chosen = [letter["id"] for letter in await line.letters()][:1]
        assert await line.dead_letters.drop(None, chosen) == 1
        assert len(await line.letters()) == 3
        assert await line.dead_letters.drop("other", None) == 0
        assert await line.dead_letters.drop("hook", None) == 3
        assert await line.letters() == []
        status = await line.status()
        assert (status["events"]["rejected"], status["deadLetters"]) == (4, 0)
        assert receiver.counts.total() == 0


async def test_a_retry_for_a_destination_that_does_not_run_does_nothing(tmp_path: Path) -> None:
    async with refusing() as receiver, Receiver() as other, pipeline(tmp_path) as line:
        await with_letters(line, receiver, 3)
        await line.apply(webhook(other.url, "other"))
        assert await line.dead_letters.retry("hook", None) == 0
        assert await line.dead_letters.retry("nobody", None) == 0
        letters = await line.letters("hook")
        assert await line.dead_letters.retry(None, [letter["id"] for letter in letters]) == 0
        assert await line.letters("hook") == letters


async def test_dead_letters_survive_a_restart(tmp_path: Path) -> None:
    async with refusing() as receiver:
        async with pipeline(tmp_path) as line:
            events = await with_letters(line, receiver, 3)
        receiver.rule = lambda _: None
        async with pipeline(tmp_path) as line:
            await line.apply(webhook(receiver.url))
            assert {letter["messageId"] for letter in await line.letters()} == ids(events)
            assert await line.dead_letters.retry("hook", None) == 3
            status = await line.until(lambda s: s["events"]["delivered"] == 3)
            assert status["events"]["rejected"] == 0


async def test_a_dead_letter_whose_event_retention_dropped_is_listed_without_it(tmp_path: Path) -> None:
    from relay.log.memory import MemoryLog  # noqa: PLC0415  a log that drops record by record

    log = MemoryLog()
    async with refusing() as receiver, pipeline(tmp_path, log=log) as line:
        await with_letters(line, receiver, 2)
        await log.trim(older_than=2**62, keep_from=2, max_bytes=None)
        kept, lost = await line.letters()
        assert kept["event"] is not None
        assert (lost["event"], lost["messageId"]) == (None, None)
        receiver.rule = lambda _: None
        assert await line.dead_letters.retry("hook", None) == 2
        status = await line.until(lambda s: s["retrying"] == 0 and s["events"]["delivered"] == 1)
        assert status["events"] | {"rejected": 0, "expired": 1} == status["events"]


async def test_the_fates_of_every_destination_add_up_to_what_was_admitted(tmp_path: Path) -> None:
    async with Choosy() as first, Choosy() as second, pipeline(tmp_path) as line:
        first.rule = lambda b: (400, {}) if b"refused" in b else (500, {}) if b"poison" in b else None
        second.rule = failing_for("Tested", 403)
        await line.apply(
            webhook(first.url, "first", batch_size=7, concurrency=3), webhook(second.url, "second")
        )
        good, repeated = tracks(40), tracks(3)
        await line.send_batch(good + repeated)
        await line.send_batch(
            [
                *repeated,
                *tracks(4, integrations={"first": False}),
                *tracks(2, event="refused"),
                *tracks(3, event="poison"),
                track(userId=None),  # nobody's: rejected at admission
                track(event=None),
            ]
        )
        await line.send(*tracks(5, integrations={"All": False}))
        admitted = 40 + 3 + 3 + 4 + 2 + 3 + 2 + 5
        for name in ("first", "second"):
            status = await line.until(lambda s: s["lag"] == 0, name)
            assert sum(status["events"].values()) + status["retrying"] == admitted, name
        fates = (await line.status("first"))["events"]
        assert fates == {
            "delivered": 43,
            "filtered": 9,
            "duplicate": 3,
            "blocked": 0,
            "rejected": 4,
            "expired": 0,
        }
        assert (await line.status("first"))["retrying"] == 3
        fates = (await line.status("second"))["events"]
        assert fates["rejected"] == 43 + 2 + 4
        assert fates["delivered"] == 5
        assert (fates["filtered"], fates["duplicate"]) == (5, 3)
        assert set(ids_of(first.events())) == ids(good + repeated)


async def test_they_are_counted_by_reason_and_chosen_so_up_to_a_newest(tmp_path: Path) -> None:
    async with refusing() as receiver, pipeline(tmp_path) as line:
        await with_letters(line, receiver, 3)
        newest = await line.dead_letters.newest()
        receiver.rule = failing_for("refused", 422)
        await line.send(*tracks(2, event="refused"))
        await line.until(lambda s: s["deadLetters"] == 5)
        groups = await line.dead_letters.groups(Chosen())
        assert groups == [Group("hook", "410", 3, 3), Group("hook", "422", 2, 2)]
        assert await line.dead_letters.groups(Chosen(reason="422", up_to=newest)) == []
        assert await line.dead_letters.drop(None, None, "410", up_to=newest - 1) == 2
        receiver.rule = lambda _: None
        assert await line.dead_letters.retry(None, None, "422") == 2
        await line.until(lambda s: s["deadLetters"] == 1 and s["events"]["delivered"] == 2)
        assert await line.dead_letters.groups(Chosen("hook")) == [Group("hook", "410", 1, 1)]


async def test_of_a_destination_that_is_gone_none_can_be_tried_again(tmp_path: Path) -> None:
    async with refusing() as receiver, pipeline(tmp_path) as line:
        await with_letters(line, receiver, 2)
        await line.apply()
        assert await line.dead_letters.groups(Chosen()) == [Group("hook", "410", 2, 0)]

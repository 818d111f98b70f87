"""GET /v1/overview."""

from typing import Any

from tests.acceptance.relay_process import eventually
from tests.gateway.relay_here import RelayHere, event
from tests.receiver import Receiver


async def test_what_was_sent_is_there_at_once_and_adds_up(relay: RelayHere, receiver: Receiver) -> None:
    good = event()
    for one in (good, good, event()):
        await relay.post("/v1/track", one)
    assert (await relay.post("/v1/track", {"userId": "u"})).status == 400
    await receiver.wait_for_ids({good["messageId"]})
    latest: dict[str, Any] = {}

    async def is_done() -> bool:
        latest.update((await relay.ask("GET", "/v1/overview")).json)
        return bool(latest["funnel"]["destinations"][0]["delivered"] == 2)

    await eventually(is_done, 30, lambda: str(latest))
    funnel = latest["funnel"]
    (web,), (hook,) = funnel["sources"], funnel["destinations"]
    assert (web["name"], web["received"], web["admitted"]) == ("web", 3, 2)
    assert web["answers"] == {"200": 3, "400": 1}
    assert [(r["code"], r["events"]) for r in web["refused"]["reasons"]] == [("missing_event", 1)]
    (reason,) = web["filteredAtSource"]["reasons"]
    assert (reason["code"], reason["events"], len(reason["samples"])) == ("duplicate_message_id", 1, 1)
    assert reason["words"] == "an event with this messageId was there before"
    assert hook["filteredAtSource"]["reasons"] == [reason]
    assert (hook["received"], hook["inHand"], hook["pendingRetry"], hook["state"]) == (3, 0, 0, "running")
    assert latest["range"] == "1h"
    sequence, index = reason["samples"][0]
    found = await relay.app.feed.find([(sequence, index)])
    assert [one.data["messageId"] for one in found.values()] == [good["messageId"]]


async def test_a_range_that_there_is_not_is_told_so(relay: RelayHere) -> None:
    answer = await relay.ask("GET", "/v1/overview?range=2h")
    assert (answer.status, answer.json["error"]["message"]) == (400, "range must be one of 1h, 24h, 7d")
    for known in ("1h", "24h", "7d"):
        found = (await relay.ask("GET", f"/v1/overview?range={known}")).json
        assert (found["range"], len(found["series"]["at"]) > 50) == (known, True)
    assert (await relay.ask("GET", "/v1/overview", token=None)).status == 401


async def test_a_source_that_is_changed_goes_on_counting(relay: RelayHere) -> None:
    await relay.post("/v1/track", event())
    text = relay.file.read_text()
    relay.file.write_text(text.replace("rate_limit = 100000", "rate_limit = 90000"))
    await relay.app.reload()
    await relay.post("/v1/track", event())
    (web,) = (await relay.app.history.funnel("1h")).sources
    assert web.answers == {"200": 2}

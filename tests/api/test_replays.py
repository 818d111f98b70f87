"""/v1/replays: begun, shown, listed and ended over HTTP, and what mistakes are answered with."""

from typing import Any

import orjson
import pytest

from relay.log.segments import Segments
from tests.acceptance.relay_process import eventually
from tests.gateway.relay_here import READ_TOKEN, RelayHere, event
from tests.receiver import Receiver


async def begin(relay: RelayHere, **fields: Any) -> dict[str, Any]:
    answer = await relay.ask("POST", "/v1/replays", orjson.dumps({"destination": "hook"} | fields))
    assert answer.status == 201, answer
    started: dict[str, Any] = answer.json
    return started


async def show(relay: RelayHere, number: int) -> dict[str, Any]:
    answer = await relay.ask("GET", f"/v1/replays/{number}")
    assert answer.status == 200
    found: dict[str, Any] = answer.json
    return found


async def until(relay: RelayHere, number: int, state: str) -> dict[str, Any]:
    async def look() -> bool:
        return bool((await show(relay, number))["state"] == state)

    await eventually(look, 60, lambda: f"it is not {state}")
    return await show(relay, number)


async def send(relay: RelayHere, receiver: Receiver, n: int) -> list[dict[str, Any]]:
    """Events that have been delivered once, and relay knows it."""
    sent = [event() for _ in range(n)]
    for one in sent:
        assert (await relay.post("/v1/track", one)).status == 200

    async def are_delivered() -> bool:
        (hook,) = (await relay.ask("GET", "/v1/status")).json["destinations"]
        return bool(hook["events"]["delivered"] == n)

    await eventually(are_delivered, 60, lambda: f"{receiver.counts.total()} of {n} have arrived")
    return sent


async def test_a_replay_is_begun_and_shown_until_it_is_done(relay: RelayHere, receiver: Receiver) -> None:
    sent = await send(relay, receiver, 5)
    started = await begin(relay, since="1h", events=["Tested"], rate=1000)
    done = await until(relay, started["id"], "done")
    assert done == {
        "id": started["id"],
        "destination": "hook",
        "dryRun": False,
        "state": "done",
        "reason": None,
        "startedAt": started["startedAt"],
        "endedAt": done["endedAt"],
        "requests": {"total": 5, "done": 5},
        "events": {
            "delivered": 5,
            "filtered": 0,
            "duplicate": 0,
            "blocked": 0,
            "rejected": 0,
            "expired": 0,
        },
        "retrying": 0,
        "lastError": None,
        "query": {
            "since": done["query"]["since"],
            "until": None,
            "sources": [],
            "events": ["Tested"],
            "users": [],
            "filter": None,
            "rate": 1000.0,
        },
        "found": None,
    }
    assert done["query"]["since"].endswith("Z")
    assert receiver.counts == {one["messageId"]: 2 for one in sent}
    assert (await relay.ask("GET", "/v1/replays")).json == {"replays": [done]}


async def test_the_list_is_newest_first_and_no_longer_than_asked(relay: RelayHere) -> None:
    numbers = [(await begin(relay))["id"] for _ in range(3)]
    found = (await relay.ask("GET", "/v1/replays?limit=2")).json["replays"]
    assert [one["id"] for one in found] == [numbers[2], numbers[1]]
    assert (await relay.ask("GET", "/v1/replays?limit=x")).status == 400


async def test_a_dry_run_counts_by_name(relay: RelayHere, receiver: Receiver) -> None:
    await send(relay, receiver, 2)
    done = await until(relay, (await begin(relay, dryRun=True))["id"], "done")
    assert done["found"] == {"Tested": {"delivered": 2}}
    assert receiver.counts.total() == 2


async def test_a_replay_is_ended_once_and_stays_so(relay: RelayHere, receiver: Receiver) -> None:
    await send(relay, receiver, 20)
    number = (await begin(relay, rate=0.001))["id"]
    answer = await relay.ask("DELETE", f"/v1/replays/{number}")
    assert (answer.status, answer.json["state"]) == (200, "cancelled")
    again = await relay.ask("DELETE", f"/v1/replays/{number}")
    assert (again.status, again.json) == (200, answer.json)
    done = await until(relay, (await begin(relay))["id"], "done")
    answer = await relay.ask("DELETE", f"/v1/replays/{done['id']}")
    assert (answer.status, answer.json) == (200, done)


BAD: list[tuple[bytes, str]] = [
    (b"", "JSON"),
    (b"[]", "object"),
    (b"{}", "destination"),
    (b'{"destination": 5}', "destination"),
    (b'{"destination": "nobody"}', "destination"),
    (b'{"destination": "hook", "since": "soon"}', "since"),
    (b'{"destination": "hook", "since": null, "until": 7}', "until"),
    (b'{"destination": "hook", "sources": "web"}', "sources"),
    (b'{"destination": "hook", "filter": "event ="}', "filter"),
    (b'{"destination": "hook", "rate": 0}', "rate"),
    (b'{"destination": "hook", "evnets": ["A"]}', "evnets"),
]


@pytest.mark.parametrize(("body", "names"), BAD)
async def test_a_wrong_request_is_400_and_names_the_field(body: bytes, names: str, relay: RelayHere) -> None:
    answer = await relay.ask("POST", "/v1/replays", body)
    assert answer.status == 400
    assert answer.json["error"]["code"] == "bad_request"
    assert names in answer.json["error"]["message"]
    assert (await relay.ask("GET", "/v1/replays")).json == {"replays": []}


@pytest.mark.parametrize("number", ["1", "0", "x", "1.5", "-1", "9" * 18, "9" * 30, "%20"])
async def test_an_unknown_id_is_404(number: str, relay: RelayHere) -> None:
    for method in ("GET", "DELETE"):
        answer = await relay.ask(method, f"/v1/replays/{number}")
        assert answer.status == 404
        assert answer.json["error"]["code"] == "not_found"


async def test_the_read_token_may_only_look(relay: RelayHere) -> None:
    number = (await begin(relay))["id"]
    for method, path, status in (
        ("GET", "/v1/replays", 200),
        ("GET", f"/v1/replays/{number}", 200),
        ("POST", "/v1/replays", 403),
        ("DELETE", f"/v1/replays/{number}", 403),
    ):
        assert (await relay.ask(method, path, b"{}", token=READ_TOKEN)).status == status
        assert (await relay.ask(method, path, b"{}", token="wrong")).status == 401


async def test_metrics_are_by_destination_and_apart_from_live_ones(
    relay: RelayHere, receiver: Receiver
) -> None:
    await send(relay, receiver, 4)
    before = await lines_of(relay)
    await until(relay, (await begin(relay))["id"], "done")
    number = (await begin(relay, rate=0.001))["id"]
    after = await lines_of(relay)
    fate = '{destination="hook",outcome="delivered"}'
    live, replayed = f"relay_destination_events_total{fate}", f"relay_replay_events_total{fate}"
    assert after[live] == before[live]
    assert after[replayed] - before.get(replayed, 0) in (4, 5)  # of the second, one goes at once
    assert after['relay_replays{destination="hook"}'] == 1
    assert after['relay_replay_lag_requests{destination="hook"}'] >= 3
    assert not any("replay:" in name for name in after)
    await relay.ask("DELETE", f"/v1/replays/{number}")
    assert (await lines_of(relay))['relay_replays{destination="hook"}'] == 0


async def lines_of(relay: RelayHere) -> dict[str, float]:
    text = (await relay.ask("GET", "/metrics", token=None)).body.decode()
    parts = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in parts}


async def test_retention_keeps_what_a_replay_has_to_read(
    relay: RelayHere, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[int] = []
    real = Segments.trim

    async def trim(self: Segments, *, older_than: int, keep_from: int, max_bytes: int | None) -> None:
        kept.append(keep_from)
        await real(self, older_than=older_than, keep_from=keep_from, max_bytes=max_bytes)

    monkeypatch.setattr(Segments, "trim", trim)
    await send(relay, receiver, 5)

    async def is_idle() -> bool:
        await relay.app._retention.trim()
        return kept[-1] == 6

    await eventually(is_idle, 60, lambda: f"it keeps {kept}")
    number = (await begin(relay, rate=0.001))["id"]
    await relay.app._retention.trim()
    assert kept[-1] <= 2
    await relay.ask("DELETE", f"/v1/replays/{number}")
    await relay.app._retention.trim()
    assert kept[-1] == 6

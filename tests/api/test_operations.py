"""Health, status, metrics, dead letters, pause, reload: what is answered, and what mistakes are."""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest

from tests.acceptance.relay_process import eventually
from tests.gateway.relay_here import KEY, RelayHere, event
from tests.receiver import Receiver


async def body_of(relay: RelayHere, method: str, path: str, body: Any = None) -> Any:
    answer = await relay.ask(method, path, None if body is None else orjson.dumps(body))
    assert answer.status == 200, answer
    return answer.json


async def until(look: Callable[[], Awaitable[bool]]) -> None:
    await eventually(look, 60, lambda: "it did not come to that")


async def letters_of(relay: RelayHere, n: int) -> list[dict[str, Any]]:
    """The dead letters, once there are `n`."""
    found: list[dict[str, Any]] = []

    async def look() -> bool:
        found[:] = (await body_of(relay, "GET", "/v1/dead-letters"))["deadLetters"]
        return len(found) == n

    await until(look)
    return found


async def test_a_relay_whose_log_takes_nothing_lives_and_is_not_ready(
    relay: RelayHere,
) -> None:
    assert await body_of(relay, "GET", "/readyz") == {"ready": True, "problem": None}
    text = relay.file.read_text()
    relay.file.write_text(text.replace("[log]", '[log]\nmax_bytes = "1B"'))
    await body_of(relay, "POST", "/v1/reload")
    assert (await relay.post("/v1/track", event())).status == 200
    await relay.app._retention.trim()
    answer = await relay.ask("GET", "/readyz", token=None)
    assert answer.status == 503
    assert answer.json == {"ready": False, "problem": "the log has reached max_bytes"}
    assert (await relay.ask("GET", "/healthz", token=None)).status == 200
    assert (await relay.post("/v1/track", event())).status == 503
    status = await body_of(relay, "GET", "/v1/status")
    assert status["log"]["problem"] == "the log has reached max_bytes"
    relay.file.write_text(text)
    await body_of(relay, "POST", "/v1/reload")
    await relay.app._retention.trim()
    assert (await relay.ask("GET", "/readyz", token=None)).status == 200


async def test_the_status_says_where_everything_stands(relay: RelayHere, receiver: Receiver) -> None:
    assert (await relay.post("/v1/track", event())).status == 200
    assert (await relay.post("/v1/track", {"userId": "u"})).status == 400
    await receiver.wait_for(1)

    async def is_done() -> bool:
        (it,) = (await body_of(relay, "GET", "/v1/status"))["destinations"]
        return bool(it["lag"] == 0 and it["cursor"] == 1)

    await until(is_done)
    status = await body_of(relay, "GET", "/v1/status")
    assert status["log"]["head"] == 1
    assert status["log"]["problem"] is None
    assert status["admission"] == {"sequence": 1, "lag": 0}
    assert status["uptimeSeconds"] >= 0
    (source,) = status["sources"]
    assert source == {
        "name": "web",
        "enabled": True,
        "events": 1,
        "answers": {"200": 1, "400": 1},
        "rejected": {"missing_event": 1},
    }
    (it,) = status["destinations"]
    assert (it["name"], it["type"], it["state"], it["cursor"], it["lag"]) == (
        "hook",
        "webhook",
        "running",
        1,
        0,
    )
    assert (it["retrying"], it["deadLetters"], it["lastError"], it["opensInSeconds"]) == (0, 0, None, 0)
    assert it["concurrency"] >= 1
    assert it["events"] == {
        "delivered": 1,
        "filtered": 0,
        "duplicate": 0,
        "blocked": 0,
        "rejected": 0,
        "expired": 0,
    }
    assert KEY not in orjson.dumps(status).decode()


async def test_metrics_are_prometheus_text_of_sources_and_destinations(
    relay: RelayHere, receiver: Receiver
) -> None:
    await relay.post("/v1/track", event())
    await receiver.wait_for(1)
    answer = await relay.ask("GET", "/metrics", token=None)
    assert answer.headers["Content-Type"].startswith("text/plain")
    lines = answer.body.decode().splitlines()
    assert 'relay_events_received_total{source="web"} 1.0' in lines
    assert 'relay_requests_total{source="web",status="200"} 1.0' in lines
    assert any(line.startswith('relay_destination_events_total{destination="hook"') for line in lines)
    assert any(line.startswith('relay_destination_lag_requests{destination="hook"}') for line in lines)
    assert KEY not in answer.body.decode()


async def test_dead_letters_are_listed_retried_and_dropped(relay: RelayHere, receiver: Receiver) -> None:
    receiver.always(410)
    sent = [event() for _ in range(4)]
    for one in sent:
        await relay.post("/v1/track", one)
    letters = await letters_of(relay, 4)
    assert {letter["messageId"] for letter in letters} == {one["messageId"] for one in sent}
    assert letters[0]["reply"] == "{}"
    assert letters[0]["event"]["event"] == "Tested"
    page = await body_of(relay, "GET", "/v1/dead-letters?destination=hook&limit=2")
    assert page["deadLetters"] == letters[:2]
    page = await body_of(relay, "GET", f"/v1/dead-letters?limit=2&before={letters[1]['id']}")
    assert page["deadLetters"] == letters[2:]
    assert (await body_of(relay, "GET", "/v1/dead-letters?destination=other"))["deadLetters"] == []
    page = await body_of(relay, "GET", "/v1/dead-letters?reason=410&limit=2")
    assert page["deadLetters"] == letters[:2]
    assert (await body_of(relay, "GET", "/v1/dead-letters?reason=404"))["deadLetters"] == []
    asked = {"reason": "404"}
    assert await body_of(relay, "POST", "/v1/dead-letters/drop", asked) == {"dropped": 0}
    ids = [letters[0]["id"]]
    assert await body_of(relay, "POST", "/v1/dead-letters/drop", {"ids": ids}) == {"dropped": 1}
    assert await body_of(relay, "POST", "/v1/dead-letters/drop", {"ids": ids}) == {"dropped": 0}
    receiver.always(200)
    asked = {"destination": "hook"}
    assert await body_of(relay, "POST", "/v1/dead-letters/retry", asked) == {"retried": 3}
    await receiver.wait_for(3)
    assert await letters_of(relay, 0) == []
    assert letters[0]["messageId"] not in receiver.counts


BAD_BODIES: list[bytes] = [
    b"",
    b"{",
    b"\xff",
    b"[]",
    b"null",
    b"3",
    b"{}",
    b'{"destination": null, "ids": null}',
    b'{"destination": 5}',
    b'{"destination": ["hook"]}',
    b'{"reason": 410}',
    b'{"ids": "1"}',
    b'{"ids": 1}',
    b'{"ids": ["1"]}',
    b'{"ids": [1.5]}',
    b'{"ids": [true]}',
    b'{"ids": [1, null]}',
    b'{"ids": [1180591620717411303424]}',
    b'{"destination": "hook", "ids": {}}',
]


@pytest.mark.parametrize("what", ["retry", "drop"])
async def test_a_wrong_body_is_400_with_a_sentence(what: str, relay: RelayHere) -> None:
    for body in BAD_BODIES:
        answer = await relay.ask("POST", f"/v1/dead-letters/{what}", body)
        assert answer.status == 400, body
        assert answer.json["error"]["code"] == "bad_request"
        assert answer.json["error"]["message"]
        assert b"Traceback" not in answer.body


async def test_ids_of_any_size_do_no_harm(relay: RelayHere) -> None:
    for ids in ([], [0], [-1], [2**63 - 1], [2**63], [2**64 - 1], list(range(20_000))):
        answer = await relay.ask("POST", "/v1/dead-letters/retry", orjson.dumps({"ids": ids}))
        assert (answer.status, answer.json) == (200, {"retried": 0})


@pytest.mark.parametrize(
    "query", ["limit=x", "limit=-1", "limit=1.5", "before=x", "before=99999999999999999999"]
)
async def test_a_wrong_parameter_is_400_and_named(query: str, relay: RelayHere) -> None:
    answer = await relay.ask("GET", f"/v1/dead-letters?{query}")
    assert answer.status == 400
    assert query.partition("=")[0] in answer.json["error"]["message"]


async def test_pause_and_resume(relay: RelayHere, receiver: Receiver) -> None:
    answer = await body_of(relay, "POST", "/v1/destinations/hook/pause")
    assert answer == {"destination": "hook", "paused": True}
    (it,) = (await body_of(relay, "GET", "/v1/status"))["destinations"]
    assert it["state"] == "paused"
    one = event()
    await relay.post("/v1/track", one)
    await relay.admitted(one["messageId"])
    assert receiver.requests == []
    answer = await body_of(relay, "POST", "/v1/destinations/hook/resume")
    assert answer == {"destination": "hook", "paused": False}
    await receiver.wait_for_ids({one["messageId"]})


@pytest.mark.parametrize("what", ["pause", "resume"])
async def test_a_destination_that_does_not_run_is_404(what: str, relay: RelayHere) -> None:
    for name in ("nobody", "%2e%2e", "HOOK"):
        answer = await relay.ask("POST", f"/v1/destinations/{name}/{what}")
        assert answer.status == 404
        assert answer.json["error"]["code"] == "not_found"


async def test_unknown_routes_methods_and_large_bodies_are_answered_in_json(relay: RelayHere) -> None:
    wrong = [
        ("GET", "/v1/nothing", None, 404),
        ("GET", "/v1/reload", None, 405),
        ("POST", "/v1/status", b"{}", 405),
        ("POST", "/v1/dead-letters/drop", b" " * 1_000_001, 413),
    ]
    for method, path, body, status in wrong:
        answer = await relay.ask(method, path, body)
        assert answer.status == status, path
        assert set(answer.json["error"]) == {"code", "message"}


async def test_a_reload_takes_up_the_file_and_says_what_needs_a_restart(relay: RelayHere) -> None:
    text = relay.file.read_text()
    relay.file.write_text(text.replace('"web-key"', '"other-key"').replace("admin-token", "next-token"))
    answer = await body_of(relay, "POST", "/v1/reload")
    assert answer == {"reloaded": True, "restartNeededFor": ["server.admin_token"]}
    assert (await relay.post("/v1/track", event())).status == 401
    assert (await relay.post("/v1/track", event(), key="other-key")).status == 200


async def test_a_reload_of_a_broken_file_is_refused_with_every_problem(relay: RelayHere) -> None:
    text = relay.file.read_text()
    relay.file.write_text(text + '\nwrite_kye = "x"\n[[sources]]\nname = "a b"\nwrite_key = "z"\n')
    answer = await relay.ask("POST", "/v1/reload")
    assert answer.status == 400
    error = answer.json["error"]
    assert error["code"] == "bad_config"
    assert len(error["problems"]) == 2
    assert all("relay.toml:" in problem for problem in error["problems"])
    assert (await relay.post("/v1/track", event())).status == 200


async def test_a_fault_of_our_own_is_500_without_a_stack_trace(
    relay: RelayHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fault() -> Any:
        raise RuntimeError("a-secret-detail")

    monkeypatch.setattr(relay.app, "status", fault)
    answer = await relay.ask("GET", "/v1/status")
    assert answer.status == 500
    assert answer.json["error"]["code"] == "internal"
    assert b"a-secret-detail" not in answer.body
    assert b"Traceback" not in answer.body

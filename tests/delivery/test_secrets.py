"""Secrets are sent where they belong and are seen nowhere else; values of events are not in the log."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from relay.console.search import Search
from relay.delivery import delivery as delivery_room
from relay.destinations.segment import Segment
from tests.delivery.choosy import Choosy
from tests.delivery.pipeline import Target, pipeline, target, track, tracks, webhook

pytestmark = pytest.mark.usefixtures("quick")

HEADER, SHARED, KEY = "header-5ecret", "shared-5ecret", "write-key-5ecret"
PASSWORD = "passw0rd-5ecret"
QUERY = "query-5ecret"
SECRETS = [HEADER, SHARED, KEY, PASSWORD, b64encode(f"{KEY}:".encode()).decode()]
VALUE = "value-of-an-event"


def targets(url: str) -> dict[str, Target]:
    hook = {"headers": {"Authorization": f"Bearer {HEADER}", "x-api-key": HEADER}, "shared_secret": SHARED}
    with_password = url.replace("http://", f"http://user:{PASSWORD}@")
    return {
        "hook": webhook(f"{url}/in?token={HEADER}", settings=hook),
        "batches": webhook(f"{url}/in", "batches", hook, batch_size=5),
        "segment": target("segment", "segment", Segment(write_key=KEY), endpoint=url),
        "password": webhook(f"{with_password}/in", "password"),
    }


@pytest.mark.parametrize("name", targets("http://nowhere"))
async def test_secrets_are_not_in_logs_debugger_or_dead_letters(name: str, tmp_path: Path) -> None:
    with capture_logs() as logs:
        async with Choosy() as receiver, pipeline(tmp_path) as line:
            one = targets(receiver.url)[name]
            await line.apply(one)
            for status in (500, 429, 400, 403, 302, 200):
                receiver.rule = lambda _, status=status: (status, {})  # type: ignore[misc]
                await line.send(*tracks(2, properties={"key": VALUE}))
                await receiver.wait_until(lambda s=status: any(r.status == s for r in receiver.requests), 5)  # type: ignore[misc]
            await receiver.stop()
            await line.send(track(properties={"key": VALUE}))
            await line.until(lambda s: s["state"] == "held", name)
            shown = json.dumps(line.debugger.newest(Search(), 500))
            letters = json.dumps(await line.letters())
            status_text = json.dumps(await line.delivery.status())
    assert shown.count('"request"') > 3
    assert '"rejected"' in letters
    for secret in SECRETS:
        assert secret not in shown, f"{secret} in the debugger"
        assert secret not in letters, f"{secret} in the dead letters"
        assert secret not in status_text, f"{secret} in the status"
        assert secret not in str(logs), f"{secret} in the log"
    assert logs
    assert VALUE not in str(logs)
    assert any(
        secret in str(r.headers) + r.path for r in receiver.requests for secret in SECRETS
    ) or name in (
        "hook",
        "password",
    )


async def test_a_part_of_a_url_that_an_answer_repeats_is_seen_nowhere(tmp_path: Path) -> None:
    async with Choosy() as receiver, pipeline(tmp_path) as line:
        receiver.rule = lambda _: (404, {})
        receiver.text = json.dumps({"no such key": QUERY})
        await line.apply(webhook(f"{receiver.url}/in?token={QUERY}"))
        await line.send(track())
        await line.done()
        (shown,) = line.debugger.newest(Search(), 1)
        (letter,) = await line.letters()
    assert shown["deliveries"]["hook"]["request"]["url"] == f"{receiver.url}/in"
    assert letter["reply"] == '{"no such key": "[secret]"}'
    assert QUERY not in json.dumps(shown)


async def test_the_debugger_shows_that_there_is_a_secret(tmp_path: Path) -> None:
    async with Choosy() as receiver, pipeline(tmp_path) as line:
        await line.apply(targets(receiver.url)["hook"])
        await line.send(track())
        await line.done()
        (shown,) = line.debugger.newest(Search(), 1)
        headers = shown["deliveries"]["hook"]["request"]["headers"]
        assert headers == {
            "Content-Type": "application/json",
            "Authorization": "[secret]",
            "x-api-key": "[secret]",
            "X-Signature": "[secret]",
        }
        (request,) = receiver.requests
        assert request.headers["Authorization"] == f"Bearer {HEADER}"
        assert request.headers["X-Api-Key"] == HEADER


async def test_a_fault_of_our_own_shows_no_values_in_what_it_logs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_room, "RESTART_SECONDS", 0.01)
    with capture_logs() as logs:
        async with Choosy() as receiver, pipeline(tmp_path) as line:
            hook = targets(receiver.url)["hook"]

            def unmappable(*_: Any, **__: Any) -> None:
                raise ValueError(VALUE + HEADER)

            with monkeypatch.context() as patch:
                patch.setattr(type(hook.settings), "requests", unmappable)
                await line.apply(hook)
                await line.send(track(properties={"key": VALUE}))
                await line.done()
            (letter,) = await line.letters()
    assert letter["reason"] == "INTERNAL"
    assert letter["reply"] == ""
    assert [entry["kind"] for entry in logs if "kind" in entry] == ["ValueError"]
    assert VALUE not in str(logs)
    assert HEADER not in str(logs)

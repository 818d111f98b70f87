"""Segment's destinations in delivery: real children, a vendor that answers well and badly, nothing lost."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from relay.destinations.actions import Subscription
from relay.destinations.bridge import runtime as runtime_room
from relay.destinations.bridge.catalogue import Catalogue
from relay.sandbox import usage
from tests.delivery.clock import Clock
from tests.delivery.conftest import quick
from tests.delivery.pipeline import Pipeline, Target, ids, pipeline, track, tracks
from tests.destinations.bridge.conftest import Installation
from tests.destinations.bridge.running import aimed, bridged, runtime
from tests.destinations.vendor import Asked, Door, Said, Vendor

__all__ = ["quick"]
pytestmark = pytest.mark.usefixtures("quick")

ANY = (Door("POST", ".*", takes=True),)
SECRET = "s3cret-of-the-operator"


def good(_: Asked) -> Said:
    return Said()


def refused_by_mixpanel(asked: Asked) -> Said:
    wrong = [place for place, one in enumerate(asked.ids) if one in asked.refused]
    failed = [
        {"index": place, "insert_id": asked.ids[place], "field": "time", "message": "bad"} for place in wrong
    ]
    body = {"code": 400, "num_records_imported": len(asked.ids) - len(wrong), "status": "Bad Request"}
    taken = frozenset(asked.ids) - asked.refused
    return Said(400, {**body, "failed_records": failed}, taken=taken)


@pytest.fixture
async def vendor() -> AsyncIterator[Vendor]:
    async with Vendor(ANY, good, refused_by_mixpanel) as made:
        yield made


@pytest.fixture
async def line(installation: Installation, tmp_path: Path) -> AsyncIterator[Pipeline]:
    async with bridged(installation.installed.folder, tmp_path) as made:
        yield made


@pytest.fixture
def amplitude(catalogue: Catalogue, vendor: Vendor) -> Target:
    """One request an event."""
    return aimed(
        catalogue, "amplitude", vendor.url, {"apiKey": SECRET, "secretKey": "another-s3cret"}, name="it"
    )


@pytest.fixture
def mixpanel(catalogue: Catalogue, vendor: Vendor) -> Target:
    """Batches."""
    return aimed(
        catalogue,
        "mixpanel",
        vendor.url,
        {"projectToken": SECRET, "apiSecret": "another-s3cret"},
        name="it",
        subscriptions=batching(catalogue, "mixpanel", "trackEvent"),
        batch_wait="50ms",
    )


def batching(catalogue: Catalogue, kind: str, action: str) -> tuple[Subscription, ...]:
    fields = next(one for one in catalogue.by_type[kind].actions if one["name"] == action)["fields"]
    mapping = {name: field["default"] for name, field in fields.items() if "default" in field}
    return (Subscription(action, 'type = "track"', {**mapping, "enable_batching": True}),)


def marked(n: int) -> list[dict[str, Any]]:
    """Events that show their messageId where every vendor sees it."""
    return [one | {"event": f"Tested {one['messageId']}"} for one in tracks(n)]


async def test_events_are_sent_one_by_one(line: Pipeline, vendor: Vendor, amplitude: Target) -> None:
    await line.apply(amplitude)
    sent = marked(20)
    await line.send(*sent)
    assert (await line.done("it"))["events"]["delivered"] == 20
    assert vendor.counts == dict.fromkeys(ids(sent), 1)


async def test_events_travel_together(line: Pipeline, vendor: Vendor, mixpanel: Target) -> None:
    await line.apply(mixpanel)
    sent = marked(200)
    await line.send_batch(sent)
    assert (await line.done("it"))["events"]["delivered"] == 200
    assert vendor.counts == dict.fromkeys(ids(sent), 1)
    assert max(vendor.sizes) > 50


async def test_one_event_that_is_refused_takes_no_other_along(
    line: Pipeline, vendor: Vendor, mixpanel: Target
) -> None:
    assert line.delivery.bridge is not None
    line.delivery.bridge.give({}, ("mixpanel-multistatus",))
    await line.apply(mixpanel)
    sent = marked(20)
    vendor.refuses = frozenset((sent[3]["messageId"], sent[7]["messageId"]))
    await line.send_batch(sent)
    done = await line.done("it")
    assert (done["events"]["delivered"], done["events"]["rejected"]) == (18, 2)
    assert {letter["event"]["messageId"] for letter in await line.letters()} == vendor.refuses
    assert vendor.counts == dict.fromkeys(ids(sent) - vendor.refuses, 1)


async def test_a_retry_after_is_obeyed_to_the_second(
    installation: Installation, tmp_path: Path, vendor: Vendor, amplitude: Target
) -> None:
    clock = Clock()
    async with runtime(installation.installed.folder) as made, pipeline(tmp_path, clock=clock) as line:
        line.delivery.bridge = made
        vendor.says(Said(429, headers={"Retry-After": "120"}))
        await line.apply(amplitude)
        await line.send(track())
        await line.until(lambda s: s["state"] == "held", "it")
        assert line.consumer("it").courier.gate.opens_in == 120
        clock.move(119.9)
        line.wake()
        await line.send(track())
        assert len(vendor.requests) == 1
        clock.move(0.1)
        line.wake()
        assert (await line.done("it"))["events"]["delivered"] == 2


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
async def test_a_passing_trouble_is_tried_again(
    status: int, line: Pipeline, vendor: Vendor, amplitude: Target
) -> None:
    vendor.says(*[Said(status)] * 3)
    await line.apply(amplitude)
    sent = marked(3)
    await line.send(*sent)
    done = await line.done("it")
    assert (done["events"]["delivered"], done["deadLetters"]) == (3, 0)
    assert vendor.counts.keys() == ids(sent)


async def test_a_refusal_is_a_dead_letter_with_the_vendor_s_words(
    line: Pipeline, vendor: Vendor, amplitude: Target
) -> None:
    vendor.insists(Said(403, "the key is no good"))
    await line.apply(amplitude)
    await line.send(track())
    assert (await line.done("it"))["events"]["rejected"] == 1
    (letter,) = await line.letters()
    assert (letter["status"], letter["reply"]) == (403, "the key is no good")
    assert len(vendor.requests) == 1


async def test_what_the_package_refuses_is_never_sent(
    line: Pipeline, vendor: Vendor, catalogue: Catalogue
) -> None:
    said = (Subscription("logEventV2", 'type = "track"', {"user_id": {"@path": "$.userId"}}),)
    await line.apply(
        aimed(catalogue, "amplitude", vendor.url, {"apiKey": SECRET, "secretKey": "x"}, subscriptions=said)
    )
    await line.send(track())
    assert (await line.done("amplitude"))["events"]["rejected"] == 1
    (letter,) = await line.letters()
    assert (letter["reason"], vendor.requests) == ("PAYLOAD_VALIDATION_FAILED", [])
    assert "event_type" in letter["reply"]


async def test_a_vendor_that_hangs_holds_its_own_events_only(
    line: Pipeline, vendor: Vendor, catalogue: Catalogue
) -> None:
    async with Hanging() as slow:
        keys = {"apiKey": SECRET, "secretKey": "another-s3cret"}
        held = aimed(catalogue, "amplitude", slow.url, keys, name="held", timeout="2s")
        await line.apply(held, aimed(catalogue, "amplitude", vendor.url, keys, name="it"))
        sent = marked(5)
        await line.send(*sent)
        assert (await line.done("it"))["events"]["delivered"] == 5
        assert (await line.until(lambda s: s["lastError"], "held"))["lastError"] == "ETIMEDOUT"
        slow.is_open.set()
        assert (await line.done("held"))["events"]["delivered"] == 5
        assert slow.counts.keys() == ids(sent)


class Hanging(Vendor):
    """Answers when `is_open`."""

    def __init__(self) -> None:
        super().__init__(ANY, good, good)
        self.is_open = asyncio.Event()
        self.came = asyncio.Event()

    async def _answer(self, request: Any) -> Any:
        self.came.set()
        await self.is_open.wait()
        return await super()._answer(request)


@pytest.mark.parametrize("is_batch", [False, True])
async def test_a_child_that_is_killed_in_the_middle_loses_nothing(
    line: Pipeline, catalogue: Catalogue, *, is_batch: bool
) -> None:
    async with Hanging() as slow:
        kind, action = ("mixpanel", "trackEvent") if is_batch else ("amplitude", "logEventV2")
        settings = {"projectToken": "t", "apiSecret": "s"} if is_batch else {"apiKey": "k", "secretKey": "s"}
        said = batching(catalogue, kind, action) if is_batch else None
        await line.apply(aimed(catalogue, kind, slow.url, settings, subscriptions=said, name="it"))
        sent = marked(30)
        await line.send_batch(sent)
        await slow.came.wait()
        for pid in pids(line):
            os.kill(pid, signal.SIGKILL)
        slow.is_open.set()
        done = await line.done("it")
        assert (done["events"]["delivered"], done["deadLetters"]) == (30, 0)
        assert slow.counts.keys() == ids(sent)


def pids(line: Pipeline) -> list[int]:
    assert line.delivery.bridge is not None
    found = [seat.child.pid for seat in line.delivery.bridge.pool.seats]
    assert found
    return found


async def test_what_was_on_its_way_at_a_stop_is_sent_after_the_next_start(
    installation: Installation, tmp_path: Path, catalogue: Catalogue
) -> None:
    folder = installation.installed.folder
    sent = marked(40)
    async with Hanging() as slow:
        one = aimed(catalogue, "amplitude", slow.url, {"apiKey": "k", "secretKey": "s"}, name="it")
        async with bridged(folder, tmp_path) as line:
            await line.apply(one)
            await line.send_batch(sent)
            await slow.came.wait()
            await line.crash()
        slow.is_open.set()
        async with bridged(folder, tmp_path) as line:
            await line.apply(one)
            assert (await line.done("it"))["events"]["delivered"] == 40
        assert slow.counts.keys() == ids(sent)


async def test_without_what_runs_it_events_wait_and_the_status_says_why(
    tmp_path: Path, vendor: Vendor, amplitude: Target
) -> None:
    async with pipeline(tmp_path) as line:
        await line.apply(amplitude)
        await line.send(track())
        status = await line.until(lambda s: s["state"] == "held", "it")
        assert (status["lag"], vendor.requests) == (1, [])
        assert "not installed" in status["lastError"]


async def test_without_deno_events_wait(
    line: Pipeline, vendor: Vendor, amplitude: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.import_module", missing)
    await line.apply(amplitude)
    await line.send(track())
    status = await line.until(lambda s: s["state"] == "held", "it")
    assert (status["lag"], vendor.requests) == (1, [])
    assert "pip install 'relay[integrations]'" in status["lastError"]


async def test_a_child_that_cannot_start_holds_the_events_and_the_status_says_so(
    line: Pipeline, vendor: Vendor, amplitude: Target, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(runtime_room, "PLACE_SECONDS", 0.3)
    broken = tmp_path / "broken.mjs"
    broken.write_text("throw new Error('no such bundle')")
    monkeypatch.setattr(runtime_room, "SCRIPT", broken)
    await line.apply(amplitude)
    await line.send(track(messageId="m"))
    status = await line.until(lambda s: s["state"] == "held", "it")
    assert status["lastError"].startswith("no child process was free within 0.3 s")
    assert (status["retrying"], status["deadLetters"]) == (0, 0)


def missing(name: str) -> Any:
    raise ImportError(name)


async def test_secrets_are_in_no_log_and_no_dead_letter(
    line: Pipeline, vendor: Vendor, amplitude: Target
) -> None:
    vendor.insists(Said(400, f"no such key {SECRET}"))
    with capture_logs() as logs:
        await line.apply(amplitude)
        await line.send(track(properties={"password": "of-a-person"}))
        await line.done("it")
        for pid in pids(line):
            os.kill(pid, signal.SIGKILL)
    (letter,) = await line.letters()
    assert letter["reply"] == "no such key [secret]"
    text = str(logs)
    assert SECRET not in text
    assert "another-s3cret" not in text
    assert "of-a-person" not in text


async def test_a_child_does_not_grow_with_what_it_has_sent(
    line: Pipeline, vendor: Vendor, mixpanel: Target
) -> None:
    """Segment's core keeps every answer, here 1 MB each; what is allowed for is V8's own slack."""
    vendor.insists(Said(200, {"echo": "x" * 1_000_000}))
    await line.apply(mixpanel)

    async def sent(rounds: int) -> int:
        for _ in range(rounds):
            await line.send_batch(tracks(2))
            await line.done("it")
        (pid,) = pids(line)
        return usage.resident_bytes(pid)

    before = await sent(40)
    assert await sent(100) - before < 60_000_000


class Office:
    """A vendor's world: access tokens are replaced, and each refresh token is good once."""

    def __init__(self) -> None:
        self.generation = 1
        self.is_closed = False
        self.renewals: list[str] = []

    def __call__(self, asked: Asked) -> Said:
        if "/oauth/token" in asked.path:
            return self._renew(asked.body.decode())
        is_good = asked.headers["Authorization"] == f"Bearer access-{self.generation}"
        return Said() if is_good else Said(401, {"message": "expired"})

    def _renew(self, form: str) -> Said:
        self.renewals.append(form)
        if self.is_closed or f"refresh_token=refresh-{self.generation}&" not in f"{form}&":
            return Said(400, {"error": "invalid_grant"})
        self.generation += 1
        granted = {"access_token": f"access-{self.generation}", "refresh_token": f"refresh-{self.generation}"}
        return Said(200, granted)


OFFICE = (Door("POST", ".*/oauth/token.*"), Door("POST", ".*", takes=True))


def hilo(
    catalogue: Catalogue, url: str, name: str, access: str = "access-1", refresh: str = "refresh-1"
) -> Target:
    """One whose refresh tokens are good once."""
    oauth = {
        "clientId": "client",
        "clientSecret": "client-5ecret",
        "access_token": access,
        "refresh_token": refresh,
    }
    said = (Subscription("identify", 'type = "identify"'), Subscription("track", 'type = "track"'))
    known = {one["name"] for one in catalogue.by_type["hilo"].actions}
    kept = tuple(one for one in said if one.action in known)
    return aimed(
        catalogue, "hilo", url, {"integrationId": "i", "oauth": oauth}, name=name, subscriptions=kept or None
    )


async def test_a_token_that_ran_out_is_renewed_once_for_all(line: Pipeline, catalogue: Catalogue) -> None:
    office = Office()
    office.generation = 2  # access-1 is not good any more
    async with Vendor(OFFICE, office, good) as vendor:
        targets = [hilo(catalogue, vendor.url, name, refresh="refresh-2") for name in ("one", "two")]
        await line.apply(*targets)
        await line.send_batch(tracks(30))
        for name in ("one", "two"):
            done = await line.done(name)
            assert (done["events"]["delivered"], done["deadLetters"]) == (30, 0)
        assert len(office.renewals) == 1
        credentials = line.delivery.accounts.credentials(*targets[0])
        assert credentials is not None
        tokens = await credentials.account.tokens()
        assert tokens is not None
        assert (tokens.access, tokens.refresh) == ("access-3", "refresh-3")


async def test_a_rotated_token_is_used_after_a_restart(
    installation: Installation, tmp_path: Path, catalogue: Catalogue
) -> None:
    folder, office = installation.installed.folder, Office()
    async with Vendor(OFFICE, office, good) as vendor:
        office.generation = 2
        for _ in range(2):
            async with bridged(folder, tmp_path) as line:
                await line.apply(hilo(catalogue, vendor.url, "it", refresh="refresh-2"))
                await line.send(track())
                await line.done("it")
        assert len(office.renewals) == 1
        assert office.generation == 3


async def test_a_renewal_that_is_refused_holds_the_events(line: Pipeline, catalogue: Catalogue) -> None:
    office = Office()
    office.generation, office.is_closed = 2, True
    async with Vendor(OFFICE, office, good) as vendor:
        await line.apply(hilo(catalogue, vendor.url, "it"))
        await line.send_batch(tracks(3))
        status = await line.until(lambda s: s["state"] == "held", "it")
        assert status["events"].get("rejected", 0) == 0
        assert "settings.oauth" in status["lastError"]
        assert await line.letters() == []


# others than those with recordings

OTHERS = (
    "aampe",
    "airship",
    "appcues",
    "attentive",
    "batch",
    "canny-functions",
    "clay",
    "clevertap",
    "drip",
    "encharge",
    "fullstory",
    "gainsight-px-cloud-action",
    "heap",
    "iterable",
    "koala",
    "launchdarkly",
    "pipedrive",
    "posthog",
    "schematic",
    "survicate",
    "userpilot",
    "xtremepush",
)
EVENT = {
    "event": "Signed Up",
    "userId": "user-1",
    "anonymousId": "anon-1",
    "properties": {"email": "ada@example.com", "plan": "pro"},
    "context": {"ip": "203.0.113.9", "userAgent": "UA", "traits": {"email": "ada@example.com"}},
}
PERSON = {"userId": "user-1", "anonymousId": "anon-1", "traits": {"email": "ada@example.com", "name": "Ada"}}
EVERY = tuple(Door(method, ".*") for method in ("GET", "POST", "PUT", "PATCH", "DELETE"))


async def test_other_destinations_send_by_their_presets(line: Pipeline, catalogue: Catalogue) -> None:
    assert len(OTHERS) > 20
    async with Vendor(EVERY, good, good) as vendor:
        targets = [aimed(catalogue, kind, f"{vendor.url}", required(catalogue, kind)) for kind in OTHERS]
        await line.apply(*targets)
        await line.send(track(**EVENT), track(type="identify", **PERSON))
        for kind in OTHERS:
            done = await line.done(kind)
            events = done["events"]
            assert (events["rejected"], events["delivered"] > 0) == (0, True), (
                kind,
                await line.letters(kind),
            )
        assert len(vendor.requests) >= len(OTHERS)


def required(catalogue: Catalogue, kind: str) -> dict[str, Any]:
    """The settings that must be there, made up."""
    made: dict[str, Any] = {}
    for name, said in catalogue.by_type[kind].settings.items():
        if said.get("required") and said.get("type") == "number":
            made[name] = 1
        elif said.get("required") and "default" not in said:
            choices = [one["value"] if isinstance(one, dict) else one for one in said.get("choices") or ()]
            is_place = said.get("format") == "uri"
            made[name] = choices[0] if choices else "https://www.example.com" if is_place else f"{name}-value"
    return made

"""What every destination must do, whatever it is: one test over the whole catalogue.

Each type is tried with every kind of flow that it has (`subjects`), against a vendor that knows the requests it may
be asked and fails the test on any other (`vendor`).
"""

import json
from base64 import b64encode
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from structlog.testing import capture_logs

from relay.config_subscriptions import mistakes_of, notes_of
from relay.console.search import Search
from relay.destinations import CATALOGUE
from relay.destinations.actions import ActionDestination
from relay.destinations.actions.fields import Field
from relay.destinations.actions.route import ActionRoute
from relay.destinations.base import Destination, is_secret, metas
from relay.destinations.oauth import OAuthDestination, OAuthSettings
from relay.destinations.secrets import SHOWN, secrets_of
from tests.delivery.clock import Clock
from tests.delivery.pipeline import Pipeline, Target, ids, pipeline, target, track, tracks
from tests.destinations.subjects import SECRET, SUBJECTS, Later, Subject
from tests.destinations.vendor import Asked, Door, Said, Vendor, World

pytestmark = pytest.mark.usefixtures("quick")

A_BATCH = 2000  # events: of small ones, what the smallest `max_bytes` has room for
SLACK_BYTES = 36_000  # an event more than `max_bytes`
OLD = {"messageId": "m-1"}
RENEWED = "renewed-t0ken"

every_subject = pytest.mark.parametrize("it", SUBJECTS.values(), ids=SUBJECTS)
every_type = pytest.mark.parametrize("kind", CATALOGUE)


@asynccontextmanager
async def vendor_of(it: Subject, *more: Door, world: World | None = None) -> AsyncIterator[Vendor]:
    async with Vendor((*it.doors, *more), world or it.world(), it.partial) as vendor:
        yield vendor


def settings_of(it: Subject, **oauth: str) -> Destination:
    settings = it.settings | ({"oauth": it.settings["oauth"] | oauth} if oauth else {})
    return msgspec.convert(settings, CATALOGUE[it.kind])


def made(
    it: Subject,
    vendor: Vendor,
    settings: Destination | None = None,
    *,
    way: str = "together",
    batch_wait: str = "0s",
) -> Target:
    """The subject at the vendor. `way`: as many events as there may be together, or each alone."""
    batch_size = 1 if way == "alone" else min(CATALOGUE[it.kind].max_batch, A_BATCH)
    return target(
        "it",
        it.kind,
        settings or settings_of(it),
        endpoint=vendor.url,
        subscriptions=it.subscriptions,
        batch_size=batch_size,
        batch_wait=batch_wait,
        concurrency=4,
    )


async def arrived(line: Pipeline, vendor: Vendor, events: list[dict[str, Any]]) -> None:
    """Each of `events` was delivered, none in vain, and none twice."""
    status = await line.done("it")
    assert (status["events"]["delivered"], status["deadLetters"]) == (len(events), 0)
    assert vendor.counts == dict.fromkeys(ids(events), 1)


# what it says of itself


def test_every_type_of_the_catalogue_is_tested_here() -> None:
    assert {it.kind for it in SUBJECTS.values()} == CATALOGUE.keys()


@every_subject
def test_every_secret_setting_has_a_secret_to_betray(it: Subject) -> None:
    settings = settings_of(it)
    names = {name for name in settings.__struct_fields__ if is_secret(type(settings), name)}
    assert all(SECRET in str(getattr(settings, name)) for name in names)
    assert all(SECRET in text for text in secrets_of(settings) if text)


@every_type
def test_a_type_describes_itself(kind: str) -> None:
    it = CATALOGUE[kind]
    assert it.title
    assert it.summary.endswith(".")
    assert 1 <= it.batch <= it.max_batch
    assert it.needs_endpoint is (kind == "relay")
    assert (it.default_endpoint is None) is (kind in ("relay", "webhook", "salesforce"))
    _settings_describe_themselves(it)
    if issubclass(it, OAuthDestination):
        _settings_describe_themselves(OAuthSettings)


def _settings_describe_themselves(holder: Any) -> None:
    for name in holder.__struct_fields__:
        (meta,) = metas(holder, name)
        assert (meta.description or "").endswith("."), name


@every_type
def test_its_actions_describe_themselves(kind: str) -> None:
    it = CATALOGUE[kind]
    if not issubclass(it, ActionDestination):
        assert it.route is Destination.route  # and takes events as they are
        return
    assert all(sentence.endswith(".") for sentence in (*it.differences, *it.notes))
    for name, action in it.actions.items():
        assert (name, bool(action.title), action.about[-1:]) == (action.name, True, ".")
        assert action.perform_batch is None or 1 < action.max_batch <= it.max_batch
        undescribed = [at for at, field in _fields(action.fields) if not field.about.endswith(".")]
        assert undescribed == []
        assert "enable_batching" not in action.fields or action.perform_batch or kind == "customerio"


def _fields(fields: Mapping[str, Field], at: str = "") -> Iterable[tuple[str, Field]]:
    for name, field in fields.items():
        yield at + name, field
        yield from _fields(field.properties or {}, f"{at}{name}.")


@every_type
def test_its_presets_work_and_name_only_what_there_is(kind: str) -> None:
    it = CATALOGUE[kind]
    if not issubclass(it, ActionDestination):
        assert not hasattr(it, "presets")
        return
    presets = tuple(it.preset_subscriptions())
    assert list(mistakes_of(it, presets)) == []
    assert list(notes_of(it, presets) if presets else ()) == []
    assert len({preset.name for preset in presets}) == len(presets)
    settings = settings_of(next(s for s in SUBJECTS.values() if s.kind == kind))
    assert isinstance(settings, it)
    assert len(ActionRoute(settings, presets).legs) == len(presets)


# what arrives


async def test_a_request_that_nobody_expects_fails_the_test(tmp_path: Path) -> None:
    it = msgspec.structs.replace(SUBJECTS["segment"], doors=(Door("POST", "/elsewhere", takes=True),))
    vendor = Vendor(it.doors, it.world(), it.partial)
    await vendor.start()
    async with pipeline(tmp_path) as line:
        await line.apply(made(it, vendor))
        await line.send(track())
        await line.done("it")
    await vendor.stop()
    with pytest.raises(AssertionError, match=r"asked for.*POST /v1/batch"):
        vendor.check()


@every_subject
async def test_every_way_of_sending_is_gone(it: Subject, tmp_path: Path) -> None:
    async with vendor_of(it) as vendor, pipeline(tmp_path) as line:
        together, alone = tracks(6), tracks(6)
        await line.apply(made(it, vendor))
        await line.send_batch(together)
        await arrived(line, vendor, together)
        assert (max(vendor.sizes) > 1) is it.is_batched
        await line.apply(made(it, vendor, way="alone"))
        await line.send_batch(alone)
        await arrived(line, vendor, together + alone)
        assert vendor.unused == []


@every_subject
async def test_its_limits_are_kept(it: Subject, tmp_path: Path) -> None:
    kind = CATALOGUE[it.kind]
    most, clock = min(it.most, A_BATCH), Clock()
    async with vendor_of(it) as vendor, pipeline(tmp_path, clock=clock) as line:
        await line.apply(made(it, vendor, batch_wait="1h"))
        small = tracks(max(most, 1000) + 100 if it.is_batched else 300)
        large = tracks(60 if it.is_batched else 20, properties=dict(it.large))
        for some in (small[:200], small[200:], large):
            await line.send_batch(some)
        total = len(small + large)
        await line.until(lambda _: vendor.counts.total() + len(line.consumer("it")._pending) == total, "it")
        clock.move(3600)  # what waits for company goes
        await line.send(track(integrations={"it": False}))
        await vendor.wait_for_ids(ids(small + large))
        await arrived(line, vendor, small + large)
        assert max(vendor.sizes) == most
        longest = max(len(request.body) for request in vendor.requests)
        assert longest <= (it.most_bytes or kind.max_bytes + SLACK_BYTES)


# what passes


@every_subject
async def test_a_429_is_obeyed(it: Subject, tmp_path: Path) -> None:
    await _is_obeyed(it, [Said(429, "", {"Retry-After": "30"})], [], 30.0, tmp_path)


@pytest.mark.parametrize(
    ("it", "later"),
    [
        pytest.param(it, later, id=f"{name}-{number}")
        for name, it in SUBJECTS.items()
        for number, later in enumerate(it.later)
    ],
)
async def test_later_is_understood_in_the_vendors_own_words(
    it: Subject, later: Later, tmp_path: Path
) -> None:
    await _is_obeyed(it, [], [later.said], later.after, tmp_path)


async def _is_obeyed(
    it: Subject, answers: list[Said], to_events: list[Said], after: float | None, folder: Path
) -> None:
    """After these answers the vendor is left alone for so many seconds, and then gets the event once."""
    clock = Clock()
    async with vendor_of(it) as vendor, pipeline(folder, clock=clock) as line:
        vendor.says(*answers)
        vendor.says_to_events(*to_events)
        await line.apply(made(it, vendor))
        await line.send(track(**OLD))
        status = await line.until(lambda s: s["state"] == "held", "it")
        asked = len(vendor.requests)
        clock.move((after or 0.0) - 0.1 if after else 0.0)
        line.wake()
        await line.send(track(integrations={"it": False}))
        await line.until(lambda s: line.consumer("it").window.taken == 2, "it")
        assert len(vendor.requests) == asked
        assert 0.0 < status["opensInSeconds"] <= (after or 1.0)
        clock.move(0.1 if after else 1.0)
        line.wake()
        await vendor.wait_for_ids({OLD["messageId"]})
        status = await line.done("it")
        assert (status["events"]["delivered"], status["deadLetters"]) == (1, 0)
        assert vendor.counts == {OLD["messageId"]: 1}


@every_subject
@pytest.mark.parametrize("trouble", [503, "away"])
async def test_a_passing_trouble_costs_nothing(it: Subject, trouble: int | str, tmp_path: Path) -> None:
    with capture_logs() as logs:
        async with vendor_of(it) as vendor, pipeline(tmp_path) as line:
            if trouble == "away":
                await vendor.stop()
            else:
                vendor.says(*[Said(int(trouble), f"not now {_echo(it)}")] * 3)
            await line.apply(made(it, vendor))
            events = tracks(5)
            await line.send_batch(events)
            told = await line.until(lambda s: s["state"] == "held" or s["lag"] == 0, "it")
            if trouble == "away":
                await vendor.start()
            await vendor.wait_for_ids(ids(events))
            await arrived(line, vendor, events)
            shown = line.debugger.newest(Search(), 10)
    _is_hidden((SECRET,), logs, shown, told)


def _echo(it: Subject) -> str:
    """What a vendor repeats that ought to be hidden."""
    return SECRET if any(secrets_of(settings_of(it))) else ""


@every_subject
@pytest.mark.parametrize("way", ["together", "alone"])
async def test_a_trouble_at_any_step_costs_nothing(it: Subject, way: str, tmp_path: Path) -> None:
    async with vendor_of(it) as vendor, pipeline(tmp_path) as line:
        vendor.stumbles(Said(500, ""))
        await line.apply(made(it, vendor, way=way))
        events = tracks(6)
        await line.send_batch(events)
        await vendor.wait_for_ids(ids(events))
        status = await line.done("it")
        await line.until(lambda s: s["events"]["delivered"] == 6, "it")
        assert status["deadLetters"] == 0
        assert vendor.counts.keys() == ids(events)
        assert set(vendor.counts.values()) <= ({1, 2, 3} if it.sets_again else {1})


# what does not


@every_subject
@pytest.mark.parametrize("status", [400, 401, 404])
async def test_a_refusal_is_kept_with_its_reply_and_no_secret(
    it: Subject, status: int, tmp_path: Path
) -> None:
    is_login = status == 401 and issubclass(CATALOGUE[it.kind], OAuthDestination)
    echo = _echo(it)
    hidden = SHOWN if echo else ""
    with capture_logs() as logs:
        async with vendor_of(it) as vendor, pipeline(tmp_path) as line:
            vendor.insists(Said(status, f"not like this {echo}"))
            await line.apply(made(it, vendor))
            events = tracks(3, properties={"key": "a-value"})
            await line.send_batch(events)
            if is_login:
                told = await line.until(lambda s: s["state"] == "held", "it")
                assert told["lastError"].endswith("log in again: relay destinations login it")
            else:
                told = await line.done("it")
            letters = await line.letters("it")
            shown = line.debugger.newest(Search(), 10)
            assert vendor.counts == {}
    if is_login:
        assert (told["lag"], told["events"]["rejected"], letters) == (1, 0, [])
    else:
        assert told["events"]["rejected"] == 3
        assert {letter["messageId"] for letter in letters} == ids(events)
        own = it.own_words.get(status)
        kept = (None, own) if own else (status, f"not like this {hidden}")
        assert {(letter["status"], letter["reply"]) for letter in letters} == {kept}
        assert {one["deliveries"]["it"]["state"] for one in shown} == {"rejected"}
        replies = [one["deliveries"]["it"]["reply"]["body"] for one in shown]
        assert replies == [f"not like this {hidden}"] * 3
    _is_hidden((SECRET,), logs, letters, shown, told)
    assert "a-value" not in str(logs)


def _is_hidden(secrets: Iterable[str], *shown: Any) -> None:
    """None of `secrets` is seen, not even as HTTP Basic writes it."""
    for secret in secrets:
        whole = secret[: len(secret) // 3 * 3].encode()  # in Base64 the beginning is always the same
        for place in shown:
            text = place if isinstance(place, str) else json.dumps(place, default=str)
            assert secret not in text
            assert b64encode(whole).decode() not in text


@every_subject
@pytest.mark.parametrize("way", ["together", "alone"])
async def test_of_a_batch_the_bad_are_dead_letters_and_the_good_arrive_once(
    it: Subject, way: str, tmp_path: Path
) -> None:
    events = tracks(12)
    bad = ids(events[3:4] + events[8:10])
    async with vendor_of(it) as vendor, pipeline(tmp_path) as line:
        vendor.refuses = frozenset(bad)
        await line.apply(made(it, vendor, way=way))
        await line.send_batch(events)
        await vendor.wait_for_ids(ids(events) - bad)
        status = await line.until(lambda s: s["lag"] == 0 and s["retrying"] == 0, "it")
        assert (status["events"]["delivered"], status["events"]["rejected"]) == (9, 3)
        assert {letter["messageId"] for letter in await line.letters("it")} == bad
        assert vendor.counts.keys() == ids(events) - bad
        assert set(vendor.counts.values()) <= ({1, 2} if it.sets_again else {1})


# whom one logs in to


@pytest.mark.parametrize(
    "it", [one for one in SUBJECTS.values() if issubclass(CATALOGUE[one.kind], OAuthDestination)]
)
async def test_a_token_that_ran_out_costs_one_renewal_and_no_event(it: Subject, tmp_path: Path) -> None:
    settings = settings_of(it, refresh_token=f"refresh-{SECRET}")
    assert isinstance(settings, OAuthDestination)
    at = urlsplit(settings.token_url()).path
    world, renewals = it.world(), list[bytes]()

    def guarded(asked: Asked) -> Said:
        if asked.path == at:
            renewals.append(asked.body)
            return Said(body={"access_token": RENEWED})
        is_known = asked.headers["Authorization"] == f"Bearer {RENEWED}"
        return world(asked) if is_known else Said(401, f"who is {SECRET}?")

    with capture_logs() as logs:
        async with vendor_of(it, Door("POST", at), world=guarded) as vendor, pipeline(tmp_path) as line:
            await line.apply(made(it, vendor, settings))
            events = tracks(6)
            await line.send_batch(events)
            await vendor.wait_for_ids(ids(events))
            await arrived(line, vendor, events)
            told = await line.status("it")
            shown = line.debugger.newest(Search(), 10)
    assert len(renewals) == 1
    assert b"grant_type=refresh_token" in renewals[0]
    _is_hidden((SECRET, RENEWED), logs, shown, told)

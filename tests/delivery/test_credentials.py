"""Tokens: used, renewed once for all, rotated, kept over crashes, and seen nowhere."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from relay.console.search import Search
from relay.delivery import account as account_room
from relay.delivery.credentials import Accounts, Credentials
from relay.delivery.sender import Sender
from relay.destinations.base import Request
from relay.destinations.oauth import Tokens
from relay.destinations.reply import Reply
from relay.log.state import State
from tests.delivery.clock import Clock
from tests.delivery.pipeline import Target, ids, pipeline, track, tracks, webhook
from tests.delivery.vendor import CLIENT_SECRET, Toy, Vendor, toy

REQUEST = Request("POST", "http://nowhere.example.com/", {})


@pytest.fixture
async def vendor() -> AsyncIterator[Vendor]:
    async with Vendor() as server:
        yield server


class Desk:
    """Accounts on a state database, without delivery."""

    def __init__(self, path: Path, state: State, accounts: Accounts, clock: Clock) -> None:
        self.path = path
        self.state = state
        self.accounts = accounts
        self.clock = clock

    def credentials(self, one: Target) -> Credentials:
        found = self.accounts.credentials(*one)
        assert found is not None
        return found

    def kept(self) -> list[tuple[int, bytes]]:
        with sqlite3.connect(self.path) as connection:
            return connection.execute("SELECT is_sealed, tokens FROM tokens").fetchall()

    path: Path


@asynccontextmanager
async def desk(folder: Path, key: str | None = None) -> AsyncIterator[Desk]:
    clock = Clock(1_700_000_000.0)
    state = await State.open(folder / "state.db")
    sender = Sender.open()
    accounts = Accounts(state, sender, key, clock)
    await accounts.store.seal_all()
    try:
        yield Desk(folder / "state.db", state, accounts, clock)
    finally:
        await accounts.close()
        await sender.close()
        await state.close()


async def token_of(credentials: Credentials) -> str:
    """What a request is signed with, or why it is not."""
    return shown(await credentials.signed(REQUEST))


async def renewed_token(credentials: Credentials, refused: str) -> str:
    """The same after this token was answered with 401."""
    request = msgspec.structs.replace(REQUEST, headers={"authorization": f"Bearer {refused}"})
    return shown(await credentials.renewed(REQUEST, request))


def shown(signed: Request | Reply) -> str:
    if isinstance(signed, Reply):
        assert signed.status is None
        return str(signed.error)
    assert "authorization" in signed.secret
    return signed.headers["authorization"].removeprefix("Bearer ")


# one renewal for all


async def test_of_fifty_that_are_refused_at_once_one_renews(tmp_path: Path, vendor: Vendor) -> None:
    vendor.generation = 1
    vendor.expire()
    vendor.hold()
    async with desk(tmp_path) as it:
        one = it.credentials(toy(vendor.url, "access-1", "refresh-1"))
        waiting = [asyncio.create_task(renewed_token(one, "access-1")) for _ in range(50)]
        await vendor.until(lambda: vendor.renewals)
        vendor.release()
        assert await asyncio.gather(*waiting) == ["access-2"] * 50
        assert await renewed_token(one, "access-1") == "access-2"  # who comes late gets it too
        assert await token_of(one) == "access-2"
    assert vendor.renewals == [
        {
            "grant_type": "refresh_token",
            "refresh_token": "refresh-1",
            "client_id": "client",
            "client_secret": CLIENT_SECRET,
        }
    ]


async def test_a_failure_is_shared_by_all_who_waited(tmp_path: Path, vendor: Vendor) -> None:
    vendor.script.append((503, {}))
    vendor.hold()
    async with desk(tmp_path) as it:
        one = it.credentials(toy(vendor.url, "access-1", "refresh-1"))
        waiting = [asyncio.create_task(renewed_token(one, "access-1")) for _ in range(20)]
        await vendor.until(lambda: vendor.renewals)
        vendor.release()
        assert set(await asyncio.gather(*waiting)) == {"renewing the token: 503"}
        assert len(vendor.renewals) == 1


async def test_a_vendor_that_cannot_renew_now_is_asked_again_soon(tmp_path: Path, vendor: Vendor) -> None:
    vendor.generation = 1
    vendor.script.append((503, {}))
    async with desk(tmp_path) as it:
        one = it.credentials(toy(vendor.url, "access-1", "refresh-1"))
        assert await renewed_token(one, "access-1") == "renewing the token: 503"
        assert await token_of(one) == "renewing the token: 503"  # the refused token is not sent again
        assert len(vendor.renewals) == 1
        it.clock.move(account_room.BUSY_SECONDS)
        assert await token_of(one) == "access-2"


async def test_two_destinations_of_one_client_and_token_share_an_account(
    tmp_path: Path, vendor: Vendor
) -> None:
    vendor.generation = 1
    async with desk(tmp_path) as it:
        one, other = (it.credentials(toy(vendor.url, "access-1", "refresh-1", name)) for name in ("a", "b"))
        assert await renewed_token(one, "access-1") == "access-2"
        assert await renewed_token(other, "access-1") == "access-2"
        stranger = it.credentials(toy(vendor.url, "access-9", "refresh-9", "c"))
        assert await token_of(stranger) == "access-9"
    assert len(vendor.renewals) == 1


async def test_destinations_without_a_token_have_accounts_of_their_own(tmp_path: Path) -> None:
    async with desk(tmp_path) as it:
        one, other = (it.credentials(toy("http://127.0.0.1:1", name=name)) for name in ("a", "b"))
        await one.account.log_in(Tokens("mine"))
        assert await token_of(one) == "mine"
        assert await token_of(other) == "log in first: relay destinations login b"


# rotation, and what is kept


async def test_the_newest_refresh_token_survives_a_restart(tmp_path: Path, vendor: Vendor) -> None:
    vendor.generation = 1
    for generation in (2, 3, 4):
        async with desk(tmp_path) as it:
            one = it.credentials(toy(vendor.url, "access-1", "refresh-1"))
            before = await token_of(one)
            assert before == f"access-{generation - 1}"
            assert await renewed_token(one, before) == f"access-{generation}"
    assert [form["refresh_token"] for form in vendor.renewals] == ["refresh-1", "refresh-2", "refresh-3"]


async def test_a_vendor_that_gives_no_new_refresh_token_keeps_the_old(tmp_path: Path, vendor: Vendor) -> None:
    vendor.script.append((200, {"access_token": "a2"}))
    vendor.script.append((200, {"access_token": "a3"}))
    async with desk(tmp_path) as it:
        one = it.credentials(toy(vendor.url, "a1", "keeps"))
        assert await renewed_token(one, "a1") == "a2"
        assert await renewed_token(one, "a2") == "a3"
    assert [form["refresh_token"] for form in vendor.renewals] == ["keeps", "keeps"]


async def test_a_refresh_token_alone_is_enough(tmp_path: Path, vendor: Vendor) -> None:
    vendor.generation = 1
    async with desk(tmp_path) as it:
        assert await token_of(it.credentials(toy(vendor.url, refresh="refresh-1"))) == "access-2"


async def test_a_renewal_is_stored_though_nobody_waits_for_it_any_more(
    tmp_path: Path, vendor: Vendor
) -> None:
    vendor.generation = 1
    vendor.hold()
    async with desk(tmp_path) as it:
        one = it.credentials(toy(vendor.url, "access-1", "refresh-1"))
        waiting = asyncio.create_task(renewed_token(one, "access-1"))
        await vendor.until(lambda: vendor.renewals)
        waiting.cancel()
        await asyncio.wait([waiting])
        vendor.release()
    async with desk(tmp_path) as it:
        assert await token_of(it.credentials(toy(vendor.url, "access-1", "refresh-1"))) == "access-2"
    assert len(vendor.renewals) == 1


async def test_a_token_is_on_the_disk_before_it_is_used(
    tmp_path: Path, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor.generation = 1
    async with desk(tmp_path) as it:
        one = it.credentials(toy(vendor.url, "access-1", "refresh-1"))
        write = it.state.write_through

        async def full(_: object) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        monkeypatch.setattr(it.state, "write_through", full)
        assert await renewed_token(one, "access-1") == "the new token cannot be stored"
        it.clock.move(account_room.BUSY_SECONDS)
        assert await token_of(one) == "the new token cannot be stored"
        monkeypatch.setattr(it.state, "write_through", write)
        it.clock.move(account_room.BUSY_SECONDS)
        assert await token_of(one) == "access-2"
        assert b"refresh-2" in it.kept()[0][1]
    assert len(vendor.renewals) == 1  # what it brought the first time was not lost


async def test_a_changed_token_in_relay_toml_counts(tmp_path: Path, vendor: Vendor) -> None:
    vendor.generation = 1
    async with desk(tmp_path) as it:
        assert await renewed_token(it.credentials(toy(vendor.url, "x", "refresh-1")), "x") == "access-2"
        assert await token_of(it.credentials(toy(vendor.url, "new", "new"))) == "new"


# time


async def test_a_token_is_renewed_a_little_before_its_end_while_it_is_used(
    tmp_path: Path, vendor: Vendor
) -> None:
    vendor.generation = 1
    vendor.lifetime = "1800"  # as text, as some have it
    async with desk(tmp_path) as it:
        one = it.credentials(toy(vendor.url, "access-1", "refresh-1"))
        assert await renewed_token(one, "access-1") == "access-2"
        it.clock.move(1730)
        assert await token_of(one) == "access-2"
        assert len(vendor.renewals) == 1
        it.clock.move(20)
        assert await token_of(one) == "access-2"
        await vendor.until(lambda: len(vendor.renewals) == 2)
        while await token_of(one) == "access-2":
            await asyncio.sleep(0)
        assert await token_of(one) == "access-3"
        status = await one.status()
    assert status["expiresAt"] == "2023-11-14T23:12:30.000Z"
    assert status | {"expiresAt": None} == {
        "loggedIn": True,
        "expiresAt": None,
        "renews": True,
        "problem": None,
    }


async def test_a_token_that_is_over_is_not_sent(tmp_path: Path, vendor: Vendor) -> None:
    vendor.generation = 1
    vendor.lifetime = 60
    async with desk(tmp_path) as it:
        one = it.credentials(toy(vendor.url, "access-1", "refresh-1"))
        assert await renewed_token(one, "access-1") == "access-2"
        it.clock.move(61)
        assert await token_of(one) == "access-3"


@pytest.mark.parametrize("lifetime", [0, -5, "soon", None, [], 1e300, "nan"])
def test_a_lifetime_that_makes_no_sense_is_none(lifetime: object) -> None:
    reply = Reply(200, json.dumps({"access_token": "a", "expires_in": lifetime}))
    assert Toy().granted(reply, 5.0) == Tokens("a", "", 5.0, None)


# refusals


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((400, {"error": "invalid_grant", "error_description": "secret words"}), "invalid_grant"),
        ((401, {}), "401"),
        ((200, {"ok": False, "error": "token_revoked"}), "token_revoked"),
        ((200, ["nothing"]), "no token in the answer"),
        ((400, {"error": "<b>secret words</b>"}), "400"),
    ],
)
async def test_a_refused_renewal_waits_for_somebody_to_log_in(
    tmp_path: Path, vendor: Vendor, answer: tuple[int, object], code: str
) -> None:
    vendor.script.extend([answer] * 2)
    refused = f"the vendor does not renew the token ({code}): log in again"
    async with desk(tmp_path) as it:
        one = it.credentials(toy(vendor.url, "access-1", "refresh-1"))
        for _ in range(3):
            assert await renewed_token(one, "access-1") == f"{refused}: relay destinations login toy"
            assert await token_of(one) == f"{refused}: relay destinations login toy"
        assert len(vendor.renewals) == 1
        it.clock.move(account_room.REFUSED_FIRST)
        assert await token_of(one) == f"{refused}: relay destinations login toy"
        it.clock.move(account_room.REFUSED_FIRST)  # the wait has doubled
        await token_of(one)
        assert len(vendor.renewals) == 2
        status = await one.status()
        assert (status["loggedIn"], status["problem"]) == (False, refused)
        await one.account.log_in(Tokens("fresh", "refresh"))
        assert await token_of(one) == "fresh"
        assert (await one.status())["problem"] is None


async def test_a_token_that_cannot_be_renewed_is_said_to_be_so(tmp_path: Path) -> None:
    async with desk(tmp_path) as it:
        one = it.credentials(toy("http://127.0.0.1:1", "access-1"))
        assert await token_of(one) == "access-1"
        assert (await renewed_token(one, "access-1")).startswith(
            "the token is not good any more and there is none to renew"
        )
        assert await token_of(one) == "access-1"  # it is tried again: the vendor may have been wrong


async def test_a_token_that_is_over_and_cannot_be_renewed_is_not_logged_in(tmp_path: Path) -> None:
    async with desk(tmp_path) as it:
        one = it.credentials(toy("http://127.0.0.1:1"))
        await one.account.log_in(Tokens("access", issued_at=it.clock(), lifetime=3600.0))
        assert (await one.status())["loggedIn"]
        it.clock.move(3600)
        assert (await token_of(one)).startswith("the token is not good any more")
        assert not (await one.status())["loggedIn"]


async def test_who_logs_in_during_a_renewal_is_not_overwritten(tmp_path: Path, vendor: Vendor) -> None:
    vendor.generation = 1
    vendor.hold()
    async with desk(tmp_path) as it:
        one = it.credentials(toy(vendor.url, "access-1", "refresh-1"))
        waiting = asyncio.create_task(renewed_token(one, "access-1"))
        await vendor.until(lambda: vendor.renewals)
        await one.account.log_in(Tokens("by hand", "by hand"))
        vendor.release()
        assert await waiting == "by hand"
        assert await token_of(one) == "by hand"
        ((_, kept),) = it.kept()
        assert b"by hand" in kept


async def test_a_renewal_that_fails_after_somebody_logged_in_changes_nothing(
    tmp_path: Path, vendor: Vendor
) -> None:
    vendor.script.append((400, {"error": "invalid_grant"}))
    vendor.hold()
    async with desk(tmp_path) as it:
        one = it.credentials(toy(vendor.url, "access-1", "refresh-1"))
        waiting = asyncio.create_task(renewed_token(one, "access-1"))
        await vendor.until(lambda: vendor.renewals)
        await one.account.log_in(Tokens("by hand", "by hand"))
        vendor.release()
        assert await waiting == "by hand"
        assert (await one.status())["problem"] is None


async def test_a_state_that_cannot_be_read_holds_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desk(tmp_path) as it:
        one = it.credentials(toy("http://127.0.0.1:1", "access-1"))

        async def broken(_: object) -> None:
            raise sqlite3.OperationalError("disk I/O error")

        with monkeypatch.context() as patch:
            patch.setattr(it.state, "read", broken)
            assert await token_of(one) == "the token cannot be read now"
            assert await renewed_token(one, "access-1") == "the token cannot be read now"
        assert await token_of(one) == "access-1"


async def test_a_fault_of_our_own_in_a_renewal_holds_and_is_tried_again(
    tmp_path: Path, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor.generation = 1
    async with desk(tmp_path) as it:
        one = it.credentials(toy(vendor.url, "access-1", "refresh-1"))

        def broken(*_: object) -> None:
            raise ValueError("access-1")

        with monkeypatch.context() as patch, capture_logs() as logs:
            patch.setattr(Toy, "renewal", broken)
            assert await renewed_token(one, "access-1") == "INTERNAL"
        assert [entry["kind"] for entry in logs] == ["ValueError"]
        assert "access-1" not in str(logs)
        it.clock.move(account_room.BUSY_SECONDS)
        assert await token_of(one) == "access-2"


async def test_after_a_logout_the_tokens_of_relay_toml_hold(tmp_path: Path) -> None:
    async with desk(tmp_path) as it:
        one = it.credentials(toy("http://127.0.0.1:1", "first"))
        await one.account.log_in(Tokens("second"))
        assert await token_of(one) == "second"
        await one.account.forget()
        assert await token_of(one) == "first"
        assert it.kept() == []


# encryption


KEY, OTHER = "a key of enough characters", "another key, long enough"


async def test_with_a_key_nothing_readable_is_stored(tmp_path: Path) -> None:
    async with desk(tmp_path, KEY) as it:
        one = it.credentials(toy("http://127.0.0.1:1"))
        await one.account.log_in(Tokens("access-5ecret", "refresh-5ecret"))
        ((is_sealed, kept),) = it.kept()
    assert is_sealed
    assert b"5ecret" not in kept
    for path in tmp_path.iterdir():
        assert b"5ecret" not in path.read_bytes(), path
    async with desk(tmp_path, KEY) as it:
        assert await token_of(it.credentials(toy("http://127.0.0.1:1"))) == "access-5ecret"


async def test_tokens_of_a_time_without_a_key_are_encrypted_when_there_is_one(tmp_path: Path) -> None:
    async with desk(tmp_path) as it:
        await it.credentials(toy("http://127.0.0.1:1")).account.log_in(Tokens("plain"))
        assert it.kept()[0][0] == 0
    async with desk(tmp_path, KEY) as it:
        ((is_sealed, kept),) = it.kept()
        assert is_sealed
        assert b"plain" not in kept
        assert await token_of(it.credentials(toy("http://127.0.0.1:1"))) == "plain"


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        (OTHER, "the stored token cannot be read with this encryption_key: log in again"),
        (None, "the stored token is encrypted and there is no encryption_key: set it, or log in again"),
    ],
)
async def test_with_another_key_one_must_log_in_again(
    tmp_path: Path, vendor: Vendor, key: str | None, sentence: str
) -> None:
    one = toy(vendor.url, "access-1", "refresh-1")
    async with desk(tmp_path, KEY) as it:
        await it.credentials(one).account.log_in(Tokens("sealed", "sealed"))
    async with desk(tmp_path, key) as it:
        credentials = it.credentials(one)
        # not with what relay.toml has: a vendor that sees an old refresh token may take all back
        assert await token_of(credentials) == f"{sentence}: relay destinations login toy"
        status = await credentials.status()
        assert (status["loggedIn"], status["problem"]) == (False, sentence)
    async with desk(tmp_path, KEY) as it:
        assert await token_of(it.credentials(one)) == "sealed"
    async with desk(tmp_path, key) as it:
        await it.credentials(one).account.log_in(Tokens("again"))
        assert await token_of(it.credentials(one)) == "again"
    assert vendor.renewals == []


async def test_a_sealed_token_opens_for_its_own_account_only(tmp_path: Path) -> None:
    async with desk(tmp_path, KEY) as it:
        one, other = (it.credentials(toy("http://127.0.0.1:1", name=name)) for name in ("a", "b"))
        await one.account.log_in(Tokens("mine"))
        key = other.account.key
        await it.state.write(
            lambda c: c.execute("INSERT INTO tokens SELECT ?, is_sealed, tokens FROM tokens", (key,)) and None
        )
        assert (await token_of(other)).startswith("the stored token cannot be read")


async def test_a_damaged_row_is_said_to_be_so(tmp_path: Path) -> None:
    async with desk(tmp_path, KEY) as it:
        one = it.credentials(toy("http://127.0.0.1:1"))
        await one.account.log_in(Tokens("mine"))
        await it.state.write(lambda c: c.execute("UPDATE tokens SET tokens = x'00'") and None)
    async with desk(tmp_path, KEY) as it:
        one = it.credentials(toy("http://127.0.0.1:1"))
        assert (await token_of(one)).startswith("the stored token cannot be read")


# delivery


@pytest.mark.usefixtures("quick")
async def test_events_wait_for_a_login_and_are_delivered_after(tmp_path: Path, vendor: Vendor) -> None:
    async with pipeline(tmp_path) as line:
        await line.apply(toy(vendor.url))
        sent = tracks(5)
        await line.send(*sent)
        status = await line.until(lambda s: s["state"] == "held", "toy")
        assert status["lastError"] == "log in first: relay destinations login toy"
        assert status["login"] == {"loggedIn": False, "expiresAt": None, "renews": False, "problem": None}
        assert vendor.answers == []
        url = line.delivery.logins.begin("toy", "http://127.0.0.1:1/oauth/callback")
        await line.delivery.logins.finish(url.split("state=")[1].split("&")[0], "code", None)
        status = await line.done("toy")
        assert status["events"]["delivered"] == 5
        assert status["login"]["loggedIn"]
        assert set(vendor.events) == ids(sent)
        assert await line.letters() == []


async def test_after_a_login_nobody_waits_for_the_back_off(tmp_path: Path, vendor: Vendor) -> None:
    clock = Clock()  # stands still: only what is not waited for can happen
    async with pipeline(tmp_path, clock=clock) as line:
        await line.apply(toy(vendor.url))
        await line.send(track())
        await line.until(lambda s: s["state"] == "held", "toy")
        url = line.delivery.logins.begin("toy", "http://127.0.0.1:1/oauth/callback")
        await line.delivery.logins.finish(url.split("state=")[1].split("&")[0], "code", None)
        await vendor.until(lambda: len(vendor.events) == 1)


@pytest.mark.usefixtures("quick")
async def test_a_token_that_ran_out_costs_one_renewal_and_no_event(tmp_path: Path, vendor: Vendor) -> None:
    vendor.generation = 1
    vendor.expire()
    async with pipeline(tmp_path) as line:
        await line.apply(toy(vendor.url, "access-1", "refresh-1", concurrency=8))
        sent = tracks(30)
        await line.send(*sent)
        await line.done("toy")
        assert set(vendor.events) == ids(sent)
        assert len(vendor.renewals) == 1
        assert await line.letters() == []


@pytest.mark.usefixtures("quick")
async def test_a_corrected_client_secret_is_tried_at_once(tmp_path: Path, vendor: Vendor) -> None:
    vendor.generation = 1
    vendor.expire()
    right = toy(vendor.url, "access-1", "refresh-1")
    oauth = msgspec.structs.replace(right.settings.oauth, client_secret="wrong")  # type: ignore[attr-defined]
    async with pipeline(tmp_path) as line:
        await line.apply(Target(right.config, Toy(oauth=oauth)))
        await line.send(track())
        status = await line.until(lambda s: s["state"] == "held", "toy")
        assert "(invalid_client)" in status["lastError"]
        await line.apply(right)
        assert (await line.done("toy"))["events"]["delivered"] == 1
        assert len(vendor.renewals) == 2


@pytest.mark.usefixtures("quick")
async def test_a_second_401_is_for_good(tmp_path: Path, vendor: Vendor) -> None:
    vendor.script.append((200, {"access_token": "not good either"}))
    async with pipeline(tmp_path) as line:
        await line.apply(toy(vendor.url, "access-1", "refresh-1"))
        await line.send(track())
        await line.until(lambda s: s["deadLetters"] == 1, "toy")
        (letter,) = await line.letters()
        assert (letter["outcome"], letter["status"]) == ("rejected", 401)
        assert vendor.answers == [401, 401]


@pytest.mark.usefixtures("quick")
async def test_a_replay_uses_the_account_of_its_destination(tmp_path: Path, vendor: Vendor) -> None:
    vendor.generation = 1
    async with pipeline(tmp_path) as line:
        await line.apply(toy(vendor.url, "access-1", "refresh-1"))
        await line.send(track())
        await line.done("toy")
        vendor.expire()
        started = await line.replays.start({"destination": "toy"})
        await vendor.until(lambda: len(vendor.events) == 2)
        await line.send(track())
        await vendor.until(lambda: len(vendor.events) == 3)
        assert started["state"] in ("running", "waiting")
        assert len(vendor.renewals) == 1


@pytest.mark.usefixtures("quick")
async def test_relay_killed_between_renewal_and_delivery_goes_on_with_the_new_token(
    tmp_path: Path, vendor: Vendor
) -> None:
    vendor.generation = 1
    vendor.expire()
    one = toy(vendor.url, "access-1", "refresh-1")
    event = track()
    async with pipeline(tmp_path) as line:
        vendor.hold()
        await line.apply(one)
        await line.send(event)
        await vendor.until(lambda: vendor.renewals)
        await line.crash()
        vendor.release()
    async with pipeline(tmp_path) as line:
        await line.apply(one)
        await line.done("toy")
        assert vendor.events == [event["messageId"]]
        assert len(vendor.renewals) == 1


@pytest.mark.usefixtures("quick")
async def test_a_rotated_token_that_was_lost_costs_no_event(tmp_path: Path, vendor: Vendor) -> None:
    vendor.generation = 2  # relay died before it had `refresh-2`
    async with pipeline(tmp_path) as line:
        await line.apply(toy(vendor.url, "access-1", "refresh-1"))
        await line.send(track())
        status = await line.until(lambda s: s["state"] == "held", "toy")
        assert "invalid_grant" in status["lastError"]
        assert status["lastError"].endswith("log in again: relay destinations login toy")
        url = line.delivery.logins.begin("toy", "http://127.0.0.1:1/oauth/callback")
        await line.delivery.logins.finish(url.split("state=")[1].split("&")[0], "code", None)
        assert (await line.done("toy"))["events"]["delivered"] == 1
        assert await line.letters() == []


@pytest.mark.usefixtures("quick")
async def test_one_destination_that_waits_for_a_login_holds_up_no_other(
    tmp_path: Path, vendor: Vendor
) -> None:
    async with pipeline(tmp_path) as line:
        await line.apply(toy(vendor.url), webhook(f"{vendor.url}/nowhere"))
        await line.send(track())
        await line.until(lambda s: s["deadLetters"] == 1, "hook")
        assert (await line.status("toy"))["lag"] == 1


@pytest.mark.usefixtures("quick")
async def test_tokens_are_seen_nowhere(tmp_path: Path, vendor: Vendor) -> None:
    vendor.generation = 1
    vendor.expire()
    with capture_logs() as logs:
        async with pipeline(tmp_path) as line:
            await line.apply(toy(vendor.url, "access-1", "refresh-1"))
            await line.send(track())
            await line.done("toy")
            vendor.script.append((200, {"access_token": "useless-5ecret"}))
            vendor.expire()
            await line.send(track())
            await line.until(lambda s: s["deadLetters"] == 1, "toy")
            vendor.script.append((400, {"error": "invalid_grant", "error_description": "secret words"}))
            await line.send(track())
            await line.until(lambda s: s["state"] == "held", "toy")
            text = json.dumps(
                (
                    line.debugger.newest(Search(), 500),
                    await line.letters(),
                    await line.delivery.status(),
                )
            )
    text += str(logs)
    assert "you sent" in text  # what the vendor repeated, without the token
    assert "token renewed" in text
    for secret in ("access-1", "access-2", "refresh-", "useless-5ecret", CLIENT_SECRET, "secret words"):
        assert secret not in text, secret

"""Logging in to a destination: out to the vendor's page, back to the admin listener, once and in time."""

from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
from structlog.testing import capture_logs

from relay.delivery.logins import LOGIN_SECONDS
from relay.destinations import CATALOGUE
from tests.acceptance.relay_process import Answer, webhook
from tests.delivery.vendor import CLIENT_SECRET, Toy, Vendor
from tests.gateway.relay_here import READ_TOKEN, SOURCE, RelayHere, event, relay_here

LOGIN = "/v1/destinations/toy/login"
CALLBACK = "/oauth/callback"


def toy_table(url: str, name: str = "toy", client: str = "client", more: str = "") -> str:
    return f"""
[[destinations]]
name = "{name}"
type = "toy"
endpoint = "{url}"
batch_wait = "0s"
settings = {{ oauth = {{ clientId = "{client}", clientSecret = "{CLIENT_SECRET}" }} }}
{more}
"""


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CATALOGUE, "toy", Toy)


@pytest.fixture
async def vendor() -> AsyncIterator[Vendor]:
    async with Vendor() as server:
        yield server


@pytest.fixture
async def relay(vendor: Vendor, tmp_path: Path, toys: None) -> AsyncIterator[RelayHere]:
    tables = SOURCE + toy_table(vendor.url) + webhook(f"{vendor.url}/nowhere")
    async with relay_here(tmp_path, tables, 'encryption_key = "a key of enough characters"') as here:
        yield here


async def begin(relay: RelayHere, path: str = LOGIN, **body: Any) -> dict[str, str]:
    """What the vendor's page is opened with."""
    answer = await relay.ask("POST", path, orjson.dumps(body))
    assert answer.status == 200, answer
    assert answer.json["expiresInSeconds"] == 600
    return asked(answer.json["url"])


def asked(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


async def come_back(relay: RelayHere, **query: str) -> Answer:
    """As the browser does, which has no token."""
    async with relay.session.get(relay.admin + CALLBACK, params=query) as response:
        return await Answer.of(response)


async def state_of(relay: RelayHere, path: str = LOGIN) -> dict[str, Any]:
    answer = await relay.ask("GET", path, token=READ_TOKEN)
    assert answer.status == 200, answer
    found: dict[str, Any] = answer.json
    return found


async def test_out_and_back_and_events_go(relay: RelayHere, vendor: Vendor) -> None:
    vendor.lifetime = 3600
    sent = event()
    assert (await relay.post("/v1/track", sent)).status == 200
    page = await begin(relay)
    assert (await state_of(relay))["state"] == "waiting"
    assert page.keys() == {
        *("response_type", "client_id", "redirect_uri", "scope", "state"),
        *("code_challenge", "code_challenge_method", "access_type"),
    }
    assert page["redirect_uri"] == relay.admin + CALLBACK
    assert (page["response_type"], page["client_id"], page["scope"]) == ("code", "client", "events people")
    answer = await come_back(relay, code="the code", state=page["state"])
    assert answer.status == 200
    assert b"you may close this window" in answer.body
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    await vendor.until(lambda: vendor.events == [sent["messageId"]])
    (form,) = vendor.exchanges
    verifier = form.pop("code_verifier")
    challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    assert (page["code_challenge"], page["code_challenge_method"]) == (challenge, "S256")
    assert form == {
        "grant_type": "authorization_code",
        "code": "the code",
        "redirect_uri": relay.admin + CALLBACK,
        "client_id": "client",
        "client_secret": CLIENT_SECRET,
    }
    found = await state_of(relay)
    assert (found["state"], found["loggedIn"], found["renews"]) == ("done", True, True)
    assert found["expiresAt"]
    status = (await relay.ask("GET", "/v1/status")).json["destinations"]
    logins = {each["name"]: each["login"] for each in status}
    assert logins["toy"]["loggedIn"]
    assert logins["hook"] is None


async def test_another_redirect_address_is_given_to_the_vendor_both_times(
    relay: RelayHere, vendor: Vendor
) -> None:
    address = "https://relay.example.com/back"
    page = await begin(relay, redirectUri=address)
    assert page["redirect_uri"] == address
    assert (await come_back(relay, code="c", state=page["state"])).status == 200
    assert vendor.exchanges[0]["redirect_uri"] == address


async def test_a_state_that_was_not_made_here_is_refused(relay: RelayHere, vendor: Vendor) -> None:
    await begin(relay)
    for forged in ("", "forged", "\N{SNOWMAN}"):
        assert (await come_back(relay, code="c", state=forged)).status == 400
    assert (await come_back(relay, code="c")).status == 400
    assert vendor.exchanges == []
    assert (await state_of(relay))["state"] == "waiting"


async def test_a_state_is_good_once(relay: RelayHere, vendor: Vendor) -> None:
    page = await begin(relay)
    assert (await come_back(relay, code="c", state=page["state"])).status == 200
    answer = await come_back(relay, code="c", state=page["state"])
    assert answer.status == 400
    assert b"was used before" in answer.body
    assert len(vendor.exchanges) == 1
    assert (await state_of(relay))["state"] == "done"


async def test_a_state_ends_after_ten_minutes(relay: RelayHere, vendor: Vendor) -> None:
    page = await begin(relay)
    logins = relay.app.delivery.logins
    now = logins._now
    logins._now = lambda: now() + LOGIN_SECONDS
    assert (await come_back(relay, code="c", state=page["state"])).status == 400
    assert vendor.exchanges == []


async def test_who_does_not_come_back_is_not_waited_for(relay: RelayHere) -> None:
    page = await begin(relay)
    logins = relay.app.delivery.logins
    now = logins._now
    logins._now = lambda: now() + LOGIN_SECONDS
    found = await state_of(relay)
    assert (found["state"], found["reason"]) == ("failed", "nobody came back in time")
    logins._now = now
    assert (await come_back(relay, code="c", state=page["state"])).status == 400


async def test_a_newer_login_takes_the_place_of_an_older(relay: RelayHere, vendor: Vendor) -> None:
    older, newer = await begin(relay), await begin(relay)
    assert older["state"] != newer["state"]
    assert (await come_back(relay, code="c", state=older["state"])).status == 400
    assert (await come_back(relay, code="c", state=newer["state"])).status == 200


async def test_what_the_vendor_says_cannot_write_the_page(relay: RelayHere, vendor: Vendor) -> None:
    page = await begin(relay)
    answer = await come_back(relay, error="<script>alert(1)</script>", state=page["state"])
    assert answer.status == 400
    assert b"<script>" not in answer.body
    assert b"&lt;script&gt;" in answer.body
    found = await state_of(relay)
    assert (found["state"], found["loggedIn"]) == ("failed", False)
    assert found["reason"] == "the vendor says: <script>alert(1)</script>"
    assert vendor.exchanges == []


async def test_a_vendor_that_gives_no_token_is_told_of(relay: RelayHere, vendor: Vendor) -> None:
    with capture_logs() as logs:
        for answer, reason in (
            ((400, {"error": "invalid_grant", "error_description": "5ecret"}), "invalid_grant"),
            ((200, {"ok": False, "error": "bad_redirect_uri"}), "bad_redirect_uri"),
            ((503, {}), "503"),
        ):
            vendor.script.append(answer)
            page = await begin(relay)
            shown = await come_back(relay, code="5ecret", state=page["state"])
            assert shown.status == 400
            assert b"5ecret" not in shown.body
            assert (await state_of(relay))["reason"] == f"the vendor gave no token: {reason}"
        page = await begin(relay)
        await come_back(relay, state=page["state"])
        assert (await state_of(relay))["reason"] == "the vendor sent no code"
    assert {entry["event"] for entry in logs} == {"login failed"}
    assert "5ecret" not in str(logs)


@pytest.mark.parametrize(
    ("path", "body", "status", "sentence"),
    [
        ("/v1/destinations/no/login", {}, 404, "there is no destination 'no' in relay.toml"),
        (
            "/v1/destinations/hook/login",
            {},
            400,
            "hook takes what its settings say: there is no logging in to it",
        ),
        (LOGIN, {"redirectUri": 1}, 400, "redirectUri must be a string"),
        (
            LOGIN,
            {"redirectUri": "javascript:alert(1)"},
            400,
            "redirectUri must be an http or https URL without",
        ),
        (LOGIN, {"redirectUri": "https://a.example.com/#x"}, 400, "redirectUri must be an http or https URL"),
        (LOGIN, {"redirectUri": "https://["}, 400, "redirectUri must be an http or https URL"),
    ],
)
async def test_a_mistake_is_a_sentence(
    relay: RelayHere, path: str, body: object, status: int, sentence: str
) -> None:
    answer = await relay.ask("POST", path, orjson.dumps(body))
    assert answer.status == status
    assert answer.json["error"]["message"].startswith(sentence)


@pytest.mark.parametrize("verb", ["login", "logout"])
async def test_only_the_admin_token_logs_in_and_out(relay: RelayHere, verb: str) -> None:
    path = f"/v1/destinations/toy/{verb}"
    assert (await relay.ask("POST", path, token=READ_TOKEN)).status == 403
    assert (await relay.ask("POST", path, token=None)).status == 401
    assert (await relay.ask("GET", LOGIN, token=None)).status == 401
    for name, status in (("no", 404), ("hook", 400)):
        assert (await relay.ask("POST", f"/v1/destinations/{name}/{verb}")).status == status
        assert (await relay.ask("GET", f"/v1/destinations/{name}/login")).status == status


async def test_a_destination_without_a_client_cannot_be_logged_in_to(
    vendor: Vendor, tmp_path: Path, toys: None
) -> None:
    async with relay_here(tmp_path, SOURCE + toy_table(vendor.url, client="")) as relay:
        answer = await relay.ask("POST", LOGIN)
        assert answer.status == 400
        assert answer.json["error"]["message"].startswith("toy: settings.oauth.clientId is missing")


async def test_a_destination_can_be_logged_in_to_before_it_is_enabled(
    vendor: Vendor, tmp_path: Path, toys: None
) -> None:
    table = toy_table(vendor.url, more="enabled = false")
    async with relay_here(tmp_path, SOURCE + table) as relay:
        page = await begin(relay)
        assert (await come_back(relay, code="c", state=page["state"])).status == 200
        assert (await state_of(relay))["loggedIn"]
        relay.file.write_text(relay.file.read_text().replace("enabled = false", "enabled = true"))
        assert (await relay.ask("POST", "/v1/reload")).status == 200
        await relay.post("/v1/track", event())
        await vendor.until(lambda: len(vendor.events) == 1)


async def test_a_destination_that_left_meanwhile_gets_no_token(relay: RelayHere, vendor: Vendor) -> None:
    page = await begin(relay)
    relay.file.write_text(relay.file.read_text().split("[[destinations]]")[0])
    assert (await relay.ask("POST", "/v1/reload")).status == 200
    answer = await come_back(relay, code="c", state=page["state"])
    assert answer.status == 400
    assert b"toy is not in relay.toml any more" in answer.body
    assert vendor.exchanges == []


async def test_logging_out_forgets_the_tokens(relay: RelayHere, vendor: Vendor) -> None:
    page = await begin(relay)
    assert (await come_back(relay, code="c", state=page["state"])).status == 200
    answer = await relay.ask("POST", "/v1/destinations/toy/logout")
    assert (answer.status, answer.json["loggedIn"], answer.json["state"]) == (200, False, None)
    rows = await relay.app.state.read(lambda c: c.execute("SELECT count(*) FROM tokens").fetchone())
    assert rows == (0,)

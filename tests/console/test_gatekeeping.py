"""Before every page: who may see it, who may change things, what a browser may load."""

import base64
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from urllib.parse import urlencode

import pytest
import pytest_asyncio

from tests.console.visitor import Visitor, visitor_of
from tests.gateway.relay_here import ADMIN_TOKEN, READ_TOKEN, RelayHere, relay_here

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAUSE = "/console/destinations/hook/pause"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def relay(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RelayHere]:
    async with relay_here(tmp_path_factory.mktemp("console")) as here:
        yield here


@pytest_asyncio.fixture(loop_scope="module")
async def stranger(relay: RelayHere) -> AsyncIterator[Visitor]:
    async with visitor_of(relay, None) as visitor:
        yield visitor


@pytest.mark.parametrize("path", ["/", "/console"])
async def test_the_listener_leads_to_the_console(path: str, stranger: Visitor) -> None:
    shown = await stranger.get(path)
    assert (shown.status, shown.headers["Location"]) == (303, "/console/")


async def test_a_stranger_is_asked_for_the_token_and_led_back(stranger: Visitor) -> None:
    page = await stranger.get("/console/events?q=a%26b")
    assert page.status == 401
    assert 'name="next" value="/console/events?q=a%26b"' in page.text
    back = await stranger.post("/console/sign-in", {"token": ADMIN_TOKEN, "next": "/console/events?q=a%26b"})
    assert (back.status, back.headers["Location"]) == (303, "/console/events?q=a%26b")


async def test_a_part_of_a_page_leads_the_page_there(stranger: Visitor) -> None:
    shown = await stranger.get("/console/events", {"HX-Request": "true"})
    assert (shown.status, shown.headers["HX-Redirect"], shown.text) == (401, "/console/sign-in", "")


@pytest.mark.parametrize("token", ["", "wrong", "web-key", ADMIN_TOKEN + "x"])
async def test_a_wrong_token_is_told(token: str, stranger: Visitor) -> None:
    shown = await stranger.post("/console/sign-in", {"token": token})
    assert shown.status == 401
    assert "This is not the token" in shown.words
    assert "It is <code>admin_token</code> in relay.toml" in shown.text
    assert "Set-Cookie" not in shown.headers
    assert token not in shown.words or not token


async def test_the_cookie_is_for_this_site_and_no_script(stranger: Visitor) -> None:
    shown = await stranger.post("/console/sign-in", {"token": ADMIN_TOKEN})
    cookie = shown.headers["Set-Cookie"]
    assert cookie.startswith(f"relay_session_{stranger.relay.app.state.log_id}=admin.")
    assert {"HttpOnly", "SameSite=Strict", "Path=/console"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert ADMIN_TOKEN not in cookie


async def test_behind_a_proxy_that_speaks_tls_the_cookie_is_secure(stranger: Visitor) -> None:
    shown = await stranger.post("/console/sign-in", {"token": ADMIN_TOKEN}, {"X-Forwarded-Proto": "https"})
    assert "Secure" in shown.headers["Set-Cookie"].split("; ")


async def test_tries_are_few(tmp_path: Path) -> None:
    async with relay_here(tmp_path) as relay, visitor_of(relay, None) as visitor:
        answers = [(await visitor.post("/console/sign-in", {"token": "guess"})).status for _ in range(11)]
        assert answers == [401] * 10 + [429]
        shown = await visitor.post("/console/sign-in", {"token": ADMIN_TOKEN})
        assert int(shown.headers["Retry-After"]) >= 1


async def test_a_form_without_the_token_of_the_session_changes_nothing(relay: RelayHere) -> None:
    async with visitor_of(relay) as admin, visitor_of(relay) as other:
        for csrf in ("", "0" * 64, (await other.get("/console/sign-in-no-such")).csrf):
            shown = await admin.post(PAUSE, {"csrf": csrf})
            assert shown.status == 403
            assert "not from this session" in shown.words


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.test"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}]
)
async def test_what_another_site_asks_for_is_not_done(headers: dict[str, str], relay: RelayHere) -> None:
    async with visitor_of(relay) as admin:
        for path in (PAUSE, "/console/sign-in", "/console/sign-out"):
            shown = await admin.post(path, {}, headers)
            assert shown.status == 403
            assert "by another site" in shown.words


async def test_after_a_lost_session_a_form_says_that_nothing_was_done(stranger: Visitor) -> None:
    referrer = f"{stranger.relay.admin}/console/destinations/hook"
    shown = await stranger.post(PAUSE, {}, {"Referer": referrer})
    assert shown.status == 401
    assert "Your session has ended, and nothing was done." in shown.words
    assert 'name="next" value="/console/destinations/hook"' in shown.text


async def test_what_is_wrong_with_a_part_of_a_page_stands_within_it(relay: RelayHere) -> None:
    async with visitor_of(relay) as admin:
        shown = await admin.get("/console/events/earlier?before=x", {"HX-Request": "true"})
        assert shown.status == 400
        assert shown.text.startswith('<p class="said bad"')


async def test_the_reader_may_look_and_not_change(relay: RelayHere) -> None:
    async with visitor_of(relay, READ_TOKEN) as reader:
        page = await reader.get("/console/no-such-page")
        assert "read-only" in page.words
        shown = await reader.post(PAUSE)
        assert shown.status == 403
        assert "may look, not change" in shown.words
        assert (await reader.post("/console/sign-out")).status == 303


async def test_the_reader_may_test_an_event_which_changes_nothing(relay: RelayHere) -> None:
    async with visitor_of(relay, READ_TOKEN) as reader:
        shown = await reader.post("/console/test", {"source": "web", "event": "{}"})
        assert shown.status == 400
        assert "type must be one of" in shown.words
        for path in ("/console/test/x", "/console/test/", "/console/tests"):
            assert (await reader.post(path)).status == 403, path
    async with visitor_of(relay, None) as stranger:
        shown = await stranger.post("/console/test", {"source": "web", "event": "{}"})
        assert "type must be one of" not in shown.words


async def test_after_signing_out_the_old_cookie_opens_nothing(relay: RelayHere) -> None:
    async with visitor_of(relay) as admin:
        kept = {c.key: c.value for c in admin.session.cookie_jar}
        shown = await admin.post("/console/sign-out")
        assert shown.headers["Location"] == "/console/sign-in"
        admin.session.cookie_jar.update_cookies(kept)
        assert (await admin.get("/console/events", {"HX-Request": "true"})).status == 401


async def test_with_a_token_in_a_header_a_program_may_look_and_not_change(stranger: Visitor) -> None:
    basic = base64.b64encode(f"x:{ADMIN_TOKEN}".encode()).decode()
    for given in (f"Bearer {ADMIN_TOKEN}", f"Basic {basic}", f"Bearer {READ_TOKEN}"):
        shown = await stranger.get("/console/events", {"Authorization": given})
        assert shown.status == 200
        assert "Set-Cookie" not in shown.headers
        assert (await stranger.post(PAUSE, {"csrf": shown.csrf}, {"Authorization": given})).status == 401
    assert (await stranger.get("/console/events", {"Authorization": "Bearer wrong"})).status == 401


async def test_the_cookie_opens_the_console_and_not_the_api(relay: RelayHere) -> None:
    async with visitor_of(relay) as admin:
        assert (await admin.get("/v1/status")).status == 401
        assert (await admin.get("/console/../v1/status")).status == 401
        assert (await admin.get("/console/%2e%2e/v1/status")).status in (401, 404)


async def test_every_answer_says_what_a_browser_may_load(relay: RelayHere) -> None:
    async with visitor_of(relay) as admin:
        for path in (
            "/console/sign-in",
            "/console/no-such",
            "/console/static/console.css",
            "/console/static/no",
        ):
            shown = await admin.get(path)
            policy = shown.headers["Content-Security-Policy"]
            assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
            assert "unsafe" not in policy
            assert shown.headers["X-Content-Type-Options"] == "nosniff"
            assert shown.headers["X-Frame-Options"] == "DENY"


async def test_pages_are_not_kept_and_files_are_for_good(stranger: Visitor) -> None:
    page = await stranger.get("/console/sign-in")
    assert page.headers["Cache-Control"] == "no-store"
    address = page.text.split('rel="stylesheet" href="', 1)[1].split('"', 1)[0]
    file = await stranger.get(address)
    assert file.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert file.headers["Content-Type"] == "text/css; charset=utf-8"
    again = await stranger.get(address, {"If-None-Match": file.headers["ETag"]})
    assert (again.status, again.text) == (304, "")


@pytest.mark.parametrize("name", ["built-from", "..%2fconsole.py", "console.py", "x"])
async def test_no_other_file_is_given_out(name: str, stranger: Visitor) -> None:
    shown = await stranger.get(f"/console/static/{name}")
    assert shown.status == 404
    assert "no such page" in shown.words


async def test_a_page_has_no_script_or_style_within_it(stranger: Visitor) -> None:
    shown = await stranger.get("/console/sign-in")
    assert "<script>" not in shown.text
    assert " style=" not in shown.text
    assert "<style" not in shown.text
    assert " onclick" not in shown.text


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("multipart/form-data; boundary=x", 415),
        ("multipart/form-data", 415),
        ("application/x-www-form-urlencoded; charset=none-such", 400),
        ("application/x-www-form-urlencoded; charset=utf-16", 400),
        ("application/x-www-form-urlencoded", 400),
    ],
)
async def test_a_form_that_cannot_be_read_is_refused(kind: str, status: int, relay: RelayHere) -> None:
    async with visitor_of(relay, None) as stranger, visitor_of(relay) as admin:
        asked = ((stranger, "sign-in"), (admin, "sign-in"), (admin, "test"))
        for visitor, path in asked:
            async with visitor.session.post(
                f"{relay.admin}/console/{path}", data=b"a=\xff", headers={"Content-Type": kind}
            ) as response:
                assert response.status == status


@pytest.mark.parametrize("header", ["http://[", "null", ""])
async def test_an_origin_that_is_none_is_refused(header: str, relay: RelayHere) -> None:
    async with visitor_of(relay) as admin:
        assert (await admin.post("/console/test", {}, {"Origin": header})).status == 403


@pytest.mark.parametrize("target", ["//[", "/console/\n", "//elsewhere/console/", "/console/..\\..\\x"])
async def test_nobody_is_led_elsewhere(target: str, stranger: Visitor) -> None:
    shown = await stranger.post("/console/sign-in", {"token": ADMIN_TOKEN, "next": target})
    assert (shown.status, shown.headers["Location"]) == (303, "/console/")


async def test_a_form_may_hold_a_large_plan(relay: RelayHere) -> None:
    async with visitor_of(relay) as admin:
        csrf = (await admin.get("/console/test")).csrf
        for size, status in ((600_000, 400), (700_000, 413)):
            body = BytesIO(urlencode({"csrf": csrf, "source": "web", "event": '"' * size}).encode())
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            async with admin.session.post(
                relay.admin + "/console/test", data=body, headers=headers
            ) as response:
                assert response.status == status


async def test_htmx_comes_with_its_streams_in_one_file(stranger: Visitor) -> None:
    page = await stranger.get("/console/sign-in")
    address = page.text.split('<script defer src="', 1)[1].split('"', 1)[0]
    script = await stranger.get(address)
    assert "registerExtension" in script.text
    assert "hx-sse:connect" in script.text

"""What browsers insist on: preflights everywhere, and every answer readable by the page, refusals too."""

import asyncio
from typing import Any

import pytest

from tests.acceptance.ground import (
    ALLOWED_ORIGIN,
    DISABLED_KEY,
    KEY,
    OTHER_ORIGIN,
    PICKY_KEY,
    SLOW_KEY,
    Ground,
    event,
    is_success,
)
from tests.acceptance.relay_process import ADMIN_TOKEN, Answer

pytestmark = pytest.mark.asyncio(loop_scope="module")

ORIGIN = {"Origin": ALLOWED_ORIGIN}
ASKED = "authorization,content-type,x-retry-count,x-write-key,x-site-of-its-own"
ROUTES = (
    *("/v1/track", "/v1/t", "/v1/i/", "/v1/batch", "/v1/import", "/v1/b", "/v1/m", "/prefix/v1/t"),
    *("/beacon/v1/batch?writeKey=x", "/sourceConfig/?writeKey=x", "/api/s/track", "/api/s/s2s/track"),
    *("/v1/pixel/track", f"/v1/projects/{KEY}/settings"),
)


def names(answer: Answer, header: str) -> set[str]:
    return {name.strip().lower() for name in answer.headers[header].split(",")}


def check_readable(answer: Answer) -> None:
    assert answer.headers["Access-Control-Allow-Origin"] == ALLOWED_ORIGIN
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert "retry-after" in names(answer, "Access-Control-Expose-Headers")
    assert "origin" in names(answer, "Vary")


@pytest.mark.parametrize("route", ROUTES)
async def test_a_preflight_grants_what_was_asked_for(route: str, ground: Ground) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": ASKED}
    answer = await ground.relay.request("OPTIONS", route, headers=ORIGIN | asked)
    assert answer.status in {200, 204}
    assert answer.headers["Access-Control-Allow-Origin"] == ALLOWED_ORIGIN
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert answer.headers["Access-Control-Max-Age"] == "86400"
    assert {"get", "post", "options"} <= names(answer, "Access-Control-Allow-Methods")
    assert set(ASKED.split(",")) <= names(answer, "Access-Control-Allow-Headers")
    assert "origin" in names(answer, "Vary")


@pytest.mark.parametrize(
    ("path", "body", "key", "status"),
    [
        ("/v1/t", event(), KEY, 200),
        ("/v1/m", {"series": []}, None, 200),
        ("/v1/t", b"{", KEY, 400),
        ("/v1/t", {"userId": "u", "event": "E", "pad": "x" * 40_000}, KEY, 400),
        ("/v1/t", b"x" * 3_000_000, KEY, 400),
        ("/v1/b", {"batch": 5}, KEY, 400),
        ("/v1/t", event(), "no-such-key", 401),
        ("/v1/t", event(), DISABLED_KEY, 401),
        ("/v1/b", {"batch": [event(type="track")]}, None, 401),
    ],
)
async def test_the_page_may_read_every_answer(
    path: str, body: Any, key: str | None, status: int, ground: Ground
) -> None:
    answer = await ground.relay.post(path, body, key, ORIGIN)
    assert answer.status == status
    check_readable(answer)


async def test_the_page_may_read_how_long_to_wait_after_a_429(ground: Ground) -> None:
    answers = await asyncio.gather(
        *(ground.relay.post("/v1/t", event(), SLOW_KEY, ORIGIN) for _ in range(20))
    )
    refused = [answer for answer in answers if answer.status == 429]
    assert refused
    for answer in refused:
        assert "Retry-After" in answer.headers
        check_readable(answer)


async def test_the_page_may_read_its_settings(ground: Ground) -> None:
    answer = await ground.relay.request("GET", f"/v1/projects/{KEY}/settings", headers=ORIGIN)
    assert answer.status == 200
    check_readable(answer)


async def test_a_source_may_be_kept_to_its_own_pages(ground: Ground) -> None:
    allowed = await ground.relay.post("/v1/t", event(), PICKY_KEY, ORIGIN)
    assert is_success(allowed)
    check_readable(allowed)
    other = await ground.relay.post("/v1/t", event(), PICKY_KEY, {"Origin": OTHER_ORIGIN})
    assert other.headers.get("Access-Control-Allow-Origin") not in {OTHER_ORIGIN, "*"}


async def test_servers_need_no_origin_even_for_a_source_with_pages_of_its_own(ground: Ground) -> None:
    assert is_success(await ground.relay.post("/v1/batch", {"batch": [event(type="track")]}, PICKY_KEY))


async def test_an_origin_makes_a_named_route_browser_traffic(ground: Ground) -> None:
    from_page, from_server = event(), event()
    agent = {"User-Agent": "Browser/1.0"}
    assert is_success(await ground.relay.post("/v1/track", from_page, KEY, ORIGIN | agent))
    assert is_success(await ground.relay.post("/v1/track", from_server, KEY, agent))
    context = (await ground.arrived(from_page["messageId"]))["context"]
    assert (context["ip"], context["userAgent"]) == ("127.0.0.1", "Browser/1.0")
    context = (await ground.arrived(from_server["messageId"]))["context"]
    assert context.keys().isdisjoint({"ip", "userAgent"})


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
async def test_the_admin_listener_gives_pages_nothing(method: str, ground: Ground) -> None:
    async with ground.relay.session.request(
        method,
        ground.relay.admin + "/v1/status",
        headers=ORIGIN | {"Authorization": f"Bearer {ADMIN_TOKEN}", "Access-Control-Request-Method": "GET"},
    ) as response:
        assert not [name for name in response.headers if name.lower().startswith("access-control-")]

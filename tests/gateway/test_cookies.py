"""Ids of visitors in cookies, renewed by the server: whose, when, and never what could be something else."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from relay.gateway.cookies import renewed
from relay.log.record import Record
from tests.acceptance.relay_process import Answer, basic
from tests.gateway.relay_here import KEY, SOURCE, RelayHere, event, relay_here

ON = '[browser]\ncookie_domains = ["example.com", "example.org"]\n'
PAGE = "https://www.example.com"
IDS = "ajs_anonymous_id=a-1; ajs_user_id=u%40x.org; other=1; ajs_group_id=g"
FRESH = "; Max-Age=34560000; Domain=example.com; Path=/; SameSite=Lax; Secure"


async def cookies_of(
    relay: RelayHere, cookie: str, *, path: str = "/v1/p", origin: str | None = PAGE, body: Any = None
) -> list[str]:
    """The Set-Cookie headers of an answer that is 200."""
    headers = {"Cookie": cookie} | ({"Origin": origin} if origin else {})
    given = event() if body is None else body
    async with relay.session.post(relay.public + path, json=given, headers=basic(KEY) | headers) as response:
        assert (await Answer.of(response)).status == 200
        return response.headers.getall("Set-Cookie", [])


async def test_a_page_view_renews_the_ids_that_came(tmp_path: Path) -> None:
    async with relay_here(tmp_path, ON + SOURCE) as relay:
        expected = [
            f"{pair}{FRESH}" for pair in ("ajs_anonymous_id=a-1", "ajs_user_id=u%40x.org", "ajs_group_id=g")
        ]
        for path in ("/v1/p", "/v1/page"):
            assert await cookies_of(relay, IDS, path=path) == expected
        batch = {"batch": [event(type="track"), event(type="page")]}
        assert await cookies_of(relay, IDS, path="/v1/b", body=batch) == expected


async def test_nothing_but_a_page_view_does(tmp_path: Path) -> None:
    """`track("Signed Out"); reset()`: the answer to the first must not bring back what the second threw away."""
    async with relay_here(tmp_path, ON + SOURCE) as relay:
        for path in ("/v1/t", "/v1/i", "/v1/track"):
            assert await cookies_of(relay, IDS, path=path) == []
        assert await cookies_of(relay, IDS, path="/v1/b", body={"batch": [event(type="track")]}) == []


async def test_what_a_cache_may_keep_has_no_cookies(tmp_path: Path) -> None:
    async with relay_here(tmp_path, ON + SOURCE) as relay:
        for path in (
            f"/v1/projects/{KEY}/settings",
            f"/analytics.js/v1/{KEY}/analytics.min.js",
            "/v1/pixel/page",
        ):
            answer = await relay.get(path, {"Cookie": IDS, "Origin": PAGE})
            assert answer.status == 200
            assert "Set-Cookie" not in answer.headers


async def test_it_is_off_unless_asked_for(tmp_path: Path) -> None:
    async with relay_here(tmp_path) as relay:
        assert await cookies_of(relay, IDS) == []
        settings = (await relay.get(f"/v1/projects/{KEY}/settings")).json
        assert "deliveryStrategy" not in settings["integrations"]["Segment.io"]


async def test_browsers_are_told_to_send_them(tmp_path: Path) -> None:
    async with relay_here(tmp_path, ON + SOURCE) as relay:
        settings = (await relay.get(f"/v1/projects/{KEY}/settings")).json
        strategy = settings["integrations"]["Segment.io"]["deliveryStrategy"]
        assert strategy == {"config": {"credentials": "include"}}
        script = (await relay.get(f"/analytics.js/v1/{KEY}/analytics.min.js")).body
        assert b'"deliveryStrategy":{"config":{"credentials":"include"}}' in script
        answer = await relay.post("/v1/p", event(), {"Origin": PAGE, "Cookie": IDS})
        assert answer.headers["Access-Control-Allow-Origin"] == PAGE
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"


async def test_a_page_elsewhere_gets_none(tmp_path: Path) -> None:
    elsewhere = (
        None,
        "null",
        "https://evil.test",
        "https://example.com.evil.test",
        "https://notexample.com",
        "https://evil.test/example.com",
        "https://example.com@evil.test",
        "https://[example.com",
        "https://xn--example-.com",
    )
    async with relay_here(tmp_path, ON + SOURCE) as relay:
        for origin in elsewhere:
            assert await cookies_of(relay, IDS, origin=origin) == [], origin


async def test_an_origin_that_may_not_send_gets_none(tmp_path: Path) -> None:
    allowed = f'{SOURCE}allowed_origins = ["{PAGE}"]\n'
    async with relay_here(tmp_path, ON + allowed) as relay:
        answer = await relay.post("/v1/p", event(), {"Origin": "https://shop.example.com", "Cookie": IDS})
        assert answer.status == 403
        assert "Set-Cookie" not in answer.headers
        assert len(await cookies_of(relay, IDS)) == 3


async def test_every_site_has_its_own_domain_and_plain_http_is_not_secure(tmp_path: Path) -> None:
    async with relay_here(tmp_path, ON + SOURCE) as relay:
        for origin in ("http://example.org", "http://a.b.example.org:8080"):
            (one,) = await cookies_of(relay, "ajs_anonymous_id=a", origin=origin)
            assert one == "ajs_anonymous_id=a; Max-Age=34560000; Domain=example.org; Path=/; SameSite=Lax"


def record(route: str = "page") -> Record:
    return Record(0, "web", route, True, None, None, None, 1, b'{"batch":[{"type":"page"}]}')


def ids_of(cookie: str, headers: Mapping[str, str] | None = None) -> list[str]:
    given = CIMultiDictProxy(CIMultiDict({"Cookie": cookie, "Origin": PAGE} | dict(headers or {})))
    return [value.partition(";")[0] for _, value in renewed(given, record(), ("example.com",))]


@pytest.mark.parametrize(
    "value",
    [
        "",
        "x" * 301,
        "x" * 100_000,
        "a b",
        'a"b',
        "a,b",
        "a\\b",
        "a\tb",
        "a\r\nSet-Cookie: evil=1",
        "a\nb",
        "a\x00b",
        "é",
        "\udce9",
        "a\n",
    ],
)
def test_a_value_that_is_none_is_left_alone(value: str) -> None:
    assert ids_of(f"ajs_anonymous_id={value}") == []
    assert ids_of(f"ajs_anonymous_id={value}; ajs_user_id=u") == ["ajs_user_id=u"]


@pytest.mark.parametrize(
    "value", ["a", "x" * 300, "%22a%22", "a=b=c", "{x}|~", "2.1-3_4", "u%40x.org", "a@b.c"]
)
def test_a_plain_value_comes_back_as_it_came(value: str) -> None:
    assert ids_of(f"ajs_anonymous_id={value}") == [f"ajs_anonymous_id={value}"]


def test_one_that_is_there_twice_is_left_alone() -> None:
    assert ids_of("ajs_anonymous_id=a; ajs_anonymous_id=b; ajs_user_id=u") == ["ajs_user_id=u"]


def test_names_are_whole() -> None:
    assert ids_of("xajs_anonymous_id=a; ajs_anonymous_id2=b; Ajs_User_Id=c; ajs_group_id") == []


def test_nothing_is_put_behind_a_value() -> None:
    assert ids_of("ajs_anonymous_id=a; Domain=evil.test; ajs_user_id=u") == [
        "ajs_anonymous_id=a",
        "ajs_user_id=u",
    ]


def test_a_cookie_header_in_parts_is_read_whole() -> None:
    headers = CIMultiDict([("Origin", PAGE), ("Cookie", "ajs_anonymous_id=a"), ("Cookie", "ajs_user_id=u")])
    found = renewed(CIMultiDictProxy(headers), record("batch"), ("example.com",))
    assert [value.partition(";")[0] for _, value in found] == ["ajs_anonymous_id=a", "ajs_user_id=u"]


async def test_a_huge_cookie_costs_the_answer_nothing(tmp_path: Path) -> None:
    async with relay_here(tmp_path, ON + SOURCE) as relay:
        assert await cookies_of(relay, "x=" + "y" * 7000 + "; ajs_anonymous_id=a") == [
            f"ajs_anonymous_id=a{FRESH}"
        ]
        headers = basic(KEY) | {"Origin": PAGE, "Cookie": "ajs_anonymous_id=" + "y" * 100_000}
        try:
            async with relay.session.post(relay.public + "/v1/p", json=event(), headers=headers) as response:
                assert response.status in (400, 431)
                assert "Set-Cookie" not in response.headers
        except aiohttp.ClientConnectionError:
            pass  # refused before it was all sent
        assert await cookies_of(relay, "ajs_anonymous_id=a") == [f"ajs_anonymous_id=a{FRESH}"]

"""Whose address an event came from, and how its client spoke: as far as configured proxies say so."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.relay_here import SOURCE, RelayHere, event, relay_here

TRUSTED = 'trusted_proxies = ["127.0.0.0/8", "10.0.0.0/8", "2001:db8:1::/48"]'

FORWARDED: dict[str, str] = {
    "203.0.113.7": "203.0.113.7",
    "198.51.100.1, 203.0.113.7": "203.0.113.7",  # the first is what the client claims
    "203.0.113.7, 10.1.2.3": "203.0.113.7",
    "1.1.1.1, 203.0.113.7, 10.1.2.3, 10.9.9.9": "203.0.113.7",
    "10.1.2.3": "10.1.2.3",
    "10.0.0.1, 10.0.0.2": "10.0.0.1",
    "2001:db8:2::7": "2001:db8:2::7",
    "2001:db8:2::7, 2001:db8:1::1": "2001:db8:2::7",
    "2001:db8:2::7,10.1.1.1 , 2001:db8:1::1": "2001:db8:2::7",
    "": "127.0.0.1",
}


async def ip_of(relay: RelayHere, path: str, headers: Mapping[str, str], **fields: Any) -> Any:
    sent = event(**fields)
    assert (await relay.post(path, sent, headers)).status == 200
    return (await relay.admitted(sent["messageId"]))["context"].get("ip")


async def test_an_address_is_believed_as_far_as_trusted_proxies_wrote_it(tmp_path: Path) -> None:
    async with relay_here(tmp_path, SOURCE, TRUSTED) as relay:
        for header, address in FORWARDED.items():
            assert await ip_of(relay, "/v1/t", {"X-Forwarded-For": header}) == address, header
        assert await ip_of(relay, "/v1/t", {}) == "127.0.0.1"


async def test_several_headers_are_read_as_one_list(tmp_path: Path) -> None:
    async with relay_here(tmp_path, SOURCE, TRUSTED) as relay:
        sent = event()
        headers = [
            ("X-Write-Key", "web-key"),
            ("X-Forwarded-For", "1.1.1.1"),
            ("X-Forwarded-For", "203.0.113.7, 10.0.0.1"),
        ]
        async with relay.session.post(relay.public + "/v1/t", json=sent, headers=headers) as response:
            assert response.status == 200
        assert (await relay.admitted(sent["messageId"]))["context"]["ip"] == "203.0.113.7"


@pytest.mark.parametrize("server", ["", 'trusted_proxies = ["10.0.0.0/8"]'])
async def test_nobody_else_may_say_who_he_speaks_for(server: str, tmp_path: Path) -> None:
    async with relay_here(tmp_path, SOURCE, server) as relay:
        headers = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}
        assert await ip_of(relay, "/v1/t", headers) == "127.0.0.1"
        document = (await relay.get("/v1/projects/web-key/settings", headers)).json
        assert document["integrations"]["Segment.io"]["protocol"] == "http"


async def test_only_a_clients_address_is_a_persons(tmp_path: Path) -> None:
    async with relay_here(tmp_path) as relay:
        origin = {"Origin": "https://www.example.com"}
        assert await ip_of(relay, "/v1/track", origin) == "127.0.0.1"
        assert await ip_of(relay, "/v1/track", {}) is None
        assert await ip_of(relay, "/v1/track", {}, context={"direct": True}) == "127.0.0.1"
        assert await ip_of(relay, "/api/s/track", {}) == "127.0.0.1"
        assert await ip_of(relay, "/api/s/s2s/track", {}) is None
        assert await ip_of(relay, "/v1/t", {}, context={"ip": "0.0.0.0"}) == "0.0.0.0"


@pytest.mark.parametrize(
    ("policy", "is_kept"), [("keep", True), ("remove", False), ("stripLastOctet", False)]
)
async def test_an_address_is_not_stored_when_the_sender_says_so(
    policy: str, *, is_kept: bool, tmp_path: Path
) -> None:
    async with relay_here(tmp_path) as relay:
        address = await ip_of(relay, "/v1/t", {"X-IP-Policy": policy})
        assert address == ("127.0.0.1" if is_kept else None)


async def test_the_sent_at_header_of_a_browser_corrects_the_time(tmp_path: Path) -> None:
    async with relay_here(tmp_path) as relay:
        sent = event(originalTimestamp="2020-01-01T00:00:00.000Z")
        headers = {"Origin": "https://www.example.com", "SentAt": "2020-01-01T00:00:10.000Z"}
        assert (await relay.post("/v1/track", sent, headers)).status == 200
        admitted = await relay.admitted(sent["messageId"])
        assert admitted["sentAt"] == headers["SentAt"]
        assert admitted["timestamp"] > "2026"
        assert admitted["originalTimestamp"] == "2020-01-01T00:00:00.000Z"


async def test_the_sent_at_of_an_event_goes_before_the_header(tmp_path: Path) -> None:
    async with relay_here(tmp_path) as relay:
        sent = event(timestamp="2020-01-01T00:00:00.000Z", sentAt="2020-01-01T00:00:00.000Z")
        headers = {"Origin": "https://www.example.com", "SentAt": "1999-01-01T00:00:00.000Z"}
        assert (await relay.post("/v1/track", sent, headers)).status == 200
        admitted = await relay.admitted(sent["messageId"])
        assert admitted["sentAt"] == "2020-01-01T00:00:00.000Z"
        assert admitted["timestamp"] == admitted["receivedAt"]

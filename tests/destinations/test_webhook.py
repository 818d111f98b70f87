"""The webhook, against what Segment's own sends for the same events, and its signature over the wire."""

import hmac
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from relay.destinations import CATALOGUE
from relay.destinations.actions import Call
from relay.destinations.base import Destination, at_endpoint
from relay.destinations.errors import Refused
from relay.destinations.webhook import Webhook
from tests.delivery.pipeline import pipeline, track, tracks, webhook
from tests.destinations.driving import Outcome, drive, route_of
from tests.destinations.events import event
from tests.receiver import Receiver

FIXTURE = json.loads((Path(__file__).parents[1] / "fixtures/destinations/webhook.json").read_text())
EVENTS = FIXTURE["events"]
SECRET = FIXTURE["settings"]["sharedSecret"]


def settings(**more: Any) -> Destination:
    return msgspec.convert(FIXTURE["settings"] | more, CATALOGUE["webhook"])


def lower(headers: Any) -> dict[str, str]:
    """Header names as HTTP compares them, without the client's own."""
    return {name.lower(): value for name, value in headers.items() if name.lower() != "user-agent"}


def signature(body: bytes, secret: str = SECRET) -> str:
    return hmac.digest(secret.encode(), body, "sha1").hex()


@pytest.mark.parametrize("number", range(len(EVENTS)))
def test_one_event_is_sent_as_segment_sends_it(number: int) -> None:
    (request,) = settings().requests([event(EVENTS[number])])
    expected = FIXTURE["singles"][number]
    assert (request.method, request.url) == (expected["method"], expected["url"])
    assert lower(request.headers) == lower(expected["headers"])
    assert json.loads(request.body) == EVENTS[number]
    assert request.headers["X-Signature"] == signature(request.body)


def test_a_batch_is_sent_as_segment_sends_it() -> None:
    events = [event(data, n) for n, data in enumerate(EVENTS)]
    (request,) = settings().requests(events)
    expected = FIXTURE["batch"]
    assert (request.method, request.url) == (expected["method"], expected["url"])
    assert lower(request.headers) == lower(expected["headers"])
    assert json.loads(request.body) == EVENTS


async def test_the_signature_is_that_of_the_bytes_that_arrive(receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url, settings={"shared_secret": "sécret"}))
        await line.send_batch(tracks(3, properties={"é": '✓ \u2028 \\ / "', "n": 1.50, "big": 1e21}))
        await receiver.wait_for(3)
        for request in receiver.requests:
            assert request.headers["X-Signature"] == signature(request.body, "sécret")


async def test_in_a_batch_the_first_events_bytes_are_signed(receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url, batch_size=3, settings={"shared_secret": SECRET}))
        await line.send_batch(tracks(3, properties={"é": [1, {"b": "]},{"}]}))
        await receiver.wait_for(3)
        (request,) = receiver.requests
        text = request.body.decode()
        _, end = json.JSONDecoder().raw_decode(text, 1)
        assert request.headers["X-Signature"] == signature(text[1:end].encode())


async def test_without_a_shared_secret_nothing_is_signed(receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url))
        await line.send(track())
        await receiver.wait_for(1)
        assert "X-Signature" not in receiver.requests[0].headers


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_the_method_of_the_settings_is_used(method: str, tmp_path: Path) -> None:
    async with Receiver({(method, "/in")}) as receiver, pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url + "/in", settings={"method": method}))
        await line.send(track())
        await receiver.wait_for(1)
        assert receiver.requests[0].method == method


def test_an_endpoint_replaces_scheme_host_and_port_and_nothing_else() -> None:
    replaced = at_endpoint("https://hooks.example.com:8443/a/b?c=d#e", "http://127.0.0.1:9")
    assert replaced == "http://127.0.0.1:9/a/b?c=d#e"


async def test_an_endpoint_is_where_the_requests_go(tmp_path: Path) -> None:
    async with Receiver({("POST", "/in/here")}) as receiver, pipeline(tmp_path) as line:
        await line.apply(webhook("https://nowhere.invalid/in/here?x=1", endpoint=receiver.url))
        await line.send(track())
        await receiver.wait_for(1)
        assert receiver.requests[0].path == "/in/here"


@pytest.mark.parametrize("name", ["Content-Type", "content-type", "CONTENT-TYPE"])
def test_a_content_type_of_ones_own_replaces_the_usual_one(name: str) -> None:
    hook = Webhook(url="https://example.com/", headers={name: "application/cloudevents+json"})
    (request,) = hook.requests([event(EVENTS[0])])
    assert lower(request.headers) == {"content-type": "application/cloudevents+json"}
    assert len(request.headers) == 1, "two headers of one name are sent"


@pytest.mark.parametrize(
    "url",
    ["", "example.com", "ftp://example.com", "https://", "http://[", "https://a:0/", "/path", "https://a:b/"],
)
def test_a_url_that_is_none_is_refused_and_not_quoted(url: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="url must be an http or https URL"):
        msgspec.convert({"url": url}, Webhook)


def mapped(mapping: dict[str, Any], *events: dict[str, Any], **how: Any) -> Outcome:
    url = {"url": "https://a.example/in"}
    return drive(route_of("webhook", {}, ("send", 'type = "page"', url | mapping)), *events, **how)


def test_headers_of_a_mapping_are_written_as_javascript_writes_values() -> None:
    headers = {"x-paid": {"@path": "$.properties.paid"}, "x-seats": {"@path": "$.properties.seats"}}
    page = {"type": "page", "properties": {"paid": True, "seats": 3.0}}
    (request,) = mapped({"headers": headers}, page).requests
    assert lower(request.headers) == {"x-paid": "true", "x-seats": "3"}


def test_data_that_cannot_be_written_is_refused_and_not_left_out() -> None:
    nested: list[Any] = []
    for _ in range(5000):
        nested = [nested]
    calls = [Call({"data": {}}, {}, 0), Call({"data": nested}, {}, 0)]
    with pytest.raises(Refused, match="nested too deeply"):
        Webhook(url="https://a.example/in").mapped(calls, is_array=True)

"""The pixel of e-mails and advertisements: a GIF whatever happens, and an event when it can be one."""

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest

from tests.acceptance.ground import KEY, Ground, event, of_type
from tests.acceptance.relay_process import Answer

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Its base64 holds "+", "/" and padding, which is where alphabets and URLs differ.
AWKWARD = {"subject": "~~~???>>>", "n": "é✓ü"}


def spaces_for_plus(text: str) -> str:
    return text.replace("+", "%20")


FORMS = {
    "standard": lambda data: quote(base64.b64encode(data), safe=""),
    "standard, not escaped": lambda data: base64.b64encode(data).decode(),
    "a plus that became a space": lambda data: spaces_for_plus(base64.b64encode(data).decode()),
    "URL-safe": lambda data: base64.urlsafe_b64encode(data).decode(),
    "without padding": lambda data: base64.b64encode(data).decode().rstrip("="),
    "URL-safe without padding": lambda data: base64.urlsafe_b64encode(data).decode().rstrip("="),
}


def awkward_body(message_id: str) -> bytes:
    """JSON whose base64 uses both special characters and needs padding."""
    for pad in range(3):
        body = event(writeKey=KEY, messageId=message_id, properties=AWKWARD | {"pad": " " * pad})
        data = json.dumps(body, ensure_ascii=False).encode()
        if len(data) % 3:
            return data
    raise AssertionError("no length that needs padding")


def check_gif(answer: Answer) -> None:
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "image/gif"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.body.startswith(b"GIF89a\x01\x00\x01\x00")


@pytest.mark.parametrize("form", FORMS)
async def test_a_pixel_carries_an_event_in_base64_of_any_kind(form: str, ground: Ground) -> None:
    message_id: str = event()["messageId"]
    data = awkward_body(message_id)
    check_gif(await ground.relay.request("GET", f"/v1/pixel/track?data={FORMS[form](data)}"))
    arrived = await ground.arrived(message_id)
    assert arrived["type"] == "track"
    assert arrived["properties"]["subject"] == AWKWARD["subject"]
    assert arrived["properties"]["n"] == AWKWARD["n"]


async def test_the_awkward_base64_is_awkward() -> None:
    text = base64.b64encode(awkward_body("message")).decode()
    assert {"+", "/", "="} <= set(text)


@pytest.mark.parametrize("kind", ["track", "identify", "page", "screen", "group", "alias"])
async def test_a_pixel_names_the_type_in_its_path(kind: str, ground: Ground) -> None:
    sent = of_type(kind, writeKey=KEY)
    data = base64.urlsafe_b64encode(json.dumps(sent).encode()).decode()
    check_gif(await ground.relay.request("GET", f"/v1/pixel/{kind}?data={data}"))
    assert (await ground.arrived(sent["messageId"]))["type"] == kind


async def test_a_pixel_carries_an_event_in_dotted_parameters(ground: Ground) -> None:
    message_id: str = event()["messageId"]
    query = "&".join(
        (
            f"writeKey={KEY}&messageId={message_id}&userId=025&event=Email%20Opened",
            "properties.subject=Hi%20there&properties.deep.er=1&context.campaign.name=fall",
        )
    )
    headers = {"User-Agent": "Mail/1.0"}
    check_gif(await ground.relay.request("GET", f"/v1/pixel/track?{query}", headers=headers))
    arrived = await ground.arrived(message_id)
    assert arrived["userId"] == "025"
    assert arrived["event"] == "Email Opened"
    assert arrived["properties"] == {"subject": "Hi there", "deep": {"er": "1"}}
    assert arrived["context"]["campaign"] == {"name": "fall"}
    assert arrived["context"]["ip"] == "127.0.0.1"
    assert arrived["context"]["userAgent"] == "Mail/1.0"


async def test_a_pixel_loaded_twice_is_two_events(ground: Ground) -> None:
    name = event()["messageId"]
    query = f"writeKey={KEY}&userId=u1&event={name}"
    for _ in range(2):
        check_gif(await ground.relay.request("GET", f"/v1/pixel/track?{query}"))

    def seen() -> list[Any]:
        return [one for one in ground.receiver.events() if one.get("event") == name]

    await ground.receiver.wait_until(lambda: len(seen()) == 2, 60)
    assert len({one["messageId"] for one in seen()}) == 2


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?data=",
        "?data=%%%",
        "?data=bm90IGpzb24",
        f"?data={base64.b64encode(b'[]').decode()}",
        "?writeKey=no-such-key&userId=u&event=E",
        f"?writeKey={KEY}&event=Nobody",
        f"?writeKey={KEY}&userId=u&event={'x' * 5000}&a.b=1&a=2&a.b.c=3",
        f"?writeKey={KEY}&userId=u&{'a.' * 2000}a=1",
    ],
)
async def test_a_pixel_that_makes_no_sense_is_a_gif_all_the_same(query: str, ground: Ground) -> None:
    check_gif(await ground.relay.request("GET", "/v1/pixel/track" + query))
    await ground.flush()

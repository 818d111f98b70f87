"""What is hidden, in whatever way it is written, and what is left readable."""

import json
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.destinations.base import Request
from relay.destinations.secrets import LEAST, SHOWN, hiding, mask, shown_url
from relay.destinations.slack import Slack
from relay.destinations.webhook import Webhook
from tests.destinations.driving import drive, route_of
from tests.destinations.events import event

KEY = "s3cret-key"
PAGE = {"type": "page", "messageId": "m1"}
TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
SECRETS = st.text(st.characters(codec="utf-8"), min_size=LEAST, max_size=24)


def shown(url: str) -> str:
    (request,) = Webhook(url=url).requests([event(PAGE)])
    return shown_url(request, mask(()))


@given(before=TEXT, secret=SECRETS, after=TEXT)
def test_base64_of_a_text_with_a_secret_in_it_does_not_give_it_away(
    before: str, secret: str, after: str
) -> None:
    text = f"{before}:{secret}{after}".encode()
    start = len(f"{before}:".encode())
    first, last = -(-8 * start // 6), 8 * (start + len(secret.encode())) // 6
    for written in (b64encode(text).decode(), urlsafe_b64encode(text).decode()):
        masked = mask([secret])(f'{{"error": "Basic {written} is not known"}}')
        assert SHOWN in masked
        assert written[first:last] not in masked


@given(SECRETS)
def test_a_secret_is_hidden_in_a_url_a_form_and_json(secret: str) -> None:
    masked = mask([secret])
    for written in (
        secret,
        quote(secret, safe=""),
        urlencode({"k": secret}),
        json.dumps({"k": secret}),
        json.dumps({"k": secret}, ensure_ascii=False),
    ):
        assert SHOWN in masked(written)
    assert masked(secret) == SHOWN


def test_basic_credentials_that_are_repeated_are_hidden() -> None:
    for user in ("a", "ab", "abc"):
        said = b64encode(f"{user}:{KEY}".encode()).decode()
        assert b64encode(KEY.encode()).decode().rstrip("=")[4:8] not in mask([KEY])(f"Basic {said} is wrong")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("ab1", SHOWN),
        ('{"key":"ab1","word":"cab1s"}', f'{{"key":"{SHOWN}","word":"cab1s"}}'),
        ("key=ab1&word=cab1s", f"key={SHOWN}&word=cab1s"),
        ("https://a.example/in?key=ab1", f"https://a.example/in?key={SHOWN}"),
        ("ab1 is wrong", "ab1 is wrong"),
    ],
)
def test_a_short_secret_is_hidden_only_as_a_whole_value(text: str, masked: str) -> None:
    assert mask(["ab1"])(text) == masked


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("https://a.example/in/here", "https://a.example/in/here"),
        ("https://a.example/in?key=k1&v=2", f"https://a.example/in?key={SHOWN}&v={SHOWN}"),
        ("https://a.example/in?t0ken", f"https://a.example/in?{SHOWN}"),
        ("https://a.example/in?key=a=b%20c", f"https://a.example/in?key={SHOWN}"),
        ("https://me:pw@a.example:8443/in", f"https://{SHOWN}@a.example:8443/in"),
        ("https://pw:pw@pw.example/in?key=", f"https://{SHOWN}@pw.example/in?key="),
    ],
)
def test_of_a_webhooks_url_the_query_and_the_password_are_hidden_and_the_path_is_not(
    url: str, seen: str
) -> None:
    assert shown(url) == seen


def test_a_webhook_that_a_mapping_names_hides_the_same() -> None:
    mapping = {"url": "https://a.example/in?key=s3cret-key", "data": {"@path": "$."}}
    (request,) = drive(route_of("webhook", {}, ("send", 'type = "page"', mapping)), PAGE).requests
    assert shown_url(request, mask(())) == f"https://a.example/in?key={SHOWN}"


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("/services/T0/B0/s3cret", f"/services/{SHOWN}/{SHOWN}/{SHOWN}"),
        ("/services/T0/B0/services", f"/{SHOWN}/{SHOWN}/{SHOWN}/{SHOWN}"),
        ("/s3cret", f"/{SHOWN}"),
    ],
)
def test_the_path_of_a_slack_webhook_is_hidden(path: str, seen: str) -> None:
    mapping = Slack.actions["postToChannel"].default_mapping(
        url=f"https://hooks.slack.com{path}", text="hello"
    )
    (request,) = drive(route_of("slack", {}, ("postToChannel", 'type = "page"', mapping)), PAGE).requests
    assert shown_url(request, mask(())) == f"https://hooks.slack.com{seen}"


def test_what_a_reply_repeats_of_a_hidden_part_is_hidden_unless_it_is_an_everyday_word() -> None:
    request = Request("POST", "https://a.example/in", {}, hidden=("s3cret-key", "true"))
    masked = hiding(request, mask(["another-key"]))
    assert masked("s3cret-key another-key true") == f"{SHOWN} {SHOWN} true"

"""Slack: messages by template, and that nothing but Slack is asked."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.destinations.errors import Refused
from relay.destinations.reply import Answer
from relay.destinations.slack import Slack
from tests.destinations.driving import body, drive, reply, route_of

URL = "https://hooks.slack.com/services/T0/B0/s3cret"
TEXT = {"@template": "*{{event}}* by {{userId}}"}
SIGNED_UP = {"type": "track", "event": "Signed Up", "userId": "u1", "messageId": "m1"}


def _mapping(**changes: Any) -> dict[str, Any]:
    return Slack.actions["postToChannel"].default_mapping(url=URL, text=TEXT, **changes)


def _sent(mapping: dict[str, Any], **how: Any) -> Any:
    return drive(route_of("slack", {}, ("postToChannel", 'type = "track"', mapping)), SIGNED_UP, **how)


def test_a_message_is_worded_by_a_template() -> None:
    outcome = _sent(_mapping(channel="#growth"))
    (request,) = outcome.requests
    assert (request.method, request.url, outcome.errors) == ("POST", URL, [None])
    assert body(request) == {"channel": "#growth", "text": "*Signed Up* by u1", "username": "relay"}


def test_without_subscriptions_nothing_is_posted() -> None:
    assert not drive(route_of("slack", {}), SIGNED_UP).errors


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.slack.com/services/T0/B0/XX",
        "https://hooks.slack.com.evil.example/services/T0",
        "https://evil.example/hooks.slack.com/",
        "https://evil.example#https://hooks.slack.com/services/T0",
        "https://user:pass@hooks.slack.com/services/T0",
        "https://hooks.slack.com@evil.example/services/T0",
        "https://hooks.slack.com:8443/services/T0",
        "https://team.slack.com/services/T0",
        "https://hooks.slackxcom/services/T0",
        "https://hooks.slack.com/services/T0?next=https://evil.example",
        "https://hooks.slack.com/services/../admin",
        "https://hooks.slack.com",
        "https://[::1/services",
        "https://169.254.169.254/latest/meta-data",
    ],
)
def test_no_other_host_is_asked(url: str) -> None:
    outcome = _sent({"url": url, "text": "hello"})
    assert not outcome.requests
    (error,) = outcome.errors
    assert isinstance(error, Refused)
    assert error.fields == ("url",)
    assert url not in str(error)


@given(st.text(max_size=40))
def test_whatever_the_url_is_requests_go_to_slack_or_nowhere(text: str) -> None:
    for url in (
        text,
        f"https://{text}",
        f"https://hooks.slack.com{text}",
        f"https://{text}hooks.slack.com/a",
    ):
        for request in _sent({"url": url, "text": "hello"}).requests:
            assert request.url.startswith("https://hooks.slack.com/")


def test_a_message_without_text_is_refused() -> None:
    (error,) = _sent({"url": URL}).errors
    assert error.fields == ("text",)


@pytest.mark.parametrize(
    ("status", "means"), [(200, None), (429, Answer.BUSY), (404, Answer.REFUSED), (500, Answer.BUSY)]
)
def test_what_slack_answers_decides(status: int, means: Answer | None) -> None:
    (error,) = _sent(_mapping(), answer=lambda _: reply(status=status)).errors
    assert (error and error.reply.answer) == means


def test_it_has_no_settings() -> None:
    with pytest.raises(msgspec.ValidationError, match="url"):
        msgspec.convert({"url": URL}, Slack)

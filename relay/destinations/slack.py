"""Slack: one message an event, by an incoming webhook.

POST `https://hooks.slack.com/services/…` with {text, channel, username, icon_url}. One message a second for each
webhook, then 429 with Retry-After. No batches and no key to tell a repeated message by.

The webhook's URL stands in the mapping, so the host is looked at for every event: nothing but hooks.slack.com is
ever asked, unless the operator sends all requests to an `endpoint`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar
from urllib.parse import urlsplit

import msgspec

from relay.destinations.actions import Action, ActionDestination, Call, Preset, by_name
from relay.destinations.actions.fields import text
from relay.destinations.actions.requests import json_request
from relay.destinations.base import Steps
from relay.destinations.errors import Refused

HOST = "hooks.slack.com"
_PATH = re.compile(r"[/a-zA-Z0-9]+")
_SAID = ("channel", "text", "username", "icon_url")


def _is_webhook(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:  # a bracket that opens no address
        return False
    is_there = parts.scheme == "https" and parts.netloc == HOST
    return is_there and not (parts.query or parts.fragment) and _PATH.fullmatch(parts.path) is not None


def _post(_: "Slack", call: Call) -> Steps:
    url = call.payload["url"]
    if not _is_webhook(url):
        raise Refused(f"url must be an incoming webhook of {HOST}", "BAD_REQUEST", fields=("url",))
    said = {name: call.payload[name] for name in _SAID if name in call.payload}
    yield msgspec.structs.replace(json_request("POST", url, said), hidden=key_in(url))


def key_in(url: str) -> tuple[str, ...]:
    """What of a webhook's URL must stay secret: all but the first segment of its path, which is its kind."""
    segments = urlsplit(url).path.strip("/").split("/")
    return tuple(filter(None, segments[1:] or segments))


POST = Action(
    name="postToChannel",
    title="Post Message",
    about="One message in a channel.",
    fields={
        "url": text("The incoming webhook, as Slack made it.", required=True, format="uri"),
        "text": text("The message, in Slack's own markup.", required=True),
        "channel": text("Another channel than the webhook's own, where Slack allows it."),
        "username": text("Who the message is from.", default="relay"),
        "icon_url": text("The picture beside it."),
    },
    perform=_post,
)


class Slack(ActionDestination, frozen=True):
    """Settings of `type = "slack"`: none; each subscription names its webhook."""

    title: ClassVar[str] = "Slack"
    summary: ClassVar[str] = "Messages in a Slack channel, worded by a template."
    default_endpoint: ClassVar[str | None] = f"https://{HOST}"
    actions: ClassVar[Mapping[str, Action]] = by_name(POST)
    presets: ClassVar[Sequence[Preset]] = ()
    differences: ClassVar[Sequence[str]] = (
        "The default sender is `relay`, without a picture: the one that Segment names is no longer served.",
        "Only webhooks at hooks.slack.com are sent to; Segment takes any host that ends in slack.com.",
    )
    notes: ClassVar[Sequence[str]] = (
        (
            "There are no presets: write a subscription with the webhook's `url` and a `text`, for example"
            ' `{"@template": "{{userId}} bought for {{properties.revenue}}"}`.'
        ),
        "Slack takes one message a second for each webhook: set `rate_limit = 1`.",
        (
            "Whoever has a webhook's URL can post with it: keep it out of the file with `${NAME}`. relay never shows"
            " more of it than `https://hooks.slack.com/services`."
        ),
        "A message that Slack took without its answer coming back is posted again.",
    )

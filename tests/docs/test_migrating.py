"""docs/migrating-from-segment.md: its numbers, and its filter."""

import re

import msgspec
import pytest

from relay.browser import proxy, proxy_fetch
from relay.browser.proxy_config import SegmentConfig
from relay.destinations.fql import compile_filter
from tests.docs.pages import read, section

PAGE = " ".join(read("migrating-from-segment.md").split())


def test_every_key_is_explained_with_its_default() -> None:
    table = section(read("configuration.md"), "`[[sources]]`")
    for field in msgspec.structs.fields(SegmentConfig):
        shown = "the source's own" if field.default is None else f'`"{field.default}"`'
        assert f"\n| `{field.name}` | text | {shown} |" in table


def test_the_numbers_are_those_of_the_code() -> None:
    assert proxy.SETTINGS_SECONDS == 60
    assert "the settings are asked after once a minute" in PAGE
    assert proxy.SCRIPT_SECONDS == 5 * 60
    assert "the script every five minutes" in PAGE
    assert proxy.DAY_SECONDS == 24 * 60 * 60
    assert f"more than {proxy_fetch.MAX_FILE / 1e6:.0f} MB" in PAGE
    assert proxy.RETRY_SECONDS == 5
    assert "left alone for five seconds" in PAGE
    assert f"{proxy.MAX_BYTES / 1e6:.0f} MB of such files" in PAGE
    assert f"{proxy.NEW_PER_SECOND:.0f} new ones a second" in PAGE


@pytest.mark.parametrize(
    ("metadata", "goes"),
    [
        ({"bundled": ["Amplitude", "Segment.io"]}, False),
        ({"bundled": ["Segment.io"], "unbundled": ["Amplitude"]}, True),
        (None, True),
    ],
    ids=str,
)
def test_the_filter_takes_what_the_page_did_not_send(metadata: object, goes: bool) -> None:
    (text,) = re.findall(r"filter = '(.*?)'", PAGE)
    event = {"type": "track"} if metadata is None else {"type": "track", "_metadata": metadata}
    assert compile_filter(text)(event) is goes

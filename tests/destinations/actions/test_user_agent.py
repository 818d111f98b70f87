"""User agents: the words that Amplitude and Mixpanel have for what people use."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.destinations.actions.user_agent import MAX_OF_BROWSER, MAX_TEXT, browser_of, device_of

KNOWN = json.loads((Path(__file__).parents[1] / "fixtures" / "user_agents.json").read_text())
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) Version/17.4 Mobile/15E148 Safari/604.1"


@pytest.mark.parametrize("row", KNOWN, ids=lambda row: row["text"][:60])
def test_a_device_is_called_as_amplitude_calls_it(row: dict[str, Any]) -> None:
    it = device_of(row["text"])
    assert [it.os or it.browser, it.browser_major, it.vendor, it.model or it.os, it.kind] == row["device"]


@pytest.mark.parametrize("row", KNOWN, ids=lambda row: row["text"][:60])
def test_a_browser_is_called_as_mixpanel_calls_it(row: dict[str, Any]) -> None:
    assert list(browser_of(row["text"])) == row["browser"]


def test_only_the_beginning_of_a_long_text_counts() -> None:
    long = IPHONE.ljust(MAX_TEXT) + " iPad13,8"
    assert device_of(long) == device_of(IPHONE)
    assert browser_of(" " * MAX_OF_BROWSER + "Firefox/131.0") == ("", None)


WORDS = (
    *(
        "Mozilla/5.0",
        "AppleWebKit/537.36",
        "Chrome/131.0",
        "Version/4.0",
        "Safari/",
        "Mobile",
        "Line/14",
        "GSA/1",
    ),
    *(
        "FBAN/FBIOS",
        "Instagram 1.2",
        "(",
        ")",
        ";",
        "[",
        "]",
        "/",
        " ",
        "Android",
        "Android 14",
        "like Gecko",
    ),
    *(
        "PlayStation",
        "Xbox",
        "Quest",
        "CPU OS 17",
        "Macintosh",
        "Linux",
        "SM-",
        "CPH2581",
        "HUAWEI ",
        "vivo ",
    ),
    *("Lenovo TB", " Build/", "rv:", "MSIE ", "Trident/7.0", "Opera Mini/", "iPhone15,2", "Roku/", "AppleTV"),
)


@given(st.text(max_size=500) | st.lists(st.sampled_from(WORDS), max_size=40).map("".join))
def test_any_text_is_read(text: str) -> None:
    device, (browser, version) = device_of(text), browser_of(text)
    assert browser is not None
    assert device.browser_major is None or device.browser_major.isdecimal()
    assert version is None or browser

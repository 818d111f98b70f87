"""Devices in user agents."""

import pytest

from relay.destinations.actions.user_agent_devices import make_in
from relay.destinations.actions.user_agent_parts import take_apart

WEBVIEW = "Mozilla/5.0 (Linux; Android 13; {}; wv) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 {}"


def test_an_apps_name_for_a_phone_goes_before_the_browsers() -> None:
    parts = take_apart("Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) [FBAN/FBIOS;FBDV/iPhone14,5]")
    assert make_in(parts, "iOS") == ("Apple", "iPhone14,5", "mobile")


@pytest.mark.parametrize(("end", "kind"), [("Mobile Safari/537.36", "mobile"), ("Safari/537.36", "tablet")])
def test_a_device_of_no_known_maker_is_a_phone_where_the_browser_says_mobile(end: str, kind: str) -> None:
    assert make_in(take_apart(WEBVIEW.format("2201116SG", end)), "Android") == ("", "2201116SG", kind)


def test_the_model_is_what_stands_after_system_and_language() -> None:
    parts = take_apart("Dalvik/2.1.0 (Linux; U; Android 12; en-gb; Redmi Note 9S Build/SKQ1.211019.001)")
    assert make_in(parts, "Android") == ("Xiaomi", "Redmi Note 9S", "mobile")


def test_of_an_app_on_a_device_of_no_known_maker_the_system_is_told() -> None:
    parts = take_apart("Dalvik/2.1.0 (Linux; U; Android 12; M2102J20SG Build/SKQ1.211006.001)")
    assert make_in(parts, "Android") == ("Generic", "Android 12", "")


@pytest.mark.parametrize(
    ("text", "make"),
    [
        ("Mozilla/5.0 (PlayStation; PlayStation 5/6.50)", ("Sony", "PlayStation 5", "console")),
        ("Roku/DVP-9.10 (519.10E04111A)", ("Roku", "DVP-9.10", "smarttv")),
        ("AppleTV11,1/16.6", ("Apple", "Apple TV", "smarttv")),
        ("Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) SamsungBrowser/5.0", ("Samsung", "", "smarttv")),
        ("curl/8.4.0", ("", "", "")),
    ],
)
def test_consoles_and_televisions_are_known_by_a_word(text: str, make: tuple[str, str, str]) -> None:
    assert make_in(take_apart(text), None) == make

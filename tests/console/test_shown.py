"""What of the configuration may be shown, and that nothing secret is in it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.console.shown import harmless, settings_shown, text_of
from relay.destinations.salesforce import Salesforce
from relay.destinations.webhook import Webhook
from relay.times import Duration, Size


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (True, "true"),
        (8, "8"),
        (("a", "b"), '["a","b"]'),
        (Duration("200ms"), "200ms"),
        (Duration("90m"), "90m"),
        (Duration("30d"), "30d"),
        (Duration("0s"), "0ms"),
        (Size("50GB"), "50GB"),
        (Size("1KB"), "1KB"),
        ("plain", "plain"),
        ("https://a.example/in", "https://a.example/in"),
        (
            "https://u:p@a.example:8443/in?k=v&l=#f",
            "https://[secret]@a.example:8443/in?k=[secret]&l=[secret]",
        ),
        ("https://a.example/?k3y", "https://a.example/?[secret]"),
        ("http://[", "http://["),
    ],
)
def test_a_value_is_shown_as_it_would_be_written(value: Any, shown: str) -> None:
    assert text_of(value) == shown


def test_headers_of_mappings_and_keys_of_transformations_are_hidden() -> None:
    mapping = {"headers": {"Authorization": "Bearer t"}, "url": "https://a.example/?k=t", "data": {"a": 1}}
    assert harmless({"mapping": mapping})["mapping"] == {
        "headers": {"Authorization": "[secret]"},
        "url": "https://a.example/?k=[secret]",
        "data": {"a": 1},
    }
    hashed = {"algorithm": "sha256", "paths": ["context.ip"], "key": "t"}
    assert harmless([{"hash": hashed}]) == [{"hash": hashed | {"key": "[secret]"}}]
    assert harmless({"algorithm": "sha256", "key": None})["key"] is None


@given(st.text(min_size=4, max_size=20))
def test_a_secret_setting_is_not_shown_wherever_it_stands(secret: str) -> None:
    settings = Webhook(url="https://a.example/in", shared_secret=secret, headers={"X": f"{secret}-2"})
    shown = {one.setting.name: one.value for one in settings_shown(settings)}
    assert shown["sharedSecret"] == shown["headers"] == "[secret]"
    assert all(value in ("", "[secret]") or secret not in value for value in shown.values())


def test_what_is_not_set_is_empty_secret_or_not() -> None:
    shown = {one.setting.name: one.value for one in settings_shown(Webhook(url="https://a.example/in"))}
    assert shown == {"url": "https://a.example/in", "method": "POST", "headers": "", "sharedSecret": ""}


def test_what_is_inside_a_secret_table_is_not_named() -> None:
    settings = Salesforce(instance_url="https://a.my.salesforce.com")
    names = [one.setting.name for one in settings_shown(settings)]
    assert "oauth" in names
    assert not any(name.startswith("oauth.") for name in names)

"""After signing in somebody is led back to where they were, and nowhere else."""

import pytest

from relay.console.gatekeeping import inside


@pytest.mark.parametrize(
    "target",
    [
        "//evil.test/console/",
        "https://evil.test/console/",
        "/v1/status",
        "/console/\\evil",
        "/console/\r\nX: y",
        "console/",
        "",
    ],
)
def test_nobody_is_led_elsewhere(target: str) -> None:
    assert inside(target) == "/console/"


def test_where_somebody_was_may_have_a_query() -> None:
    assert inside("/console/events?q=a%26b") == "/console/events?q=a%26b"

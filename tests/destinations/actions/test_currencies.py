"""Currency codes."""

import pytest

from relay.destinations.actions.currencies import is_currency


@pytest.mark.parametrize(
    ("code", "is_one"), [("EUR", True), ("usd", True), ("BTC", False), ("", False), ("US", False)]
)
def test_a_currency_has_a_code_of_iso_4217(code: str, *, is_one: bool) -> None:
    assert is_currency(code) is is_one

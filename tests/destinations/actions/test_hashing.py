"""Personal data made uniform and hashed."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.destinations.actions.hashing import digits, has_hash, sha256, squeezed

HASH = hashlib.sha256(b"ana@example.com").hexdigest()


def test_a_value_is_cleaned_before_it_is_hashed() -> None:
    assert sha256(" Ana@Example.com ", squeezed) == HASH
    assert sha256(" ana@example.com ") == HASH


@pytest.mark.parametrize("value", [HASH, HASH.upper()])
def test_a_hash_is_kept(value: str) -> None:
    assert sha256(value, squeezed) == value
    assert has_hash(f"x{value}")


@pytest.mark.parametrize("value", ["", "  ", "\u3000\n"])
def test_what_is_blank_has_no_hash(value: str) -> None:
    assert sha256(value, squeezed) == ""


@pytest.mark.parametrize("value", ["New York", "\tnew\xa0york\ufeff", "NEW YORK"])
def test_case_and_white_space_go(value: str) -> None:
    assert squeezed(value) == "newyork"


def test_only_digits_stay() -> None:
    assert digits("+1 (415) 555-0132 ext. ٣") == "14155550132"


@given(st.text())
def test_hashing_twice_is_hashing_once(value: str) -> None:
    assert sha256(sha256(value)) == sha256(value)

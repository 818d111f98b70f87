"""The Bloom filter says perhaps for nothing now and then, and never no of what it holds."""

import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.admission.seen import BloomFilter, digest

KEYS = st.lists(st.binary(min_size=16, max_size=16), max_size=200)


@given(added=KEYS, bits=st.integers(15, 20))
def test_what_was_added_is_never_denied(added: list[bytes], bits: int) -> None:
    bloom = BloomFilter(bits)
    for key in added:
        bloom.add(key)
    assert all(key in bloom for key in added)
    assert all(bloom.add(key) for key in added)


@given(added=KEYS, others=KEYS)
def test_adding_says_what_looking_would_have_said(added: list[bytes], others: list[bytes]) -> None:
    bloom = BloomFilter(15)
    for key in added:
        bloom.add(key)
    for key in others:
        was_there = key in bloom
        assert bloom.add(key) == was_there


def test_an_empty_filter_holds_nothing() -> None:
    bloom = BloomFilter(15)
    assert not any(random.Random(n).randbytes(16) in bloom for n in range(1000))


def test_needless_look_ups_are_few_while_there_is_room() -> None:
    bloom = BloomFilter(20)
    for n in range(2**20 * 30_000_000 // 2**28):  # as full as the module's docstring allows a day to be
        bloom.add(digest("app", f"in-{n}"))
    mistakes = sum(digest("app", f"out-{n}") in bloom for n in range(10_000))
    assert mistakes < 300


@settings(max_examples=20)
@given(added=KEYS, number=st.integers(1, 2**32 - 1))
def test_a_saved_filter_comes_back(added: list[bytes], number: int) -> None:
    bloom, other = BloomFilter(15), BloomFilter(15)
    for key in added:
        bloom.add(key)
    with tempfile.TemporaryDirectory() as folder:
        bloom.save(Path(folder) / "seen-1.bloom", number)
        assert [path.name for path in Path(folder).iterdir()] == ["seen-1.bloom"]
        assert other.load(Path(folder) / "seen-1.bloom") == number
    assert all(key in other for key in added)
    assert other.bytes[:] == bloom.bytes[:]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: b"",
        lambda content: content[:7],
        lambda content: content[:-1],
        lambda content: content + b"\0",
        lambda content: b"otherFMT" + content[8:],
        lambda content: content[:16],
    ],
)
def test_a_spoiled_file_is_not_taken_for_a_filter(tmp_path: Path, spoil: object) -> None:
    bloom, path = BloomFilter(15), tmp_path / "seen-1.bloom"
    bloom.add(b"k" * 16)
    bloom.save(path, 3)
    assert callable(spoil)
    path.write_bytes(spoil(path.read_bytes()))
    other = BloomFilter(15)
    assert other.load(path) == 0
    assert b"k" * 16 not in other


def test_a_filter_of_another_size_or_none_is_not_loaded(tmp_path: Path) -> None:
    BloomFilter(15).save(tmp_path / "seen-1.bloom", 3)
    assert BloomFilter(16).load(tmp_path / "seen-1.bloom") == 0
    assert BloomFilter(15).load(tmp_path / "seen-2.bloom") == 0
    assert BloomFilter(15).load(tmp_path / "seen-1.bloom") == 3


def test_a_source_and_an_id_are_told_apart() -> None:
    assert digest("a", "bc") != digest("ab", "c")
    assert digest("a", "x") != digest("b", "x")
    assert digest("a", "é") == digest("a", "é")
    assert len(digest("", "")) == 16

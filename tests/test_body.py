r"""From bytes to JSON: what is mended, and what is refused. `\ud83d` alone is half a character."""

import json
import re
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.body import decode, encode

SURROGATES = st.sampled_from(["\ud83d", "\ude00", "\udbff", "\udc00", "\ud800", "\udfff"])
PIECES = st.one_of(SURROGATES, st.sampled_from(["\\", "\\u", "\\ud83d", '"', "u", "a", "é", "😀", "\n"]))
TEXTS = st.lists(PIECES, max_size=8).map("".join)


def mended(text: str) -> str:
    """Pairs of surrogates made into the character they are, the others replaced."""
    pairs = re.sub(
        "[\ud800-\udbff][\udc00-\udfff]",
        lambda m: m[0].encode("utf-16", "surrogatepass").decode("utf-16"),
        text,
    )
    return re.sub("[\ud800-\udfff]", "\ufffd", pairs)


@given(texts=st.lists(TEXTS, max_size=4))
def test_half_a_character_is_replaced_wherever_it_stands_and_all_else_is_kept(texts: list[str]) -> None:
    assert decode(json.dumps(texts).encode()) == [mended(text) for text in texts]


@given(name=TEXTS)
def test_names_are_mended_like_values(name: str) -> None:
    assert decode(json.dumps({name: 1}).encode()) == {mended(name): 1}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (rb'"\ud83d"', "\ufffd"),
        (rb'"\uD83D\uDE00"', "😀"),
        (rb'"\ud83d\ud83d\ude00"', "\ufffd😀"),
        (rb'"\ud83d\ude00\ude00"', "😀\ufffd"),
        (rb'"\\ud83d"', r"\ud83d"),
        (rb'["\\\ud83d"]', ["\\\ufffd"]),
        (rb'["\\\\ud83d", "\ud83d"]', [r"\\ud83d", "\ufffd"]),
        (rb'"\n\ud83dA"', "\n\ufffdA"),
    ],
)
def test_examples_of_halves_and_wholes(written: bytes, read: object) -> None:
    assert decode(written) == read


def test_a_byte_order_mark_is_skipped_once_and_at_the_start_only() -> None:
    assert decode(b'\xef\xbb\xbf{"a":1}') == {"a": 1}
    assert decode(b'\xef\xbb\xbf["\\ud83d"]') == ["\ufffd"]
    assert decode('"\ufeff"'.encode()) == "\ufeff"
    for body in (b"\xef\xbb\xbf\xef\xbb\xbf{}", b"{}\xef\xbb\xbf", b"\xef\xbb\xbf", b"\xff\xfe{\0}\0"):
        with pytest.raises(ValueError, match=r".+"):
            decode(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"{'a':1}",
        b'{"a":1,}',
        b"[1 2]",
        b"NaN",
        b"[NaN]",
        b"[Infinity]",
        b"[-Infinity]",
        b"01",
        b"1.",
        b"+1",
        b"// comment\n1",
        b'"\xff"',
        b'"\xed\xa0\xbd"',
        b'"\\x"',
        b'"\\ud8"',
        b'"a\nb"',
        b'{"a":1}{"b":2}',
        b'{"a":1}\0',
        b"[" * 100_000 + b"]" * 100_000,
    ],
)
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode(body)


JSON: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**63),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(st.characters(exclude_categories=["Cs"])),
    ),
    lambda inner: st.one_of(
        st.lists(inner), st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
    max_leaves=20,
)


@given(value=JSON)
def test_what_is_written_can_be_read(value: Any) -> None:
    written = encode(value)
    assert written is not None
    assert decode(written) == value
    assert decode(json.dumps(value).encode()) == value


@given(value=JSON)
def test_it_is_written_without_a_byte_too_many(value: Any) -> None:
    assert encode(value) == orjson.dumps(value)


def test_what_is_nested_too_deeply_to_be_written_is_none() -> None:
    deepest: list[Any] = []
    for _ in range(100_000):
        deepest = [deepest]
    assert encode(deepest) is None


@pytest.mark.parametrize("levels", [1, 250, 260, 500])
def test_what_is_deeper_than_anybody_needs_can_still_be_read_and_written(levels: int) -> None:
    text = b"[" * levels + b"]" * levels
    assert encode(decode(text)) == text

"""Frames: however they arrive they come out whole, and what is none of them is known as that."""

import asyncio
import json
from collections.abc import Coroutine
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.sandbox import frames
from relay.sandbox.errors import TooLarge
from relay.sandbox.frames import HEADER, FrameError, Reader

SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(-1e9, 1e9) | st.text(max_size=9)
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


def decoded(data: bytes) -> Any:
    """What `decode` makes of it, with nobody else on the loop."""
    return alone(frames.decode(msgspec.Raw(data)))


def alone(coroutine: Coroutine[Any, None, Any]) -> Any:
    while True:
        try:
            coroutine.send(None)
        except StopIteration as stop:
            return stop.value


@given(values=st.lists(JSON.map(lambda value: {"value": value}), max_size=8), data=st.data())
def test_frames_come_out_whole_however_they_are_cut(
    values: list[dict[str, Any]], data: st.DataObject
) -> None:
    stream = b"".join(frames.encode(value, 100_000) for value in values)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    reader = Reader(100_000)
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    found = [orjson.loads(frame) for piece in pieces for frame in reader.feed(piece)]
    assert found == values


@given(size=st.integers(101, 2**32 - 1))
def test_a_frame_that_would_be_too_large_is_refused_by_its_first_four_bytes(size: int) -> None:
    reader = Reader(100)
    with pytest.raises(FrameError):
        list(reader.feed(size.to_bytes(HEADER, "big")))


def test_a_frame_of_exactly_the_limit_is_taken() -> None:
    body = b"x" * 100
    assert list(Reader(100).feed(len(body).to_bytes(HEADER, "big") + body)) == [body]


def test_a_message_over_the_limit_is_not_sent() -> None:
    with pytest.raises(TooLarge, match="103 bytes, 102 are allowed"):
        frames.encode({"v": "x" * 95}, 102)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"type":"load"}',
        b'{"type":"ok","id":"1"}',
        b'{"type":"ok","id":1,"more":1}',
        b'{"type":"ok","id":1,"value":}',
        b'{"type":"error","id":1,"error":[]}',
        b'{"type":"ok"',
        b'{"type":"ok","id":1}x',
        b"\xff\xfe",
        b'{"type":"ok","id":1,"value":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_what_is_no_frame_is_refused(data: bytes) -> None:
    with pytest.raises(FrameError):
        frames.parse(data)


@given(data=st.binary(max_size=200))
def test_whatever_the_bytes_are_they_are_a_frame_or_an_error_of_frames(data: bytes) -> None:
    try:
        alone(frames.decode(frames.parse(data).value))
    except FrameError:
        return


@pytest.mark.parametrize("slice_bytes", [1, 8, 64])
@given(value=JSON)
def test_a_value_in_slices_is_the_same_value(slice_bytes: int, value: Any) -> None:
    data = json.dumps(value).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frames, "SLICE_BYTES", slice_bytes)
        patch.setattr(frames, "DEPTH", 1000)
        assert decoded(data) == orjson.loads(data)


def test_a_large_value_lets_others_go_first() -> None:
    data = b"[" + b",".join([b'{"event":"Order Completed","n":1}'] * 50_000) + b"]"
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def both() -> Any:
        other = asyncio.create_task(count())
        value = await frames.decode(msgspec.Raw(data))
        other.cancel()
        return value

    assert asyncio.run(both()) == orjson.loads(data)
    assert turns > 10


@pytest.mark.parametrize("part", [b"[]", b"{}", b"1", b"[[]]", b"[1,2,3,4]"])
def test_a_large_value_of_next_to_nothing_is_refused(part: bytes) -> None:
    data = b'{"a":[' + b",".join([part] * 600_000) + b"]}"
    with pytest.raises(FrameError, match="too many"):
        decoded(data)


@pytest.mark.parametrize("text", ["1,2," * 400_000, '[{"a":"\\\\"},' * 200_000])
def test_a_text_with_many_commas_is_one_value(text: str) -> None:
    data = orjson.dumps({"body": text})
    assert decoded(data) == {"body": text}


def test_a_large_value_in_too_many_boxes_is_refused() -> None:
    data = b"[" * 20 + b",".join([b'{"abcdefgh":1}'] * 50_000) + b"]" * 20
    with pytest.raises(FrameError, match="too deep"):
        decoded(data)

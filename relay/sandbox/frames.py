"""What goes over a child's stdin and stdout: 4 bytes of length, big-endian, and that much JSON.

To the child                               From the child
  {type: call, id, message}                  {type: ready}
  {type: reply, rid, value | error}          {type: ok, id, value}
  {type: cancel, id}                         {type: error, id, error}
  {type: ping, id}                           {type: http, id, rid, value}
                                             {type: pong, id}
`id` is the number of a call (of a ping in its answer), `rid` that of a request within the child.

A frame from the child is not trusted: its size is checked before it is read, its form before its value is looked
at. A large value takes long to decode (4 MiB of empty lists 120 ms), so that is done in slices. What makes even
cutting it up slow is refused: a large value of parts so small that no event or request looks like that.
"""

import asyncio
from collections.abc import Iterator
from typing import Any, Literal

import msgspec
import orjson

from relay.sandbox.errors import Report, TooLarge

HEADER = 4
SLICE_BYTES = 128 * 1024  # decoded without letting others go first: half as many values at most, 5 ms
DENSE = 4  # bytes a part: a large value whose parts take less on average is refused (CSV is one string)
LARGE = 1024 * 1024
DEPTH = 8  # levels that are opened one by one: each looks at all that is in it again


class FrameError(Exception):
    """A child that does not keep to the form: nothing it says can be used."""


class Frame(msgspec.Struct, forbid_unknown_fields=True):
    """What a child says, its value not yet decoded."""

    type: Literal["ready", "ok", "error", "http", "pong"]
    id: int = 0
    rid: int = 0
    value: msgspec.Raw = msgspec.Raw(b"null")
    error: Report = Report()


_FRAMES = msgspec.json.Decoder(Frame)
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])


class Reader:
    """Puts frames together from whatever pieces arrive."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The frames that are complete now. Raises FrameError for one that would be over the limit."""
        self._buffer += data
        start = 0
        try:
            while len(self._buffer) - start >= HEADER:
                end = start + HEADER + int.from_bytes(self._buffer[start : start + HEADER], "big")
                if end - start - HEADER > self._max_bytes:
                    raise FrameError("too large")
                if end > len(self._buffer):
                    return
                frame = bytes(self._buffer[start + HEADER : end])
                start = end
                yield frame
        finally:
            del self._buffer[:start]


def encode(message: dict[str, Any], max_bytes: int) -> bytes:
    """`message` as a frame. Raises TooLarge."""
    body = orjson.dumps(message)
    if len(body) > max_bytes:
        raise TooLarge(len(body), max_bytes)
    return len(body).to_bytes(HEADER, "big") + body


def parse(data: bytes) -> Frame:
    """A frame from a child; its value is still to be decoded. Raises FrameError."""
    try:
        return _FRAMES.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise FrameError("not a frame") from error


async def decode(raw: msgspec.Raw) -> Any:
    """The value of a frame. Raises FrameError."""
    try:
        return await _decoded(bytes(raw))
    except (ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise FrameError("not JSON") from error


async def _decoded(data: bytes, depth: int = 0) -> Any:
    if len(data) <= SLICE_BYTES or _values(data) <= SLICE_BYTES // 2:
        return orjson.loads(data)
    if depth == DEPTH:
        raise FrameError("too many values, too deep")
    if _is_dense(data):
        raise FrameError("too many values")
    await asyncio.sleep(0)
    if data[:1] == b"{":
        return {key: await _decoded(bytes(value), depth + 1) for key, value in _OBJECT.decode(data).items()}
    if data[:1] == b"[":
        return await _array(_ARRAY.decode(data), depth + 1)
    return orjson.loads(data)


async def _array(items: list[msgspec.Raw], depth: int) -> list[Any]:
    """Its items decoded, as many at a time as make a slice."""
    result: list[Any] = []
    group: list[bytes] = []
    size = 0
    for item in map(bytes, items):
        if size + len(item) > SLICE_BYTES:
            result += orjson.loads(b"[" + b",".join(group) + b"]")
            group, size = [], 0
            await asyncio.sleep(0)
        if len(item) > SLICE_BYTES:
            result.append(await _decoded(item, depth))
        else:
            group.append(item)
            size += len(item) + 1
    result += orjson.loads(b"[" + b",".join(group) + b"]")
    return result


def _values(data: bytes) -> int:
    """How many there are at most: what looks like one in a string is counted too."""
    return data.count(b",") + data.count(b"[") + data.count(b"{")


def _is_dense(data: bytes) -> bool:
    most = len(data) // DENSE
    return len(data) > LARGE and _values(data) > most and _values(_without_strings(data)) > most


def _without_strings(data: bytes) -> bytes:
    return b"".join(data.replace(rb"\\", b"").replace(rb"\"", b"").split(b'"')[::2])

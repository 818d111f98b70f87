"""A worker in a Deno child, driven one call at a time; the vendor answers from a list."""

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import msgspec

from relay.destinations.bridge.worker import MODULES, SCRIPT, readable
from relay.sandbox.deno import binary, command
from relay.sandbox.frames import HEADER, encode
from relay.sandbox.limits import Limits

LIMITS = Limits(seconds=30, memory_bytes=1 << 30, rss_bytes=1 << 30, heap_mb=512)


class Answered(msgspec.Struct):
    """`value` is what the worker says in the end."""

    value: dict[str, Any]
    requests: list[dict[str, Any]]


class Child:
    """As relay runs it: no permission but to read the bundle, no environment."""

    def __init__(self, folder: Path) -> None:
        program = binary("the test")
        files = readable(folder)
        started = command(program, SCRIPT, LIMITS, modules=MODULES, readable=files, arguments=[str(folder)])
        self._process = subprocess.Popen(
            started, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert self.read() == {"type": "ready"}

    def call(self, message: dict[str, Any], replies: Iterable[dict[str, Any]] = ()) -> Answered:
        """One call from beginning to end; when `replies` are over, the vendor answers 200 `{}`."""
        left, requests = iter(replies), []
        self.write({"type": "call", "id": 1, "message": message})
        while (frame := self.read())["type"] == "http":
            requests.append(frame["value"])
            reply = next(left, None) or {"status": 200, "json": {}}
            self.write({"type": "reply", "id": 1, "rid": frame["rid"], "value": sent(reply)})
        assert frame["type"] == "ok", frame
        return Answered(frame["value"], requests)

    def write(self, frame: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(encode(frame, LIMITS.frame_bytes))
        self._process.stdin.flush()

    def read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        size = int.from_bytes(self._process.stdout.read(HEADER), "big")
        frame: dict[str, Any] = json.loads(self._process.stdout.read(size))
        return frame

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()  # closes stdin, at which it ends


def sent(reply: dict[str, Any]) -> dict[str, Any]:
    """A reply of the recordings, as relay gives it to a worker."""
    headers = dict(reply.get("headers") or {})
    if "text" in reply:
        return {"status": reply["status"], "headers": headers, "body": reply["text"]}
    headers.setdefault("content-type", "application/json")
    return {"status": reply["status"], "headers": headers, "body": json.dumps(reply.get("json", {}))}

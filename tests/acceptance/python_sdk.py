"""Sends the messages on stdin, one JSON object a line, with Segment's own SDK for Python.

A program of its own: the SDK works in threads, and a test wants to see the process end in peace.
Arguments: the host, the write key, and `gzip` or `plain`.
"""

import json
import re
import sys
from typing import Any

from segment.analytics import Client  # type: ignore[import-untyped]


def snake(name: str) -> str:
    """`messageId` is `message_id` to this SDK."""
    return re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), name)


def main(host: str, write_key: str, encoding: str) -> int:
    errors: list[Exception] = []

    def on_error(error: Exception, _items: Any) -> None:
        errors.append(error)

    client = Client(write_key, host=host, gzip=encoding == "gzip", on_error=on_error)
    for line in sys.stdin:
        message = json.loads(line)
        send = getattr(client, message.pop("type"))
        send(**{snake(name): value for name, value in message.items()})
    client.shutdown()
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

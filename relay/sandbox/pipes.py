"""A child's three pipes. What it writes is handed on as it comes; writing waits while it does not read."""

import asyncio
from collections.abc import Callable
from typing import cast

UNSENT_BYTES = 1024 * 1024  # in relay's memory for a child that does not read
HEAD_BYTES = 1024  # of stderr: the launcher's line
TAIL_BYTES = 4096  # of stderr: how a process says what it died of
WORDS = 500  # characters of it that are shown


class Pipes(asyncio.SubprocessProtocol):
    """`took` is given what comes from stdout, `ended` called when the process is no more and all is read."""

    def __init__(self, took: Callable[[bytes], None], ended: Callable[[], None]) -> None:
        self._took = took
        self._ended = ended
        self._transport: asyncio.SubprocessTransport
        self._writable = asyncio.Event()
        self.head = b""
        self.tail = b""
        self.pid = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.SubprocessTransport, transport)
        self.pid = self._transport.get_pid() or 0
        stdin = cast(asyncio.WriteTransport, self._transport.get_pipe_transport(0))
        stdin.set_write_buffer_limits(high=UNSENT_BYTES)
        self._writable.set()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd == 1:
            self._took(data)
            return
        self.head = (self.head + data)[:HEAD_BYTES]
        self.tail = (self.tail + data)[-TAIL_BYTES:]

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio's signature
        self._writable.set()
        self._transport.close()
        self._ended()

    @property
    def last_words(self) -> str:
        """What it said on stderr after the launcher's line. Not to be shown once it has seen an event."""
        lines = self.tail.decode("utf-8", "replace").splitlines()[1:]
        return " ".join(" ".join(lines).split())[:WORDS]

    @property
    def unsent(self) -> int:
        """Bytes that the kernel has not taken yet."""
        return 0 if self._stdin is None else self._stdin.get_write_buffer_size()

    async def write(self, data: bytes) -> None:
        """Hand `data` to the kernel, or to a buffer that is not yet full."""
        await self._writable.wait()
        while self.unsent > UNSENT_BYTES:
            await asyncio.sleep(0)  # uvloop calls `pause_writing` in its next turn, not at once
            await self._writable.wait()
        self.write_now(data)

    def write_now(self, data: bytes) -> None:
        """As `write`, for what is small and must not wait."""
        if self._stdin is not None:
            self._stdin.write(data)

    @property
    def _stdin(self) -> asyncio.WriteTransport | None:
        stdin = cast(asyncio.WriteTransport | None, self._transport.get_pipe_transport(0))
        return None if stdin is None or stdin.is_closing() else stdin

    def kill(self) -> None:
        if self._transport.get_returncode() is None:
            self._transport.kill()

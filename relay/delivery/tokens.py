"""OAuth tokens in the state database: encrypted when there is a key, and on the disk before anybody uses them.

A vendor may take back a refresh token as soon as it has given the next one, so the one that is stored must never
be older than the one in use.
"""

import asyncio

import msgspec

from relay.delivery.seal import Seal, Unreadable
from relay.destinations.oauth import Tokens
from relay.log.state import SQL, State

NO_KEY = "the stored token is encrypted and there is no encryption_key: set it, or log in again"
WRONG_KEY = "the stored token cannot be read with this encryption_key: log in again"


class CannotRead(Exception):
    """There are tokens, and they cannot be read. The message says why."""


class TokenStore:
    """Reads and writes the table `tokens`. `encryption_key` None: they are kept as they are."""

    def __init__(self, state: State, encryption_key: str | None) -> None:
        self._state = state
        self._seal = None if encryption_key is None else Seal(encryption_key)

    async def read(self, account: str) -> Tokens | None:
        """What is stored, None when nothing is. Raises CannotRead, and sqlite3.Error."""
        row = await self._state.read(lambda c: c.execute(SQL["tokens"], (account,)).fetchone())
        if row is None:
            return None
        is_sealed, kept = row
        try:
            text = await asyncio.to_thread(self._opened, kept, account) if is_sealed else kept
            return msgspec.json.decode(text, type=Tokens)
        except (Unreadable, msgspec.DecodeError):
            raise CannotRead(WRONG_KEY) from None

    async def write(self, account: str, tokens: Tokens) -> None:
        """Store them, whatever was there. Raises sqlite3.Error."""
        row = await asyncio.to_thread(self._row, account, msgspec.json.encode(tokens))
        await self._state.write_through(lambda c: c.execute(SQL["set_tokens"], row) and None)

    async def forget(self, account: str) -> None:
        await self._state.write_through(lambda c: c.execute(SQL["forget_tokens"], (account,)) and None)

    async def seal_all(self) -> None:
        """Encrypt what was stored before there was a key."""
        if self._seal is None:
            return
        plain = await self._state.read(lambda c: c.execute(SQL["plain_tokens"]).fetchall())
        rows = [await asyncio.to_thread(self._row, account, kept) for account, kept in plain]
        if rows:
            await self._state.write_through(lambda c: c.executemany(SQL["set_tokens"], rows) and None)

    def _row(self, account: str, text: bytes) -> tuple[str, bool, bytes]:
        if self._seal is None:
            return account, False, text
        return account, True, self._seal.seal(text, account)

    def _opened(self, kept: bytes, account: str) -> bytes:
        if self._seal is None:
            raise CannotRead(NO_KEY)
        return self._seal.open(kept, account)

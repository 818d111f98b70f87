"""How a request to a destination that one logs in to gets its token."""

from typing import Protocol

from relay.destinations.base import Request
from relay.destinations.reply import Reply


class Credentials(Protocol):
    """The token of one destination. Where there is none, a reply stands for the answer that nobody was asked for."""

    async def signed(self, request: Request) -> Request | Reply:
        """The request with the token in force."""

    async def renewed(self, request: Request, refused: Request) -> Request | Reply:
        """The same with another token, after `refused` was answered with 401."""

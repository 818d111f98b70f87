"""A receiver that looks at what it is told before it answers, and counts how much it is told at once."""

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import web

from tests.receiver import Receiver, Reply

Rule = Callable[[bytes], Reply | None]


class Choosy(Receiver):
    """`rule` gives the answer to a body, or None: then the script and the default do, as ever."""

    def __init__(self, rule: Rule = lambda _: None, expects: set[tuple[str, str]] | None = None) -> None:
        super().__init__(expects)
        self.rule = rule
        self.text: str = "{}"  # of every answer
        self.active = 0
        self.most_active = 0
        self.wakes: Callable[[], bool] = lambda: True  # hold every answer back until this holds
        self._turn = asyncio.Condition()

    def _may_answer(self) -> bool:
        return self.wakes()

    async def let_go(self) -> None:
        """Answer those that are held back."""
        self.wakes = lambda: True
        async with self._turn:
            self._turn.notify_all()

    async def _answer(self, request: web.Request) -> web.Response:
        self.active += 1
        self.most_active = max(self.most_active, self.active)
        try:
            body = await request.read()
            async with self._turn:
                self._turn.notify_all()
                await self._turn.wait_for(self._may_answer)
            await self._gate.wait()
            if self._is_stopping and request.transport is not None:
                request.transport.abort()
                return web.Response()
            status, headers = self.rule(body) or self._next_answer(request)
            await self._remember(request, body, status)
            return web.Response(text=self.text, status=status, headers=headers)
        finally:
            self.active -= 1


def failing_for(word: str, status: int = 500) -> Rule:
    """A rule: `status` for every body that has `word` in it."""
    return lambda body: (status, {}) if word.encode() in body else None


def ids_of(bodies: list[Any]) -> list[str]:
    """The messageIds of events, in order."""
    return [body["messageId"] for body in bodies]

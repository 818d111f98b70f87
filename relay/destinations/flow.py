"""Walking a flow, whether it is a plain generator or one that waits for somebody between its requests.

A destination's own flows are plain generators: pure, and tried without an event loop. Those that run in a child
process are async generators, which cannot return: they end by raising `Ended`.
"""

from collections.abc import AsyncGenerator, Generator
from typing import Any

from relay.destinations.base import Request, Results, Steps
from relay.destinations.errors import HttpError
from relay.destinations.reply import Answer, Reply

AsyncSteps = AsyncGenerator[Request, Reply]


class Ended(Exception):
    """A flow has ended. `results`: one for each event, None when all share a good end."""

    def __init__(self, results: Results | None) -> None:
        super().__init__()
        self.results = results


async def begin(steps: Steps | AsyncSteps) -> Request:
    """The first request. Raises `Ended`, and what the flow raises."""
    try:
        return next(steps) if isinstance(steps, Generator) else await anext(steps)
    except StopIteration as stop:
        raise Ended(stop.value) from None
    except StopAsyncIteration:
        raise Ended(None) from None


async def go_on(steps: Steps | AsyncSteps, reply: Reply) -> Request:
    """The request after `reply`: an answer other than 2xx is thrown into the flow."""
    is_good = reply.answer is Answer.DELIVERED
    try:
        if isinstance(steps, Generator):
            return steps.send(reply) if is_good else steps.throw(HttpError(reply))
        return await (steps.asend(reply) if is_good else steps.athrow(HttpError(reply)))
    except StopIteration as stop:
        raise Ended(stop.value) from None
    except StopAsyncIteration:
        raise Ended(None) from None


async def leave(steps: Steps | AsyncSteps | Any) -> None:
    """Give a flow up, wherever it stands."""
    if isinstance(steps, Generator):
        steps.close()
    elif steps is not None:
        await steps.aclose()

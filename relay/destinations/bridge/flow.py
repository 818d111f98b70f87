"""One call of the package as a flow: its requests come out one by one, and what it made of the answers is the end."""

import asyncio
from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
import orjson

from relay.destinations.actions import ActionDestination
from relay.destinations.base import Destination, Request, Results
from relay.destinations.bridge.catalogue import Bridged
from relay.destinations.bridge.errors import NoPlace
from relay.destinations.errors import Busy, DeliveryError, HttpError, Refused, of_status
from relay.destinations.flow import AsyncSteps, Ended
from relay.destinations.reply import Answer, Reply
from relay.destinations.slack import HOST as SLACK
from relay.destinations.slack import key_in
from relay.event import Event
from relay.sandbox.errors import Crashed, NotInstalled, Reason, SandboxError, TimedOut

if TYPE_CHECKING:
    from relay.destinations.bridge.runtime import Runtime, Tokens

INVALID = "PAYLOAD_VALIDATION_FAILED"
UNAUTHORIZED = 401
_HIDDEN = frozenset(("authorization", "Authorization", "x-api-key", "X-Api-Key", "api-key", "cookie"))
_RETRYABLE = frozenset(("RetryableError", "RequestTimeoutError", "TimeoutError", "RequestClientError"))


class Job:
    """What every call for one subscription says."""

    def __init__(
        self, declared: Bridged, settings: ActionDestination, action: str, mapping: Mapping[str, Any]
    ) -> None:
        self.declared = declared
        self.settings = plain(settings)
        self.action = action
        self.mapping = mapping
        self._subscription = orjson.Fragment(orjson.dumps({"partnerAction": action, "mapping": mapping}))

    def message(self, events: Sequence[Event], *, is_batch: bool) -> dict[str, Any]:
        """As the worker takes it."""
        said: dict[str, Any] = {
            "op": "batch" if is_batch else "event",
            "type": self.declared.type,
            "settings": self.settings,
            "subscription": self._subscription,
        }
        raw = [orjson.Fragment(event.json) for event in events]
        return said | ({"events": raw} if is_batch else {"event": raw[0]})


async def job(
    said: Job,
    events: Sequence[Event],
    runtime: "Runtime | None",
    tokens: "Tokens | None",
    *,
    is_batch: bool,
) -> AsyncSteps:
    """Deliver `events`; the flow of a parcel."""
    if runtime is None:
        raise _nobody("Segment's own destinations are not installed")
    message = said.message(events, is_batch=is_batch)
    talk = Talk(runtime, message, said.declared, tokens)
    try:
        await talk.begin()
        while (request := await talk.asked()) is not None:
            try:
                reply = yield request
            except HttpError as error:
                reply = error.reply
            talk.answer(reply)
        answer = talk.result()
    finally:
        await talk.leave()
    raise Ended(_results(answer, talk.last, len(events)))


async def credentials_test(
    declared: Bridged, settings: Destination, runtime: "Runtime", tokens: "Tokens | None"
) -> AsyncSteps:
    """The package's own test of the credentials. Ends, or raises why they are no good."""
    message = {"op": "test", "type": declared.type, "settings": plain(settings)}
    talk = Talk(runtime, message, declared, tokens)
    try:
        await talk.begin()
        while (request := await talk.asked()) is not None:
            try:
                reply = yield request
            except HttpError as error:
                reply = error.reply
            talk.answer(reply)
        answer = talk.result()
    finally:
        await talk.leave()
    _results(answer, talk.last, 1)


class Talk:
    """A call that is under way, and what it asks for."""

    def __init__(
        self, runtime: "Runtime", message: dict[str, Any], declared: Bridged, tokens: "Tokens | None"
    ) -> None:
        self.last: Reply | None = None
        self._runtime = runtime
        self._message = message
        self._declared = declared
        self._tokens = tokens
        self._asked: asyncio.Queue[tuple[dict[str, Any], asyncio.Future[dict[str, Any]]] | None] = (
            asyncio.Queue()
        )
        self._answer: asyncio.Future[dict[str, Any]] | None = None
        self._task: asyncio.Task[dict[str, Any]] | None = None

    async def begin(self) -> None:
        """Start the call. Raises Busy when there is no token."""
        self._task = asyncio.create_task(
            self._runtime.call(self._message, self._declared, self._tokens, self._http), name="bridge"
        )
        self._task.add_done_callback(lambda _: self._asked.put_nowait(None))

    async def _http(self, asked: dict[str, Any]) -> dict[str, Any]:
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._asked.put_nowait((asked, future))
        return await future

    async def asked(self) -> Request | None:
        """The next request; None when the call is over."""
        item = await self._asked.get()
        if item is None:
            return None
        asked, self._answer = item
        return request_of(asked)

    def answer(self, reply: Reply) -> None:
        """What the request was answered."""
        self.last = reply
        if self._answer is None or self._answer.done():
            return
        if reply.status is None:
            self._answer.set_exception(Busy(reply.text, reply.reason))
        else:
            self._answer.set_result(reply_of(reply))

    def result(self) -> dict[str, Any]:
        """What the call came to. Raises what is to be done about a child that did not answer."""
        assert self._task is not None
        try:
            return self._task.result()
        except (NotInstalled, NoPlace) as error:
            raise _nobody(str(error)) from None
        except TimedOut as error:
            raise Busy(str(error), "ETIMEDOUT") from None
        except Crashed as error:
            if error.reason is Reason.STOPPED:  # by relay itself: this was not the call's fault
                raise _nobody(str(error)) from None
            raise HttpError(Reply(500, "", 0.0, f"the child ended: {error.reason}", is_ours=True)) from None
        except SandboxError as error:
            raise Refused(str(error), "BRIDGE") from None

    async def leave(self) -> None:
        """Give the call up if it is not over."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])


def plain(settings: Destination) -> dict[str, Any]:
    """Settings as the package takes them."""
    return {name: value for name, value in msgspec.to_builtins(settings).items() if value is not None}


def reply_of(reply: Reply) -> dict[str, Any]:
    """An answer of the vendor, as the worker takes it."""
    return {"status": reply.status, "headers": reply.headers, "body": reply.text}


def _nobody(why: str) -> HttpError:
    """Nobody could be asked: the destination is held until somebody can."""
    return HttpError(Reply(None, "", 0.0, why))


def request_of(asked: Mapping[str, Any]) -> Request:
    """What the worker asks for, as relay sends it."""
    body = asked.get("body")
    data = b64decode(asked["bodyBase64"]) if "bodyBase64" in asked else (body or "").encode()
    url = str(asked["url"])
    hidden = key_in(url) if urlsplit(url).hostname == SLACK else ()
    return Request(str(asked["method"]), url, dict(asked.get("headers") or {}), data, _HIDDEN, hidden)


def _results(answer: Mapping[str, Any], last: Reply | None, events: int) -> Results | None:
    """One for each event of a batch. Raises the error of a call that failed as a whole."""
    if error := answer.get("error"):
        raise _error(error, last)
    listed = answer.get("multistatus")
    if listed is None:
        return None
    results = [_of_event(one, last) for one in listed]
    return results + [HttpError(Reply(500, "no result", 0.0))] * (events - len(results))


def _of_event(said: Mapping[str, Any], last: Reply | None) -> DeliveryError | None:
    status, message = int(said.get("status") or 500), str(said.get("errormessage") or "")
    code = said.get("errortype")
    if code == INVALID:
        return Refused(message, INVALID, status=status)
    error = of_status(status, message, None if code is None else str(code))
    if error is not None and last is not None and last.status == status:
        error.reply.retry_after = last.retry_after
    return error


def _error(said: Mapping[str, Any], last: Reply | None) -> DeliveryError:
    """What a refusal in the package's words means for the events."""
    message, name = str(said.get("message", "")), str(said.get("name", "Error"))
    status = said.get("status")
    if last is not None and last.answer is not Answer.DELIVERED and status in (None, last.status):
        return HttpError(last)  # the vendor's answer, or that there was none, in its own words
    code = INVALID if name == "AggregateAjvError" else str(said.get("code") or name)  # fields that do not fit
    if name in _RETRYABLE:
        return Busy(message, code)
    if not isinstance(status, int):
        return Refused(message, code, fields=tuple(said.get("fields") or ()))
    error = of_status(status, message, code)
    if error is not None and not error.is_final:
        error.reply.retry_after = None if last is None else last.retry_after
        return error
    return Refused(message, code, status=status, fields=tuple(said.get("fields") or ()))

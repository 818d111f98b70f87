"""Runs a destination's flows against an invented vendor that answers each request as it comes."""

import json
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import msgspec

from relay.destinations import CATALOGUE
from relay.destinations.actions import ActionDestination, Subscription
from relay.destinations.actions.route import ActionRoute
from relay.destinations.base import Request
from relay.destinations.errors import DeliveryError
from relay.destinations.reply import Reply
from relay.destinations.tried import run
from tests.destinations.events import event

Answer = Callable[[Request], Reply]
TRIES = 12  # more than any flow needs


class Outcome(msgspec.Struct):
    """`errors`: what became of each event that was sent, in order; None: delivered."""

    requests: list[Request]
    errors: list[DeliveryError | None]


def reply(body: Any = None, status: int = 200) -> Reply:
    return Reply(status, json.dumps({} if body is None else body))


def good(_: Request) -> Reply:
    return reply()


def route_of(
    kind: str, settings: dict[str, Any], *subscriptions: tuple[str, str, dict[str, Any] | None]
) -> ActionRoute:
    """Subscriptions as (action, FQL, mapping); without any: the presets."""
    made = msgspec.convert(settings, CATALOGUE[kind])
    assert isinstance(made, ActionDestination)
    said = [Subscription(action, subscribe, mapping) for action, subscribe, mapping in subscriptions]
    return ActionRoute(made, said or made.preset_subscriptions(), now=lambda: 1_772_452_800.0)


def drive(
    route: ActionRoute, *events: dict[str, Any], answer: Answer = good, is_batch: bool = False
) -> Outcome:
    """Send events, once."""
    outcome = Outcome([], [])
    made = [event(data, place + 1) for place, data in enumerate(events)]
    for parcel in route.parcels(made, is_batch=is_batch):
        replies = (answer(outcome.requests[-1]) for _ in count())
        results = run(parcel, replies, outcome.requests)
        if isinstance(results, Sequence):
            outcome.errors.extend(results)
        else:
            outcome.errors.extend([results] * len(parcel.events))
    return outcome


def deliver(route: ActionRoute, *events: dict[str, Any], answer: Answer, is_batch: bool = False) -> Outcome:
    """Send events, and those that failed for now again, as delivery does."""
    requests: list[Request] = []
    left, final = list(events), list[DeliveryError | None]()
    for _ in range(TRIES):
        outcome = drive(route, *left, answer=answer, is_batch=is_batch)
        requests.extend(outcome.requests)
        final.extend(error for error in outcome.errors if error is None or error.is_final)
        left = [
            data
            for data, error in zip(left, outcome.errors, strict=True)
            if error is not None and not error.is_final
        ]
        if not left:
            return Outcome(requests, final)
    raise AssertionError("still busy")


class Troubled:
    """A vendor that is busy once, at the `at`-th request: `lost` when it did what was asked all the same."""

    def __init__(self, answer: Answer, at: int, *, lost: bool) -> None:
        self._answer, self._at, self._lost = answer, at, lost
        self.asked = 0

    def __call__(self, request: Request) -> Reply:
        self.asked += 1
        if self.asked - 1 != self._at:
            return self._answer(request)
        if self._lost:
            self._answer(request)
        return reply(status=503)


def body(request: Request) -> Any:
    return json.loads(request.body)


def lines(outcome: Outcome) -> list[str]:
    """What was asked, without the host."""
    return [f"{one.method} /{one.url.split('/', 3)[3]}" for one in outcome.requests]

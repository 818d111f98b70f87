"""A vendor of any kind: a real HTTP server that knows the requests it may be asked, answers them, and counts events.

`doors` are these requests; any other fails the test at the end. The answer to one is, in this order: what the test
said before, a refusal of the events in `refuses`, and what the vendor's own `world` says when all is well. An event is
known by its messageId, `m-<number>`, wherever in the body or the URL it stands; `counts` holds how often each was taken.
"""

import json
import re
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from aiohttp import web

from tests.receiver import Received, Receiver

_ID = re.compile(rb"m-\d+")


class Door(NamedTuple):
    """A request the vendor may be asked; `path` is a regular expression for path and query.

    `takes`: with a good answer the events in it have arrived, else it only prepares that. `is_usual`: it is asked for
    when nothing goes wrong.
    """

    method: str
    path: str
    takes: bool = False
    is_usual: bool = True


class Asked(NamedTuple):
    """A request. `refused`: those of its events that the vendor does not want."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    ids: Sequence[str]
    refused: frozenset[str] = frozenset()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Said(msgspec.Struct, frozen=True):
    """An answer; `body` is JSON, or text as it is. `taken`: the events that arrived, where it is not all or none."""

    status: int = 200
    body: Any = msgspec.field(default_factory=dict)
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    taken: frozenset[str] | None = None

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300


World = Callable[[Asked], Said]


class Vendor(Receiver):
    """`partial` words the answer to a request with events in `refuses`."""

    def __init__(self, doors: Sequence[Door], world: World, partial: World) -> None:
        super().__init__()
        self.refuses: frozenset[str] = frozenset()
        self.sizes: list[int] = []  # of every request: its events
        self._doors = doors
        self._world = world
        self._partial = partial
        self._used: Counter[Door] = Counter()
        self._next: deque[Said] = deque()
        self._next_takings: deque[Said] = deque()
        self._first: Said | None = None
        self._only: Said | None = None

    def says(self, *answers: Said) -> None:
        """The next answers, whatever is asked."""
        self._next.extend(answers)

    def says_to_events(self, *answers: Said) -> None:
        """The next answers to requests by which events arrive."""
        self._next_takings.extend(answers)

    def stumbles(self, answer: Said) -> None:
        """The first answer at each door."""
        self._first = answer

    def insists(self, answer: Said) -> None:
        """The answer to everything from now on."""
        self._only = answer

    @property
    def unused(self) -> list[Door]:
        """The usual doors that nobody came to."""
        return [door for door in self._doors if door.is_usual and not self._used[door]]

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self._is_stopping and request.transport is not None:
            request.transport.abort()
            return web.Response()
        found = _ID.findall(request.raw_path.encode() + b" " + body)
        ids = tuple(dict.fromkeys(one.decode() for one in found))
        headers = dict(request.headers)
        refused = self.refuses.intersection(ids)
        said, taken = self._said(Asked(request.method, request.raw_path, headers, body, ids, refused))
        async with self._changed:
            self.requests.append(Received(request.method, request.raw_path, headers, body, None, said.status))
            self.sizes.append(len(ids))
            self.counts.update(taken)
            self._changed.notify_all()
        text = said.body if isinstance(said.body, str) else json.dumps(said.body)
        return web.Response(
            text=text, status=said.status, headers=said.headers, content_type="application/json"
        )

    def _said(self, asked: Asked) -> tuple[Said, Sequence[str] | frozenset[str]]:
        """The answer, and the events that arrived by it."""
        door = self._door(asked)
        if door is None:
            self._unexpected.append(f"{asked.method} {asked.path}")
            return Said(404), ()
        said = self._scripted(door)
        if said is None:
            is_refusal = asked.refused and door.takes
            said = self._partial(asked) if is_refusal else self._world(asked)
        if said.taken is not None:
            return said, said.taken
        return said, asked.ids if said.is_good and door.takes else ()

    def _door(self, asked: Asked) -> Door | None:
        for door in self._doors:
            if door.method == asked.method and re.fullmatch(door.path, asked.path):
                return door
        return None

    def _scripted(self, door: Door) -> Said | None:
        self._used[door] += 1
        if self._only is not None:
            return self._only
        if self._next:
            return self._next.popleft()
        if self._next_takings and door.takes:
            return self._next_takings.popleft()
        return self._first if self._used[door] == 1 else None

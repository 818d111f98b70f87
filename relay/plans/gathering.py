"""What was seen of one property (trait, item, object) over many events, in bounded memory: counts and small sketches.

A value that was seen is never kept but in two places: a few distinct texts, as long as there are few, and two examples.
"""

from typing import Any

from relay.plans.looks import FORMATS, MAX_KEPT, is_presentable

MAX_PLACES = (
    30_000  # of one inference, all properties of all events together: 150 MB if each is as large as can be
)
MAX_NAMES = 200  # of one object; more are values in the place of names
MAX_NAME = 100  # characters of a name
MAX_DEPTH = 4  # names inside each other
MAX_DISTINCT = 20  # texts that are counted one by one
MAX_EXAMPLES = 2
MAX_TRIES = 50  # values among which examples are looked for


class Room:
    """How many more places there may be."""

    def __init__(self, places: int = MAX_PLACES) -> None:
        self.left = places


class Values:
    """The values of one place. `observe` costs a third of a microsecond a value."""

    __slots__ = ("depth", "examples", "formats", "items", "others", "properties", "room", "texts", "types")

    def __init__(self, room: Room, depth: int = 0) -> None:
        room.left -= 1
        self.room = room
        self.depth = depth
        self.types: dict[type, int] = {}
        self.texts: dict[str, int] | None = {}  # None: too many, or too long
        self.formats = FORMATS  # those that every text has
        self.examples: list[Any] = []
        self.properties: dict[str, Values] = {}
        self.others = 0  # names that there was no room for, as often as they were seen
        self.items: Values | None = None

    @property
    def count(self) -> int:
        return sum(self.types.values())

    def observe(self, value: Any) -> None:
        kind = type(value)
        try:
            self.types[kind] += 1
        except KeyError:
            self.types[kind] = 1
        if kind is str:
            self._text(value)
        elif kind is dict:
            self._object(value)
        elif kind is list:
            self._array(value)
        elif (kind is int or kind is float) and len(self.examples) < MAX_EXAMPLES:
            self._exemplify(value, kind)

    def _exemplify(self, value: Any, kind: type) -> None:
        if self.types[kind] <= MAX_TRIES and value not in self.examples and is_presentable(value):
            self.examples.append(value)

    def _text(self, value: str) -> None:
        texts = self.texts
        if texts is not None:
            if value in texts:
                texts[value] += 1
                return
            if len(texts) < MAX_DISTINCT and len(value) <= MAX_KEPT:
                texts[value] = 1
            else:
                self.texts = None
        if self.formats:
            self.formats = tuple([one for one in self.formats if one[1](value)])
        if len(self.examples) < MAX_EXAMPLES:
            self._exemplify(value, str)

    def _object(self, value: dict[str, Any]) -> None:
        if self.depth >= MAX_DEPTH:
            return
        properties = self.properties
        for name, inner in value.items():
            if name in properties:
                properties[name].observe(inner)
            elif (place := self._new(name)) is not None:
                place.observe(inner)

    def _new(self, name: str) -> "Values | None":
        if (
            len(self.properties) >= MAX_NAMES
            or len(name) > MAX_NAME
            or "@" in name  # an address in the place of a name
            or self.room.left <= 0
        ):
            self.others += 1
            return None
        place = self.properties[name] = Values(self.room, self.depth + 1)
        return place

    def _array(self, value: list[Any]) -> None:
        if self.items is None:
            if self.room.left <= 0 or self.depth > MAX_DEPTH:
                return
            # items are as deep as their list, but for lists in lists
            self.items = Values(self.room, self.depth)
        observe = self.items.observe
        for item in value:
            if type(item) is list:
                self.items.types[list] = (
                    self.items.types.get(list, 0) + 1
                )  # lists in lists: nobody looks into them
            else:
                observe(item)

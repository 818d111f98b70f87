"""On which line each key of a TOML text stands: `tomllib` does not tell.

The text has been through `tomllib` already, so this walk need not notice mistakes. A place is the path to
a value: `("sources", 1, "write_key")` is the `write_key` of the second `[[sources]]`, however it is
written: as a table, a dotted key or an inline table.
"""

import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterator

Place = tuple[str | int, ...]
_Found = Iterator[tuple[Place, int]]

_SPACE = re.compile(r"[ \t]*")
_GAP = re.compile(r"(?:[ \t\n]|#[^\n]*)*")  # everything between two statements or two items of an array
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_STRING = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"""(?:"{0,2})'
    r"|'''(?:[^']|'(?!''))*'''(?:'{0,2})"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}#\n]*")


class Lines:
    """The line of every place; a place that is not written down has the line of what would hold it."""

    def __init__(self, text: str) -> None:
        self._of: dict[Place, int] = {(): 1}
        written = list(_walk(text))
        for place, line in written:
            self._of.setdefault(place, line)
        for place, line in written:  # `a.b = 1` brings `a` about, unless `[a]` is written somewhere
            for length in range(1, len(place)):
                self._of.setdefault(place[:length], line)

    def __getitem__(self, place: Place) -> int:
        while place not in self._of:
            place = place[:-1]
        return self._of[place]


def _walk(text: str) -> _Found:
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    for place, position in _Walk(text).document():
        yield place, bisect_right(starts, position)


class _Walk:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._counts: dict[Place, int] = {}  # how many [[tables]] of this name have begun

    def document(self) -> _Found:
        table: Place = ()
        self._skip(_GAP)
        while self._at < len(self._text):
            start = self._at
            if self._text[start] == "[":
                table = self._header()
                yield table, start
            else:
                yield from self._pair(table)
            self._skip(_GAP)

    def _header(self) -> Place:
        is_array = self._text.startswith("[[", self._at)
        self._at += 2 if is_array else 1
        *above, last = self._key()
        self._at += 2 if is_array else 1
        place: Place = ()
        for part in above:
            place = self._newest((*place, part))
        place = (*place, last)
        if is_array:
            self._counts[place] = self._counts.get(place, 0) + 1
            place = self._newest(place)
        return place

    def _newest(self, place: Place) -> Place:
        count = self._counts.get(place)
        return place if count is None else (*place, count - 1)

    def _key(self) -> list[str]:
        parts: list[str] = []
        while True:
            self._skip(_SPACE)
            raw = self._take(_KEY)
            parts.append(next(iter(tomllib.loads(f"{raw}=0"))))
            self._skip(_SPACE)
            if not self._text.startswith(".", self._at):
                return parts
            self._at += 1

    def _pair(self, table: Place) -> _Found:
        start = self._at
        place = (*table, *self._key())
        yield place, start
        self._at += 1  # the equals sign
        yield from self._value(place)

    def _value(self, place: Place) -> _Found:
        self._skip(_SPACE)
        match self._text[self._at]:
            case "[":
                yield from self._array(place)
            case "{":
                yield from self._inline_table(place)
            case '"' | "'":
                self._skip(_STRING)
            case _:
                self._skip(_SCALAR)

    def _array(self, place: Place) -> _Found:
        for index in self._items("]"):
            yield (*place, index), self._at
            yield from self._value((*place, index))

    def _inline_table(self, place: Place) -> _Found:
        for _ in self._items("}"):
            yield from self._pair(place)

    def _items(self, end: str) -> Iterator[int]:
        self._at += 1  # the bracket
        index = 0
        while True:
            self._skip(_GAP)
            if self._text[self._at] == end:
                break
            yield index
            index += 1
            self._skip(_GAP)
            if self._text[self._at] == ",":
                self._at += 1
        self._at += 1

    def _skip(self, pattern: re.Pattern[str]) -> None:
        self._take(pattern)

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:  # pragma: no cover  tomllib would have refused the text
            raise ValueError("not TOML")
        self._at = match.end()
        return match[0]

"""What a filter is made of. Operators are calls too: `a = "x"` is `=` of a path and a literal."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Literal:
    position: int
    value: Any  # a text, a number, a truth, None, or a list of such


@dataclass(frozen=True, slots=True)
class Path:
    position: int
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Items:
    """A list with a path or a call in it."""

    position: int
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Call:
    position: int
    name: str
    arguments: tuple["Node", ...]


Node = Literal | Path | Items | Call

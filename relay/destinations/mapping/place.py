"""Where in a mapping the compiler is, and the error that says so."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from relay.errors import RelayError

MAX_DEPTH = 100  # a bound, so that compiling and running stay within the interpreter's stack

Run = Callable[[Any], Any]  # one compiled part: from the event (or an item of it) to a value


class MappingError(RelayError):
    """A mapping that cannot work. `path` is where in the mapping, as in `$.properties.name`."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason

    def __reduce__(self) -> tuple[type["MappingError"], tuple[str, str]]:
        return MappingError, (self.path, self.reason)


class Gaps(Enum):
    """What objects and lists do with a missing value.

    A result never shows one. Inside some directives it still has to be told from null: in `@merge` it
    removes a key, in a list that `@flatten` spreads it is no entry at all.
    """

    CLOSE = "objects leave it out, lists show null"
    IN_LISTS = "objects leave it out, lists keep it"
    KEEP = "objects and lists keep it"


@dataclass(frozen=True, slots=True)
class Place:
    """A node of the mapping being compiled: where it is and how its missing values are treated."""

    compiler: Callable[[Any, "Place"], Run]
    path: str = "$"
    depth: int = 0
    gaps: Gaps = Gaps.CLOSE

    def at(self, key: str | int) -> "Place":
        """The place of the child `key`."""
        if self.depth == MAX_DEPTH:
            raise self.error(f"nested deeper than {MAX_DEPTH} levels")
        step = f"[{key}]" if isinstance(key, int) else f".{key}"
        return replace(self, path=self.path + step, depth=self.depth + 1)

    def with_gaps(self, gaps: Gaps) -> "Place":
        """The same place under another treatment of missing values."""
        return replace(self, gaps=gaps)

    def compile(self, node: Any, key: str | int) -> Run:
        """The child `node`, found under `key`, compiled."""
        return self.compiler(node, self.at(key))

    def error(self, reason: str) -> MappingError:
        """A `MappingError` for this place, to be raised."""
        return MappingError(self.path, reason)

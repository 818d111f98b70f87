"""From one table of relay.toml to checked values, collecting every mistake with its line.

msgspec stops at the first mistake, so keys are converted one by one. What a value *was* never gets into a
sentence: it may be a token or come from the environment.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Literal, NamedTuple, get_args, get_origin

import msgspec

from relay.config_lines import Lines, Place
from relay.errors import ConfigError
from relay.times import Duration, Size

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$\{")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*?)`")
_ECHO = re.compile(r"(Invalid (?:enum )?value) (?:'.*'|[^ ]+)", re.DOTALL)

Unset = Callable[[Place, Iterable[str]], None]


class Problems:
    """Every mistake of one file, each with its line. `files`: which values stand in files of their own."""

    def __init__(self, file: str, lines: Lines) -> None:
        self._file = file
        self._lines = lines
        self._found: dict[tuple[int, str], None] = {}
        self._unset: set[Place] = set()
        self.files: dict[Place, str] = {}

    def add(self, place: Place, sentence: str) -> None:
        """Blame the value at `place`, unless it is incomplete anyway because a variable is not set."""
        if place not in self._unset:
            self.add_key(place, sentence)

    def add_key(self, place: Place, sentence: str) -> None:
        """Blame the key at `place`, whatever its value is."""
        self._found[self.line(place), sentence] = None

    def unset(self, place: Place, sentences: Iterable[str]) -> None:
        """Blame `place` for a text that cannot be completed; nothing else is said about it."""
        for sentence in sentences:
            self.add(place, sentence)
        self._unset.add(place)

    def line(self, place: Place) -> int:
        return self._lines[place]

    def file_of(self, place: Place) -> str:
        """The beginning of a sentence about a value that may stand in a file of its own."""
        return f"{self.files[place]}: " if place in self.files else ""

    def __len__(self) -> int:
        return len(self._found)

    def is_incomplete(self, place: Place) -> bool:
        """Whether a variable is missing in `place` or inside it."""
        return any(unset[: len(place)] == place for unset in self._unset)

    def check(self) -> None:
        """Raise what was found, in the order of the lines."""
        if self._found:
            found = sorted(self._found, key=lambda problem: problem[0])
            raise ConfigError(*(f"{self._file}:{line}: {sentence}" for line, sentence in found))


class Table(NamedTuple):
    """One table: the values of its keys, defaults included. Keys with a mistake, the misspelt too, are not in it."""

    place: Place
    values: dict[str, Any]

    def items(self, key: str) -> Iterable[tuple[Place, Any]]:
        """Yield the items of a list with the place of each, none when the key is wrong or not given."""
        for index, item in enumerate(self.values.get(key) or ()):
            yield (*self.place, key, index), item


def read_table(
    struct: type[msgspec.Struct],
    raw: Mapping[str, Any],
    place: Place,
    problems: Problems,
    *,
    word: str = "key",
) -> Table:
    """Check every key of `raw` by itself; `word` is what messages call a key."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    given = raw.keys() | {nearest(key, fields) for key in raw if key not in fields}
    values = {name: _default(field) for name, field in fields.items() if name not in given}
    for name in [name for name, value in values.items() if value is msgspec.NODEFAULT]:
        del values[name]
        problems.add(place, f"missing {word} `{name}`")
    for key, value in raw.items():
        where = (*place, key)
        if key in fields:
            try:
                values[key] = convert(value, fields[key].type)
            except msgspec.ValidationError as error:
                problems.add(where, _complain(error, key, value, fields[key].type))
        else:
            problems.add_key(where, f"unknown {word} `{key}`{suggestion(key, fields)}")
    return Table(place, values)


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


def _complain(error: msgspec.ValidationError, key: str, value: Any, kind: Any) -> str:
    options = " or ".join(f"`{option}`" for option in _options(kind))
    if options and isinstance(value, str):
        return f"Expected {options} - at `{key}`"
    unknown = _UNKNOWN.match(str(error))  # in a table inside the value
    near = nearest(unknown[1], _names_in(kind)) if unknown else None
    return explain(error, key) + (f", did you mean `{near}`?" if near else "")


def _names_in(kind: Any) -> Iterator[str]:
    """The keys of the tables that a value of this kind may hold."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        for field in msgspec.structs.fields(kind):
            yield field.encode_name
            yield from _names_in(field.type)
    for part in get_args(kind):
        yield from _names_in(part)


def convert(value: Any, kind: Any) -> Any:
    """`value` as a `kind`, durations and sizes included; `msgspec.ValidationError` when it is none."""
    return msgspec.convert(value, kind, dec_hook=_parse)


def _parse(kind: type, value: Any) -> Any:
    if kind is Duration or kind is Size:
        return kind(value)
    raise NotImplementedError


def _options(kind: Any) -> tuple[Any, ...]:
    if get_origin(kind) is Literal:
        return get_args(kind)
    return tuple(option for part in get_args(kind) for option in _options(part))


def explain(error: msgspec.ValidationError, key: str = "") -> str:
    """Repeat what msgspec says, without the value, and with the place as it is written in the file."""
    sentence, _, inside = str(error).partition(" - at `$")
    where = f"{key}{inside.rstrip('`')}".lstrip(".")
    return _ECHO.sub(r"\1", sentence) + (f" - at `{where}`" if where else "")


def suggestion(wrong: str, known: Iterable[str]) -> str:
    """End a sentence about an unknown name: the nearest known one, or all of them."""
    names = list(known)
    if near := nearest(wrong, names):
        return f", did you mean `{near}`?"
    return f"; known: {', '.join(names)}" if names else ""


def nearest(wrong: str, known: Iterable[str]) -> str | None:
    """Guess which known name is meant."""
    by_lower = {name.lower(): name for name in known}
    near = get_close_matches(wrong.lower(), by_lower, n=1)
    return by_lower[near[0]] if near else None


def expand(value: Any, environ: Mapping[str, str], place: Place, unset: Unset) -> Any:
    """`value` with every `${NAME}` in its texts replaced; what the environment says is taken literally.

    `unset` is told of a text that cannot be completed, which stays as it is.
    """
    if isinstance(value, dict):
        return {key: expand(item, environ, (*place, key), unset) for key, item in value.items()}
    if isinstance(value, list):
        return [expand(item, environ, (*place, index), unset) for index, item in enumerate(value)]
    if not isinstance(value, str) or "${" not in value:
        return value
    complaints = [_complaint(match[1], environ) for match in _VARIABLE.finditer(value)]
    if sentences := [sentence for sentence in complaints if sentence]:
        unset(place, sentences)
        return value
    return _VARIABLE.sub(lambda match: environ[match[1]], value)


def _complaint(name: str | None, environ: Mapping[str, str]) -> str | None:
    if name is None:
        return "`${` must be followed by the name of an environment variable and `}`"
    return None if name in environ else f"the environment variable `{name}` is not set"

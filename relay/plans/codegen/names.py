"""Names in code for whatever a plan calls things: the same for the same plan, and each its own.

A text is cut into words. Names that would be the same for two things get a part of a hash of what they name, both of
them: so a name never passes from one thing to another when the plan grows.
"""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

MAX_LENGTH = 80  # of a name, without its hash; nobody reads further

_HUMPS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[a-z][0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_CATEGORIES = frozenset(("Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Nd"))
_LAST = "\uffff"  # beyond it languages know more letters or fewer, depending on their age

Style = Callable[[list[str]], str]


def snake(words: list[str]) -> str:
    return "_".join(word.lower() for word in words)


def pascal(words: list[str]) -> str:
    return "".join(word[:1].upper() + word[1:].lower() for word in words)


def camel(words: list[str]) -> str:
    return "".join([*(word.lower() for word in words[:1]), pascal(words[1:])])


def named(
    things: Mapping[str, Iterable[str]], style: Style, reserved: Iterable[str], prefix: str
) -> dict[str, str]:
    """A name for each thing, by the id it has here, of the texts given. `prefix` is for what begins with no letter."""
    taken = frozenset(reserved)
    wanted = {id_: _identifier(texts, style, taken, prefix) for id_, texts in things.items()}
    count = Counter(wanted.values())
    used = {name for name, n in count.items() if n == 1} | taken
    return {id_: name if count[name] == 1 else _unique(name, id_, used) for id_, name in wanted.items()}


def _unique(name: str, id_: str, used: set[str]) -> str:
    digest = hashlib.sha256(id_.encode("utf-8", "surrogatepass")).hexdigest()
    length = next(n for n in range(4, len(digest)) if f"{name}_{digest[:n]}" not in used)
    made = f"{name}_{digest[:length]}"
    used.add(made)
    return made


def _identifier(texts: Iterable[str], style: Style, reserved: frozenset[str], prefix: str) -> str:
    first, *rest = (_words(text) for text in texts)
    words = [word for some in (first or [prefix], *rest) for word in some]
    name = _joined(style(words))
    if not name.isidentifier():
        name = _joined(style([prefix, *words]))
    return f"{name}_" if name in reserved else name


def _joined(text: str) -> str:
    return _readable(text).replace(" ", "")[:MAX_LENGTH]


def _words(text: str) -> list[str]:
    return [part for word in re.split(r"[\W_]+", _readable(text)) for part in _HUMPS.split(word) if part]


def _readable(text: str) -> str:
    """Only what both languages take for letters, in the form in which Python compares names."""
    text = unicodedata.normalize("NFKC", text)
    return unicodedata.normalize("NFKC", "".join(c if c == "_" or _is_of_names(c) else " " for c in text))


def _is_of_names(c: str) -> bool:
    return c <= _LAST and unicodedata.category(c) in _CATEGORIES and f"a{c}".isidentifier()

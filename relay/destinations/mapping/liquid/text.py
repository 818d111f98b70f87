"""The filters that change a text. What is no text is written out first."""

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus, unquote

from relay.destinations.mapping.javascript import WHITESPACE_AND_LINES
from relay.destinations.mapping.liquid.values import bounded, count, written

SPACE = f"[{re.escape(WHITESPACE_AND_LINES)}]+"
TAG = re.compile(r"<script.*?</script>|<style.*?</style>|<!--.*?-->|<.*?>", re.DOTALL)
ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;"}
UNESCAPES = {escaped: character for character, escaped in ESCAPES.items()}
UNRESERVED = "!~*'()"  # left alone by encodeURIComponent, beside letters, digits and -_.


def append(value: Any, more: Any) -> str:
    """`more` after `value`."""
    made = written(value) + written(more)
    bounded(len(made))
    return made


def replace(value: Any, old: Any = "", new: Any = "") -> str:
    """`new` for every `old`; an empty `old` stands between any two characters."""
    source, pattern, replacement = written(value), written(old), written(new)
    parts = source.split(pattern) if pattern else list(source)
    bounded(len(source) + (len(parts) - 1) * len(replacement))
    return replacement.join(parts)


def replace_last(value: Any, old: Any = "", new: Any = "") -> str:
    """`new` for the last `old`."""
    source, pattern = written(value), written(old)
    start = source.rfind(pattern)
    return source if start < 0 else source[:start] + written(new) + source[start + len(pattern) :]


def split(value: Any, separator: Any = "") -> list[str]:
    """The parts between separators, without empty ones at the end."""
    between = written(separator)
    parts = written(value).split(between) if between else list(written(value))
    while parts and not parts[-1]:
        parts.pop()
    return parts


def strip(value: Any, characters: Any = None, *, left: bool = True, right: bool = True) -> str:
    """Without white space, or the given characters, at the ends."""
    made = written(value)
    unwanted = written(characters) if characters else WHITESPACE_AND_LINES
    made = made.lstrip(unwanted) if left else made
    return made.rstrip(unwanted) if right else made


def capitalize(value: Any) -> str:
    """First character upper, all others lower case."""
    made = written(value)
    return made[:1].upper() + made[1:].lower()


def truncate(value: Any, at_most: Any = 50, end: Any = "...") -> Any:
    """Cut to so many characters, `end` included."""
    made, limit, ending = written(value), count(at_most), written(end)
    return value if len(made) <= limit else made[: max(limit - len(ending), 0)] + ending


def truncatewords(value: Any, at_most: Any = 15, end: Any = "...") -> str:
    """Cut to so many words, then `end`."""
    words = re.split(SPACE, written(value).lstrip(WHITESPACE_AND_LINES))
    limit = max(count(at_most), 1)
    return " ".join(words[:limit]) + (written(end) if len(words) >= limit else "")


def escape(value: Any) -> str:
    """HTML's special characters as entities."""
    return re.sub("[&<>\"']", lambda found: ESCAPES[found[0]], written(value))


def escape_once(value: Any) -> str:
    """As `escape`, leaving entities as they are."""
    return escape(re.sub("&(?:amp|lt|gt|#34|#39);", lambda found: UNESCAPES[found[0]], written(value)))


def base64_decode(value: Any) -> str:
    """The text of base 64."""
    try:
        return base64.b64decode(written(value) + "==").decode("utf-8", "replace")
    except binascii.Error:
        return ""


TEXT_FILTERS: dict[str, Callable[..., Any]] = {
    "append": append,
    "prepend": lambda value, more: append(more, value),
    "upcase": lambda value: written(value).upper(),
    "downcase": lambda value: written(value).lower(),
    "capitalize": capitalize,
    "strip": strip,
    "lstrip": lambda value, characters=None: strip(value, characters, right=False),
    "rstrip": lambda value, characters=None: strip(value, characters, left=False),
    "strip_newlines": lambda value: re.sub(r"\r?\n", "", written(value)),
    "strip_html": lambda value: TAG.sub("", written(value)),
    "squish": lambda value: re.sub(SPACE, " ", written(value)).strip(" "),
    "normalize_whitespace": lambda value: re.sub(SPACE, " ", written(value)),
    "number_of_words": lambda value, *_: len(written(value).split()),
    "remove": lambda value, old="": replace(value, old) if written(old) else written(value),
    "remove_first": lambda value, old="": written(value).replace(written(old), "", 1),
    "remove_last": replace_last,
    "replace": replace,
    "replace_first": lambda value, old="", new="": written(value).replace(written(old), written(new), 1),
    "replace_last": replace_last,
    "split": split,
    "truncate": truncate,
    "truncatewords": truncatewords,
    "escape": escape,
    "xml_escape": escape,
    "escape_once": escape_once,
    "url_encode": lambda value: quote_plus(written(value), UNRESERVED),
    "url_decode": lambda value: unquote(written(value).replace("+", " ")),
    "cgi_escape": lambda value: quote_plus(written(value), "~"),
    "uri_escape": lambda value: quote(written(value), UNRESERVED + ";/?:@&=+$,#[]"),
    "base64_encode": lambda value: base64.b64encode(written(value).encode()).decode(),
    "base64_decode": base64_decode,
}

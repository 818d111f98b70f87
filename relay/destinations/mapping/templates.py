"""`@template`: text with `{{a.b}}` and `{{{a.b}}}` filled in, neither of them escaped.

Triple braces are filled in first and double braces in what that gave, so a value that itself holds
`{{…}}` is filled in too. Templates without triple braces, nearly all, need one pass and are compiled.
"""

import re
from functools import lru_cache
from typing import Any

from relay.destinations.mapping.checks import kind, needs_text
from relay.destinations.mapping.javascript import MISSING, WHITESPACE_AND_LINES, text
from relay.destinations.mapping.paths import getter
from relay.destinations.mapping.place import Place, Run

TRIPLE = re.compile(r"\{\{\{([^}]+)\}\}\}")
DOUBLE = re.compile(r"\{\{([^}]+)\}\}")


def compile_template(argument: Any, place: Place) -> Run:
    """A text with placeholders, or a directive that gives one for each event."""
    needs_text(argument, place)
    if isinstance(argument, str):
        return template(argument)
    inner = place.compiler(argument, place)

    def computed(payload: Any) -> Any:
        source = inner(payload)
        if not isinstance(source, str):
            raise place.error(f"the template is {'missing' if source is MISSING else kind(source)}")
        return template(source)(payload)

    return computed


@lru_cache(maxsize=1024)
def template(source: str) -> Run:
    """A function from an event to `source` with its placeholders filled in."""
    if not TRIPLE.search(source):
        return filled(source, DOUBLE)
    first = filled(source, TRIPLE)

    def twice(payload: Any) -> Any:
        once = first(payload)
        return filled(once, DOUBLE)(payload) if "{{" in once else once

    return twice


def filled(source: str, placeholder: re.Pattern[str]) -> Run:
    head, *rest = placeholder.split(source)
    parts = [
        (getter(path.strip(WHITESPACE_AND_LINES)), tail)
        for path, tail in zip(rest[::2], rest[1::2], strict=True)
    ]
    if len(parts) == 1:
        return filled_once(head, *parts[0])

    def run(payload: Any) -> Any:
        made = head
        for get, tail in parts:
            value = get(payload)
            made += (value if type(value) is str else text(value)) + tail
        return made

    return run


def filled_once(head: str, get: Run, tail: str) -> Run:
    def run(payload: Any) -> Any:
        value = get(payload)
        return head + (value if type(value) is str else text(value)) + tail

    return run

"""`@replace`: one or two literal texts put for others.

Numbers and booleans are read as text; any other value gives "". The second pattern runs on the result of
the first. In a replacement `$$` is a dollar, `$&` what was found, `` $` `` and `$'` what is before and
after it, as in JavaScript's replace().
"""

import re
from collections.abc import Callable
from typing import Any

from relay.destinations.mapping.checks import flag_option, needs_text, options, text_option
from relay.destinations.mapping.conditions import give_missing
from relay.destinations.mapping.javascript import text
from relay.destinations.mapping.place import Place, Run

AT_MOST = 10  # Segment: characters in a pattern or replacement
REFERENCE = re.compile(r"\$([$&`'])")

Change = Callable[[str], str]


def compile_replace(argument: Any, place: Place) -> Run:
    """`value`, `pattern`, `replacement`, `ignorecase`, `global`, `pattern2`, `replacement2`."""
    given = options(argument, place, "value", "pattern", "replacement", "ignorecase", "global")
    node = given.get("value")
    needs_text(node, place.at("value"))
    value, changes = place.compile(node, "value"), compile_changes(given, place)

    def run(payload: Any) -> Any:
        found = value(payload)
        if not isinstance(found, str):
            if not isinstance(found, (int, float)):
                return ""
            found = text(found)
        for change in changes:
            found = change(found)
        return found

    return run if node != "" else give_missing


def compile_changes(given: dict[str, Any], place: Place) -> list[Change]:
    ignorecase = flag_option(given, "ignorecase", place, default=False)
    at_most = None if flag_option(given, "global", place, default=True) else 1
    given = {"replacement": "", **given}
    names = [("pattern", "replacement")]
    if has_second(given):
        given["replacement2"] = given.get("replacement2") or ""
        names.append(("pattern2", "replacement2"))
    pairs = [[text_option(given, name, place, AT_MOST) for name in pair] for pair in names]
    if not pairs[0][0]:
        raise place.at("pattern").error("must not be empty")
    return [changer(pattern, new, at_most, ignorecase=ignorecase) for pattern, new in pairs]


def has_second(given: dict[str, Any]) -> bool:
    """Whether there is a second step: upstream passes over one that is not made of texts."""
    second, replacement = given.get("pattern2"), given.get("replacement2")
    return isinstance(second, str) and second != "" and isinstance(replacement, (str, type(None)))


def changer(pattern: str, replacement: str, at_most: int | None, *, ignorecase: bool) -> Change:
    """A function that replaces `pattern` in a text, everywhere or `at_most` so many times."""
    if ignorecase or REFERENCE.search(replacement):
        fold = folded if ignorecase else str
        sought = fold(pattern)
        return lambda found: expanded(found, fold(found), sought, replacement, at_most)
    count = -1 if at_most is None else at_most
    return lambda found: found.replace(pattern, replacement, count)


def expanded(found: str, seen: str, pattern: str, replacement: str, at_most: int | None) -> str:
    """`found` with `replacement` wherever `seen`, the same text as it is compared, has `pattern`."""
    made: list[str] = []
    done = 0
    while at_most is None or len(made) < 2 * at_most:
        start = seen.find(pattern, done)
        if start < 0:
            break
        end = start + len(pattern)
        made += [found[done:start], expand(replacement, found, start, end)]
        done = end
    return "".join([*made, found[done:]])


def expand(replacement: str, found: str, start: int, end: int) -> str:
    meanings = {"$": "$", "&": found[start:end], "`": found[:start], "'": found[end:]}
    return REFERENCE.sub(lambda reference: meanings[reference[1]], replacement)


def folded(value: str) -> str:
    """`value` as JavaScript's `i` flag compares it, character for character.

    Not Python's IGNORECASE, which also takes the Kelvin sign for a k and the long s for an s.
    """
    return value.upper() if value.isascii() else "".join(map(folded_character, value))


def folded_character(character: str) -> str:
    upper = character.upper()
    changes_plane = (ord(character) > 0xFFFF) or (character > "\x7f" >= upper)  # noqa: PLR2004
    return character if len(upper) != 1 or changes_plane else upper

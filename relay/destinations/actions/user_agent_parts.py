"""A `User-Agent` taken apart by its grammar (RFC 9110, 10.1.5): products `name/version`, comments in parentheses.

Apps bend the grammar: Facebook lists products in brackets with semicolons between them, Instagram puts a space before
its version, Xiaomi a second slash. All three are read as products. The fields of a comment are what stands between
its semicolons.
"""

import re

import msgspec

_BETWEEN = re.compile(r"[\s;\[\]]+")
_LEADING = re.compile(r"\d+")

Comment = tuple[str, ...]


class Parts(msgspec.Struct, frozen=True):
    """`products` by name, with "" where there is no version, in the order of the text; the first of a name counts."""

    products: dict[str, str]
    comments: tuple[Comment, ...]
    fields: Comment  # of all comments
    joined: str  # the fields, a semicolon before each

    def has_field(self, start: str) -> bool:
        """Whether a field begins so."""
        return f";{start}" in self.joined

    def field(self, start: str) -> str | None:
        """The first field that begins so."""
        return next((field for field in self.fields if field.startswith(start)), None)

    def follows(self, name: str, other: str) -> bool:
        """Whether product `other` comes right after `name`."""
        names = list(self.products)
        return name in self.products and names[names.index(name) + 1 :][:1] == [other]


def take_apart(text: str) -> Parts:
    """The parts of a `User-Agent`; a parenthesis that is never closed ends with the text."""
    outside, comments, start, depth = [], [], 0, 0
    for at, char in enumerate(text):
        if char == "(":
            if depth == 0:
                outside.append(text[start:at])
                start = at + 1
            depth += 1
        elif char == ")" and depth:
            depth -= 1
            if depth == 0:
                comments.append(text[start:at])
                start = at + 1
    (comments if depth else outside).append(text[start:])
    apart = tuple(_fields(comment) for comment in comments)
    fields = tuple(field for comment in apart for field in comment)
    return Parts(_products(" ".join(outside)), apart, fields, "".join(f";{field}" for field in fields))


def has_safari(parts: Parts) -> bool:
    """Whether it is Safari, or passes for it. Snapchat has Safari's name in a comment."""
    return "Safari" in parts.products or parts.has_field("like Safari")


def explorer(parts: Parts) -> str | None:
    """Internet Explorer's version; the last one told it as the engine's revision."""
    start = "rv:" if parts.has_field("Trident/7") else "MSIE "
    field = parts.field(start)
    return field[len(start) :] if field else None


def major(version: str) -> str | None:
    """The first number of a version."""
    found = _LEADING.match(version)
    return found[0] if found else None


def _fields(comment: str) -> Comment:
    return tuple(field.strip() for field in comment.split(";"))


def _products(outside: str) -> dict[str, str]:
    found: dict[str, str] = {}
    last = ""
    for word in _BETWEEN.split(outside):
        name, slash, version = word.rpartition("/")
        if slash:
            found.setdefault(name.rpartition("/")[2], version)
        elif last and not found[last] and word[:1].isdecimal():
            found[last] = word
        else:
            found.setdefault(word, "")
        last = "" if slash or word[:1].isdecimal() else word
    found.pop("", None)
    return found

"""What names and values look like to a person who writes a tracking plan: formats, choices, money, examples.

None of this is certain. Where it errs, it errs towards saying less: a plan that allows too much is tightened by hand, one
that is wrong is thrown away.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from relay.plans.compile import CompiledRule
from relay.plans.rules import Rule

MAX_KEPT = 64  # characters of a text that is kept; longer ones are no choices
MAX_SHOWN = 40  # of one that is shown as an example

MAX_CHOICES = 12  # values of an enum
EACH_CHOICE = 5  # times that each was seen, at least
ALL_CHOICES = 100  # times that all together were
FORMAT_FROM = 5  # texts that have it, before a format is believed

Format = tuple[str, Callable[[str], bool]]


def _formats() -> tuple[Format, ...]:
    """Each asks the validator itself, so that what is inferred is kept, once the text looks like it at all."""
    is_moment, is_date, is_email, is_uri, is_uuid, is_ip = map(
        _check, ("date-time", "date", "email", "uri", "uuid", "ipv4")
    )
    return (
        ("date-time", lambda text: len(text) >= _MOMENT and text[10] in "Tt" and is_moment(text)),
        ("date", lambda text: len(text) == _DATE and is_date(text)),
        ("email", lambda text: "@" in text and is_email(text)),
        ("uri", lambda text: "://" in text and is_uri(text)),
        ("uuid", lambda text: len(text) == _UUID and is_uuid(text)),
        ("ipv4", lambda text: text.count(".") == 3 and is_ip(text)),  # noqa: PLR2004
    )


def _check(name: str) -> Callable[[Any], bool]:
    schema = {"format": name}
    return CompiledRule(Rule("COMMON", "", 1, schema, ""), schema).is_valid


_MOMENT, _DATE, _UUID = 20, 10, 36  # characters, of a moment at least
FORMATS = _formats()


# --- names ---------------------------------------------------------------------------------------

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")

# numbers that are whole only by chance: those of Segment's e-commerce spec, and what measures
_MEASURES = frozenset(
    (
        *("price", "revenue", "total", "subtotal", "amount", "value", "cost", "tax", "shipping"),
        *("discount", "fee", "balance", "tip", "margin", "profit", "refund", "rate", "ratio"),
        *("percent", "percentage", "score", "ltv", "latitude", "longitude", "lat", "lng", "lon"),
        *("duration", "weight", "height", "width", "distance"),
    )
)
# texts of which there will be others tomorrow
_OPEN = frozenset(
    (
        *("id", "ids", "uid", "uuid", "guid", "key", "hash", "sku", "code", "coupon", "number"),
        *("reference", "version", "name", "title", "label", "text", "description", "message"),
        *("comment", "note", "query", "term", "url", "uri", "href", "link", "path", "page", "referrer"),
        *("search", "host", "domain", "agent", "slug", "brand", "category", "subcategory", "vendor"),
        *("supplier", "affiliation", "author", "artist", "campaign", "country", "region", "state"),
        *("city", "timezone", "locale", "language", "currency", "tag", "product", "keyword", "date"),
        *("time", "at", "day", "month", "error", "reason", "model", "experiment"),
        *("variant", "variation"),
    )
)
# what belongs to one person, or opens a door
_PRIVATE = frozenset(
    (
        *("email", "mail", "phone", "mobile", "fax", "firstname", "lastname", "surname", "fullname"),
        *("username", "user", "nickname", "birthday", "birthdate", "birth", "address", "street", "zip"),
        *("postcode", "postal", "gender", "ssn", "password", "passwd", "secret", "token", "session"),
        *("auth", "login", "card", "iban", "cvv", "ip"),
    )
)


def words(name: str) -> list[str]:
    """`orderId` and `order_id`: order, id."""
    return [word.lower() for word in _WORD.findall(name)]


def is_measure(name: str) -> bool:
    """Whether a number of this name may have a fraction."""
    return not _MEASURES.isdisjoint(words(name))


def is_private(name: str) -> bool:
    """Whether no value of this name should stand in a plan."""
    found = words(name)
    return not _PRIVATE.isdisjoint(found) or found[-2:] in (
        ["first", "name"],
        ["last", "name"],
        ["full", "name"],
    )


def is_open(name: str) -> bool:
    """Whether values of this name are no choices, however few were seen."""
    last = words(name)[-1:] or [""]
    singular = (last[0], last[0].removesuffix("s"), last[0].removesuffix("ies") + "y")
    return not _OPEN.isdisjoint(singular) or is_private(name)


# --- values --------------------------------------------------------------------------------------

_CHOICE = re.compile(r"[A-Za-z][A-Za-z]*(?:[ _/&+.-]{1,3}[A-Za-z]+){0,2}[ _-]?[0-9]{0,2}")
_PHONE_DIGITS = 7  # from here on a number may be one that rings
_LONE_TOKEN = 20  # characters without a space, some of them digits: a key, an id


def choices(texts: Mapping[str, int] | None) -> list[str]:
    """The values of an enum, if these texts, each with how often it was seen, are one; else none."""
    if texts is None or not 2 <= len(texts) <= MAX_CHOICES:  # noqa: PLR2004  one is no choice
        return []
    if min(texts.values()) < EACH_CHOICE or sum(texts.values()) < ALL_CHOICES:
        return []
    return sorted(texts) if all(map(_is_choice, texts)) else []


def _is_choice(text: str) -> bool:
    return len(text) <= MAX_SHOWN and _CHOICE.fullmatch(text) is not None


def is_presentable(value: Any) -> bool:
    """Whether `value` may be shown as an example: short, no address, nothing that rings, no key."""
    if type(value) is bool or value is None:
        return False  # nothing to learn from
    text = value if type(value) is str else str(value)
    if not text or len(text) > MAX_SHOWN or "@" in text or not text.isprintable():
        return False
    digits = sum(map(str.isdigit, text))
    if digits >= _PHONE_DIGITS and type(value) is not float:
        return False
    return not (digits and len(text) >= _LONE_TOKEN and " " not in text and "/" not in text)

"""The device in a `User-Agent`: Apple's name themselves, Android's stand after the system, others in a word.

(iPhone; CPU iPhone OS 17_4 like Mac OS X)          iPhone
(Linux; Android 13; SM-S918B Build/TP1A.220624.014) SM-S918B, Samsung
(PlayStation; PlayStation 5/6.50)                   PlayStation 5, Sony
"""

import re

from relay.destinations.actions.user_agent_models import MOBILE, TABLET, TELEVISION, Make, make_of
from relay.destinations.actions.user_agent_parts import Comment, Parts

CONSOLE, WEARABLE = "console", "wearable"

_NOTHING = Make("", "", "")
_WORDS = (  # how a field of a comment begins; the more special before the more general
    ("PlayStation 4", Make("Sony", "PlayStation 4", CONSOLE)),
    ("PlayStation 5", Make("Sony", "PlayStation 5", CONSOLE)),
    ("Xbox One", Make("Microsoft", "Xbox One", CONSOLE)),
    ("Xbox", Make("Microsoft", "Xbox", CONSOLE)),
    ("Nintendo Switch", Make("Nintendo", "Switch", CONSOLE)),
    ("Apple TV", Make("Apple", "Apple TV", TELEVISION)),
    ("Quest 2", Make("Facebook", "Quest 2", WEARABLE)),
    ("Quest", Make("Facebook", "Quest", WEARABLE)),
)
_TELEVISIONS = ("SMART-TV", "SmartTV", "Smart TV", "Android TV")
_APPLE = re.compile(r"(iPhone|iPad|iPod)(\d+,\d+| touch)?")
_NO_MODELS = frozenset(("U", "wv", "Mobile", "Tablet", "arm_64"))
_LOCALE = re.compile(r"[a-z]{2}([-_][A-Za-z]{2})?")


def make_in(parts: Parts, os: str | None) -> Make:
    """What device it is, and who made it; empty texts for what is not told."""
    for word, make in _WORDS:
        if parts.has_field(word):
            return make
    if os == "Android":
        return _android(parts)
    return _named_by_product(parts) or _television(parts) or _apple(parts, os) or _NOTHING


def _named_by_product(parts: Parts) -> Make | None:
    products = parts.products
    if "CrKey" in products:
        return Make("Google", "Chromecast", TELEVISION)
    if "Roku" in products:
        return Make("Roku", products["Roku"], TELEVISION)
    is_apple = any(name.startswith("AppleTV") for name in products)
    return Make("Apple", "Apple TV", TELEVISION) if is_apple else None


def _television(parts: Parts) -> Make | None:
    if not any(word in field for word in _TELEVISIONS for field in parts.fields):
        return None
    return Make("Samsung" if "SamsungBrowser" in parts.products else "", "", TELEVISION)


def _apple(parts: Parts, os: str | None) -> Make | None:
    """Of several names the longest: apps add the model (iPhone15,2) to what the browser says (iPhone)."""
    found = map(_APPLE.match, (*parts.fields, *parts.products.values()))
    model = max((match[0] for match in found if match), key=len, default="")
    if model:
        return Make("Apple", model, TABLET if model.startswith("iPad") else MOBILE)
    return Make("Apple", "Macintosh", "") if os == "Mac OS" else None


def _android(parts: Parts) -> Make:
    system, fields = _after_system(parts)
    model, build, _ = next((field for field in fields if _is_model(field)), "").partition(" Build")
    if made := make_of(model, is_built=bool(build)):
        return made
    if any(word in model for word in _TELEVISIONS):
        return Make("", "", TELEVISION)
    if "AppleWebKit" not in parts.products and "Gecko" not in parts.products:  # an app, not a browser
        return Make("Generic", system, "") if model and system != "Android" else _NOTHING
    is_phone = "Mobile" in parts.products and (not model or parts.follows("Mobile", "Safari"))
    return Make("", model, MOBILE if is_phone or "Mobile" in fields else TABLET)


def _after_system(parts: Parts) -> tuple[str, Comment]:
    """Android with its version, and what comes after it in its comment."""
    for comment in parts.comments:
        for at, field in enumerate(comment):
            if field.startswith("Android"):
                return field, comment[at + 1 :]
    return "", ()


def _is_model(field: str) -> bool:
    return field not in _NO_MODELS and not field.startswith("rv:") and not _LOCALE.fullmatch(field)

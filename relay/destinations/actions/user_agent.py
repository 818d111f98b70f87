"""What a `User-Agent` says: the operating system, the browser and the device it runs on.

Two readings, since vendors' reports were built on two: `device_of` with the words that Amplitude's own libraries use
("Mac OS", the model "K" of today's Chrome on Android), `browser_of` with those of Mixpanel's ("Chrome iOS", "Microsoft
Edge"). Both look only at the products and comments of the text, in tables; what is in no table is not told. Both
remember: a few hundred texts make up nearly all traffic.
"""

import re
from functools import lru_cache

import msgspec

from relay.destinations.actions.user_agent_devices import make_in
from relay.destinations.actions.user_agent_parts import Parts, explorer, has_safari, major, take_apart

MAX_TEXT = 350  # characters that are looked at: longer ones are lists of an app's own particulars
MAX_OF_BROWSER = 2000  # the same for `browser_of`: only a bound, for what is remembered
REMEMBERED = 4096  # texts


class Device(msgspec.Struct, frozen=True):
    """What runs the software. `browser_major` is the first number of the browser's version."""

    os: str | None
    browser: str | None
    browser_major: str | None
    vendor: str | None
    model: str | None
    kind: str | None  # mobile, tablet, smarttv, console, wearable; None for a computer


def device_of(text: str) -> Device:
    """The device of a `User-Agent`; what cannot be told is None."""
    return _device_of(text.lstrip()[:MAX_TEXT])


@lru_cache(REMEMBERED)
def _device_of(text: str) -> Device:
    parts = take_apart(text)
    os = _os(parts)
    browser, version = _browser(parts, os)
    make = make_in(parts, os)
    return Device(os, browser, version, make.vendor or None, make.model or None, make.kind or None)


_SYSTEMS = (  # (how a field of a comment begins, the operating system); the more special before the more general
    ("Xbox", "Xbox"),
    ("PlayStation", "PlayStation"),
    ("Nintendo", "Nintendo"),
    ("Tizen", "Tizen"),
    ("Web0S", "webOS"),
    ("Android", "Android"),
    ("CPU iPhone OS", "iOS"),
    ("CPU OS", "iOS"),
    ("CPU like Mac OS X", "iOS"),
    ("Macintosh", "Mac OS"),
    ("Windows", "Windows"),
    ("CrOS", "Chromium OS"),
    ("Ubuntu", "Ubuntu"),
    ("Fedora", "Fedora"),
    ("OpenBSD", "OpenBSD"),
    ("FreeBSD", "FreeBSD"),
    ("Debian", "Debian"),
    ("Linux", "Linux"),
)


def _os(parts: Parts) -> str | None:
    for product, name in (("CrKey", "Chromecast"), ("CFNetwork", "iOS")):
        if product in parts.products:
            return name
    return next((name for start, name in _SYSTEMS if parts.has_field(start)), None)


_BROWSERS = (  # (product, what it is called), the first that is there: apps, browsers built on others, engines
    ("Instagram", "Instagram"),
    ("MicroMessenger", "WeChat"),
    ("FBAV", "Facebook"),
    ("Electron", "Electron"),
    ("Edge", "Edge"),
    ("EdgiOS", "Edge"),
    ("EdgA", "Edge"),
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("OPT", "Opera Touch"),
    ("OPiOS", "Opera Mini"),
    ("OculusBrowser", "Oculus Browser"),
    ("SamsungBrowser", "Samsung Internet"),
    ("YaBrowser", "Yandex"),
    ("Vivaldi", "Vivaldi"),
    ("UCBrowser", "UCBrowser"),
    ("UBrowser", "UCBrowser"),
    ("MiuiBrowser", "MIUI Browser"),
    ("HuaweiBrowser", "Huawei Browser"),
    ("MQQBrowser", "QQBrowser"),
    ("QQBrowser", "QQBrowser"),
    ("Whale", "Whale"),
    ("Brave", "Brave"),
    ("DuckDuckGo", "DuckDuckGo"),
    ("Avast", "Avast Secure Browser"),
    ("AVG", "AVG Secure Browser"),
    ("Maxthon", "Maxthon"),
    ("Puffin", "Puffin"),
    ("Quark", "Quark"),
    ("baiduboxapp", "Baidu"),
    ("Focus", "Firefox Focus"),
    ("Klar", "Firefox Focus"),
    ("Silk", "Silk"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("HeadlessChrome", "Chrome Headless"),
    ("Chromium", "Chromium"),
    ("Chrome", "Chrome"),
    ("Firefox", "Firefox"),
    ("Epiphany", "Epiphany"),
    ("Konqueror", "Konqueror"),
)


def _browser(parts: Parts, os: str | None) -> tuple[str | None, str | None]:
    products = parts.products
    if "Line" in products and products.get("Safari") == "":  # as it writes itself on an iPhone
        return "Line", major(products["Line"])
    if "LinkedInApp" in products:
        return "LinkedIn", None
    if os == "iOS" and "GSA" in products:
        return "Google", major(products["GSA"])
    found = next(((name, products[product]) for product, name in _BROWSERS if products.get(product)), None)
    if os == "Android" and found and found[0] == "Chrome" and "wv" not in parts.fields:
        found = ("Android Browser", products["Version"]) if "Version" in products else found
    name, version = found or _engine(parts)
    return name, major(version)


def _engine(parts: Parts) -> tuple[str | None, str]:
    products = parts.products
    if has_safari(parts):
        return "Safari", products.get("Version", "")
    if version := explorer(parts):
        return "IE", version
    if mini := parts.field("Opera Mini/"):
        return "Opera Mini", mini.partition("/")[2]
    return ("WebKit", products["AppleWebKit"]) if "AppleWebKit" in products else (None, "")


_NAMED = (  # (product, Mixpanel's name), the first that is there
    ("OPR", "Opera"),
    ("Edge", "Microsoft Edge"),
    ("Edg", "Microsoft Edge"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Chrome", "Chrome"),
    ("HeadlessChrome", "Chrome"),
    ("CriOS", "Chrome iOS"),
    ("UCBrowser", "UC Browser"),
    ("FxiOS", "Firefox iOS"),
)
_DOTTED = re.compile(r"\d+(\.\d+)+")


def browser_of(text: str) -> tuple[str, str | None]:
    """The browser of a `User-Agent` and its version; "" for none."""
    return _browser_of(text[:MAX_OF_BROWSER])


@lru_cache(REMEMBERED)
def _browser_of(text: str) -> tuple[str, str | None]:
    parts = take_apart(text)
    name, version = _named(parts)
    found = _DOTTED.match(version)
    return name, found[0] if found else None


def _named(parts: Parts) -> tuple[str, str]:
    products = parts.products
    if products.get("FBAN") == "FBIOS":
        return "Facebook Mobile", ""
    for product, name in _NAMED:
        if product in products:
            return name, products[product]
    if has_safari(parts):
        is_phone = parts.has_field("iPhone") or parts.has_field("iPod")
        return "Mobile Safari" if is_phone else "Safari", products.get("Version", "")
    return _named_else(parts)


def _named_else(parts: Parts) -> tuple[str, str]:
    products, fields = parts.products, parts.fields
    if any("Android" in field for field in fields) or "Android" in products:
        return "Android Mobile", ""
    if "Firefox" in products:
        return "Firefox", products["Firefox"]
    if version := explorer(parts):
        return "Internet Explorer", version
    is_mozilla = "Gecko" in products or any("Gecko" in field for field in fields)
    return "Mozilla" if is_mozilla else "", ""

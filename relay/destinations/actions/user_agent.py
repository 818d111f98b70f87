"""What a `User-Agent` says: the operating system, the browser and the device it runs on.

Two readings, since vendors' reports were built on two: `device_of` with the words that Amplitude's own libraries use
("Mac OS", "Mobile Safari", the model "K" of today's Chrome on Android), `browser_of` with those of Mixpanel's ("Chrome
iOS", "Microsoft Edge"). Both remember: a few hundred texts make up nearly all traffic.
"""

import re
from functools import lru_cache

import msgspec

from relay.destinations.actions.user_agent_models import MODELS

MAX_TEXT = 350  # characters that are looked at: longer ones are lists of an app's own particulars
REMEMBERED = 4096  # texts

_FLAGS = re.IGNORECASE | re.ASCII


class Device(msgspec.Struct, frozen=True):
    """What runs the software. `browser_major` is the first number of the browser's version."""

    os: str | None
    browser: str | None
    browser_major: str | None
    vendor: str | None
    model: str | None
    kind: str | None  # mobile, tablet, smarttv, console, wearable; None for a computer


@lru_cache(REMEMBERED)
def device_of(text: str) -> Device:
    """The device of a `User-Agent`; what cannot be told is None."""
    if len(text) > MAX_TEXT:
        text = text.lstrip()[:MAX_TEXT]
    browser, major = _browser(text)
    vendor, model, kind = _model(text)
    return Device(_os(text), browser, major, vendor, model, kind)


# The first that fits. Without a name: the one written in the text, in the first group that holds anything.
_SYSTEMS = [
    (re.compile(pattern, _FLAGS), name)
    for pattern, name in (
        (r"(windows (?:phone(?: os)?|mobile))|(windows)[/ ]?[ntce\d. ]+\w(?!.+xbox)", None),
        (r"\bwin(?:[39]|nt)", "Windows"),
        (r"\bip(?:hone|ad|od)\b(?:.*os \w+ like mac|; opera)|cfnetwork/.+darwin", "iOS"),
        (r"mac os x|macintosh(?!.+haiku)|mac_powerpc", "Mac OS"),
        (r"android [\w.]+\b.+(harmonyos)", None),
        (r"(android|webos|qnx|bada|rim tablet os|maemo|meego|sailfish)", None),
        (r"(blackberry)\w*/|(tizen|kaios)[/ ][\w.]", None),
        (r"\(bb10;", "BlackBerry"),
        (r"symbian ?os|symbos|s60(?=;)|series60", "Symbian"),
        (r"mozilla/[\d.]+ \((?:mobile|tablet|tv|mobile; [\w ]+); rv:.+ gecko/", "Firefox OS"),
        (r"web0s;.+rttv|\b(?:hp)?wos(?:browser)?/[\w.]", "webOS"),
        (r"crkey/\d", "Chromecast"),
        (r"cros \w+ [\w.]", "Chromium OS"),
        (r"(nintendo|playstation) [wids345portablevuch]|(xbox); +xbox [^);]", None),
        (
            r"([kxln]?ubuntu|debian|(?:open)?suse|gentoo|fedora|centos|red ?hat|raspbian|manjaro)(?!/(?:chrom|pack))",
            None,
        ),
        (r"(mint|arch(?= linux)|slackware|mandriva|mageia(?=[; ])|deepin|elementary os)", None),
        (r"(linux)", None),
        (r"(gnu)", None),
        (r"\b([-frentopcghs]{0,5}bsd|dragonfly)|(haiku) \w", None),
        (r"sunos", "Solaris"),
        (r"(aix(?= )|\b(?:beos|os/2|fuchsia|hp-ux)|(?:open)?solaris|unix)", None),
    )
]

# What a browser puts before its version, and its name; without a name as it is written. Chrome's many relatives name
# Chrome too, and everybody names Safari and Mozilla, so the order is from the particular to the general.
_V = r"([-\w.]+)"
_BROWSERS = [
    (re.compile(pattern, _FLAGS), name)
    for pattern, name in (
        (rf"\b(?:crmo|crios)/{_V}", "Chrome"),
        (rf"edg(?:e|ios|a)?/{_V}", "Edge"),
        (rf"(opera mini)/{_V}|(opera [mobiletab]{{3,6}})\b.+version/{_V}", None),
        (rf"(opera)(?:.+version/|[/ ]+){_V}", None),
        (rf"opios[/ ]+{_V}", "Opera Mini"),
        (rf"\bopr/{_V}", "Opera"),
        (rf"(kindle)/{_V}|(maxthon)[/ ]?([\w.]*)|(iemobile)[/ ]?([\w.]*)|(?:ms|\()(ie) {_V}", None),
        (
            (
                rf"(midori|epiphany|silk|vivaldi|phantomjs|bolt|iron|quark|qupzilla|falkon|puffin|brave|whale"
                rf"|qqbrowserlite|qq|duckduckgo)/{_V}"
            ),
            None,
        ),
        (rf"\buc? ?browser[/ ]?{_V}|juc.+ucweb[/ ]?{_V}", "UCBrowser"),
        (rf"micromessenger/{_V}", "WeChat"),
        (rf"konqueror/{_V}", "Konqueror"),
        (r"trident.+rv[: ]([\w.]{1,9})\b.+like gecko", "IE"),
        (rf"yabrowser/{_V}", "Yandex"),
        (rf"avast/{_V}", "Avast Secure Browser"),
        (rf"avg/{_V}", "AVG Secure Browser"),
        (rf"\bfocus/{_V}", "Firefox Focus"),
        (rf"\bopt/{_V}", "Opera Touch"),
        (rf"coc_coc\w+/{_V}", "Coc Coc"),
        (rf"coast/{_V}", "Opera Coast"),
        (rf"miuibrowser/{_V}", "MIUI Browser"),
        (rf"fxios/{_V}", "Firefox"),
        (r"\bqihu|(?:qi?ho?o?|360)browser", "360 Browser"),
        (rf"oculusbrowser/{_V}", "Oculus Browser"),
        (rf"samsungbrowser/{_V}", "Samsung Browser"),
        (rf"huaweibrowser/{_V}", "Huawei Browser"),
        (rf"(electron)/{_V} safari|(tesla)(?: qtcarbrowser|/(20\d\d\.{_V}))", None),
        (rf"(qqbrowser|baiduboxapp)[/ ]?{_V}", None),
        (r"(metasr)[/ ]?|(lbbrowser)|\[(linkedin)app\]", None),
        (rf"(?:fban/fbios|fb_iab/fb4a)(?!.+fbav)|;fbav/{_V};", "Facebook"),
        (rf"safari (line)/{_V}|\b(line)/{_V}/iab|(chromium|instagram)[/ ]{_V}", None),
        (rf"\bgsa/{_V} .*safari/", "GSA"),
        (rf"headlesschrome(?:/{_V}| )", "Chrome Headless"),
        (rf" wv\).+chrome/{_V}", "Chrome WebView"),
        (rf"droid.+ version/{_V}\b.+safari", "Android Browser"),
        (rf"(chrome|[tizenoka]{{5}} ?browser)/v?{_V}", None),
        (r"version/([\w.,]+) .*mobile/\w+ safari", "Mobile Safari"),
        (r"version/([\w(.|,)]+) .*mobile ?safari", "Mobile Safari"),
        (r"version/([\w(.|,)]+) .*safari", "Safari"),
        (r"webkit.+?((?:mobile ?)?safari)/", None),  # before version 3 Safari had none to show
        (rf"(webkit|khtml)/{_V}", None),
        (rf"(iceweasel|camino|fennec|klar)[/ ]?([\w.+]+)|(seamonkey|k-meleon|palemoon|waterfox)/{_V}$", None),
        (rf"(firefox)/{_V}", None),
        (rf"(mozilla)/{_V} .+rv:.+gecko/\d", None),
        (rf"(lynx|dillo|w3m|netsurf|obigo|(?:go|ice|up)[. ]?browser)[-/ ]?v?{_V}|(links) \({_V}", None),
    )
]


def _os(text: str) -> str | None:
    for pattern, name in _SYSTEMS:
        match = pattern.search(text)
        if match is not None:
            return name or next(found for found in match.groups() if found)
    return None


def _browser(text: str) -> tuple[str | None, str | None]:
    """Name, and the first number of the version."""
    for pattern, name in _BROWSERS:
        match = pattern.search(text)
        if match is not None:
            found = [group for group in match.groups() if group]
            version = "".join(found[:1] if name else found[1:2])
            return name or found[0], re.sub(r"[^\d.]", "", version).split(".")[0] or None
    return None, None


def _model(text: str) -> tuple[str | None, str | None, str | None]:
    """Vendor, model and kind."""
    for model in MODELS:
        match = model.pattern.search(text)
        if match is None:
            continue
        groups = match.groupdict()
        vendor = model.vendor or groups.pop("vendor", None)
        named = model.model or next((found for found in groups.values() if found), None)
        return vendor, named.replace("_", " ") if named and model.is_spaced else named, model.kind
    return None, None, None


_MIXPANEL: tuple[tuple[str, str, str | None], ...] = (
    # what must be in the text, the browser's name, and what its version follows
    (r" OPR/.*Mini|Mini.* OPR/", "Opera Mini", None),
    (r" OPR/", "Opera", r"(?:Opera|OPR)/"),
    (r"(?i:BlackBerry|PlayBook|BB10)", "BlackBerry", "BlackBerry "),
    (r"IEMobile|WPDesktop", "Internet Explorer Mobile", "rv:"),
    (r"SamsungBrowser/", "Samsung Internet", "SamsungBrowser/"),
    (r"Edge|Edg/", "Microsoft Edge", "Edge?/"),
    (r"FBIOS", "Facebook Mobile", None),
    (r"Chrome", "Chrome", "Chrome/"),
    (r"CriOS", "Chrome iOS", "CriOS/"),
    (r"UCWEB|UCBrowser", "UC Browser", "(?:UCBrowser|UCWEB)/"),
    (r"FxiOS", "Firefox iOS", "FxiOS/"),
    (r"Safari.*iPhone|iPhone.*Safari", "Mobile Safari", "Version/"),
    (r"Safari", "Safari", "Version/"),
    (r"Android", "Android Mobile", r"android\s"),
    (r"Konqueror", "Konqueror", "Konqueror:"),
    (r"Firefox", "Firefox", "Firefox/"),
    (r"MSIE|Trident/", "Internet Explorer", "(?:rv:|MSIE )"),
    (r"Gecko", "Mozilla", "rv:"),
)
_NAMED = [
    (
        re.compile(sign, re.DOTALL),
        name,
        None if before is None else re.compile(before + r"([0-9]+(?:\.[0-9]+)+)"),
    )
    for sign, name, before in _MIXPANEL
]


@lru_cache(REMEMBERED)
def browser_of(text: str) -> tuple[str, str | None]:
    """The browser of a `User-Agent` as Mixpanel calls it ("" for none that it knows), and its version."""
    for sign, name, version in _NAMED:
        if sign.search(text):
            found = None if version is None else version.search(text)
            return name, None if found is None else found[1]
    return "", None

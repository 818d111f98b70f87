"""Devices by what their `User-Agent` calls them: a table, looked through from the top.

What is sold today stands at the top, with the model codes that makers use; then consoles, televisions and the like; at
the end whatever a phone or tablet says of itself when nobody knows its code.
"""

import re

import msgspec

MOBILE, TABLET, CONSOLE, TV = "mobile", "tablet", "console", "smarttv"
WEARABLE, EMBEDDED = "wearable", "embedded"


class Model(msgspec.Struct, frozen=True):
    """A row. The model is what a group of the pattern holds, unless `model` says it; the vendor likewise."""

    pattern: re.Pattern[str]
    vendor: str | None
    kind: str | None
    model: str | None = None
    is_spaced: bool = False  # its code has underscores for spaces


def _row(
    vendor: str | None, kind: str | None, pattern: str, model: str | None = None, *, is_spaced: bool = False
) -> Model:
    return Model(re.compile(pattern, re.IGNORECASE | re.ASCII), vendor, kind, model, is_spaced)


_END = r"(?: bui|\))"  # of a model's name: `Build/…` or the end of the parenthesis
_ANDROID = r"droid.+; "

MODELS = (
    _row("Samsung", TABLET, r"\b(?P<m>(?:sm-[ptx]|gt-[pn]\d)\w{2,4}|sch-i[89]0\d|nexus 10)"),
    _row("Samsung", MOBILE, r"\b(?P<m>(?:sm|gt|sch|sgh|sph)-\w+|galaxy nexus)|samsung[- ](?P<n>[-\w]+)"),
    _row("Apple", MOBILE, r"(?P<m>(?:iphone|ipod)\d+,\d+)"),
    _row("Apple", TABLET, r"(?P<m>ipad\d+,\d+)"),
    _row("Apple", MOBILE, r"\((?P<m>iphone[\w ]*|ipod[\w ]*);"),
    _row("Apple", TABLET, r"\((?P<m>ipad);[^()]*\) ?apple|applecoremedia/[\w.]+ \((?P<n>ipad)"),
    _row("Apple", None, r"(?P<m>macintosh);"),
    _row("Huawei", TABLET, r"\b(?P<m>(?:ag[rs][23]?|bah2?|btv|sht)-a?[lw]\d\d)\b"),
    _row("Huawei", MOBILE, r"(?:huawei|honor)(?P<m>[-\w ]+)[;)]|\b(?P<n>nexus 6p)\b"),
    _row("Huawei", MOBILE, r"\b(?P<m>[a-z]\w{1,4}-[atu]?[ln][\dx][0-59ac][adn]?)\b"),
    _row("Xiaomi", MOBILE, rf"\b(?P<m>(?:poco|redmi)[-\w ]+){_END}", is_spaced=True),
    _row("Xiaomi", TABLET, rf"\b(?P<m>mi[-_ ]?pad[\w ]+){_END}", is_spaced=True),
    _row(
        "Xiaomi",
        MOBILE,
        rf"\b(?P<m>mi[-_ ]?(?:a\d|max|cc|note lte)?[_ ]?\w{{0,2}}[_ ]?(?:lite|plus|se)?){_END}",
        is_spaced=True,
    ),
    _row("OPPO", MOBILE, r"\b(?P<m>cph[12]\d{3}|p[a-e]\w[mt]\d0|x9007)\b|; (?P<n>\w+) bui.+ oppo"),
    _row("Vivo", MOBILE, rf"vivo (?P<m>\w+){_END}|\b(?P<n>v[12]\d{{3}}\w?[at])(?: bui|;)"),
    _row("Realme", MOBILE, r"\b(?P<m>rmx[12]\d{3})\b"),
    _row(
        "Motorola",
        MOBILE,
        rf"\bmot(?:orola)?[- ](?P<m>\w*)|(?P<n>(?:moto[\w() ]+|xt\d{{3,4}}|nexus 6)(?={_END}))",
    ),
    _row("LG", TABLET, r"(?P<m>[lv]k-?\d{3}) bui"),
    _row(
        "LG",
        MOBILE,
        rf"(?P<m>lm-[\w.]+(?={_END})|nexus [45])|\blg[-;/ ]+(?P<n>(?!browser|netcast|android)\w+)",
    ),
    _row("Lenovo", TABLET, r"(?P<m>ideatab[-\w ]+)|lenovo ?(?P<n>tab[\w ]+|(?:tb|yt)[-\w]{6})"),
    _row("Nokia", MOBILE, r"nokia.*(?P<m>lumia \d+)|nokia[-_ ]?(?P<n>[-\w.]*)", is_spaced=True),
    _row("Google", TABLET, r"(?P<m>pixel c)\b"),
    _row("Google", MOBILE, rf"{_ANDROID}(?P<m>pixel(?: ?(?:\da?|xl))*){_END}"),
    _row("Sony", MOBILE, rf"{_ANDROID}(?P<m>[c-g]\d{{4}}|so-\w+|xq-a\w\d\d){_END}"),
    _row("Sony", TABLET, rf"sony tablet|\bsgp\w+{_END}", "Xperia Tablet"),
    _row("OnePlus", MOBILE, r" (?P<m>kb2005|in20[12]5|be20[12][59])\b| (?P<n>a\d0\d\d)(?: b|\))"),
    _row("Amazon", TABLET, rf"(?P<m>kf[a-z]{{2}}wi){_END}|(?P<n>kf[a-z]+){_END}.+silk/"),
    _row(None, TABLET, r"(?P<m>playbook);.+(?P<vendor>rim)"),
    _row("BlackBerry", MOBILE, r"\(bb10; (?P<m>\w+)|\b(?P<n>(?:bb[a-f]|st[hv])100-\d)"),
    _row("ASUS", TABLET, r"\b(?P<m>nexus 7|padfone|p00[cj])"),
    _row("ASUS", MOBILE, r" (?P<m>z[bes]6\d\d[km][ls]|zenfone \w+)\b"),
    _row("HTC", TABLET, r"(?P<m>nexus 9)"),
    _row(None, MOBILE, r"(?P<vendor>htc)[-_ ](?P<m>[\w ]+(?= bui|\))|\w+)", is_spaced=True),
    _row(None, MOBILE, r"(?P<vendor>zte)[- ](?P<m>[\w ]+?)(?: bui|/|\))", is_spaced=True),
    _row(None, MOBILE, r"(?P<vendor>alcatel|panasonic|sony)(?!-bra)[-_ ]?(?P<m>[-\w]*)", is_spaced=True),
    _row("Acer", TABLET, rf"{_ANDROID}(?P<m>[ab][1-7]-?[0178a]\d\d?)"),
    _row("Meizu", MOBILE, r"\bmz-(?P<m>[-\w]{2,})"),
    _row("Sharp", MOBILE, r"\b(?P<m>sh-?[altvz]?\d\d[a-ekm]?)"),
    _row(None, MOBILE, r"(?P<vendor>blackberry|acer|asus|dell|meizu)[-_ ]?(?P<m>[-\w]*)"),
    _row(None, MOBILE, r"(?P<vendor>microsoft); (?P<m>lumia[\w ]+)"),
    _row(None, MOBILE, r"(?P<vendor>lenovo)[-_ ]?(?P<m>[-\w]+)"),
    _row(None, TABLET, r"(?P<vendor>kindle)/(?P<m>[\w.]+)"),
    _row("Microsoft", TABLET, r"(?P<m>surface duo)"),
    _row("Fairphone", MOBILE, r"droid [\d.]+; (?P<m>fp\d)(?: b|\))"),
    _row("RCA", TABLET, r"\b(?P<m>rct\w+) b"),
    _row("Dell", TABLET, r"\b(?P<m>venue \d+) b"),
    _row("NuVision", TABLET, r"\b(?P<m>tm\d{3}\w+) b"),
    _row("ZTE", MOBILE, r"\b(?P<m>nx\d{3}j) b"),
    _row("Insignia", TABLET, r"\b(?P<m>ns-\w+) b"),
    _row("Nvidia", TABLET, r"(?P<m>shield[\w ]+) b"),
    _row(None, CONSOLE, r"(?P<vendor>nintendo) (?P<m>switch|3ds|wiiu?|dsi?)"),
    _row("Sony", CONSOLE, r"(?P<m>playstation (?:[345]|portable|vita))"),
    _row("Microsoft", CONSOLE, r"\b(?P<m>xbox(?: one)?(?!; xbox))[); ]"),
    _row(None, TV, r"smart-tv.+(?P<vendor>samsung)"),
    _row("LG", TV, r"netcast.+smarttv|lg (?:netcast\.tv|android tv)"),
    _row(None, TV, r"(?P<vendor>apple) ?tv", "Apple TV"),
    _row("Google", TV, r"crkey", "Chromecast"),
    _row("Amazon", TV, rf"{_ANDROID}aft(?P<m>\w){_END}"),
    _row("Sony", TV, rf"(?P<m>bravia[\w ]+){_END}"),
    _row("Xiaomi", TV, r"(?P<m>mitv-\w{5}) bui"),
    _row(None, TV, r"\b(?P<vendor>roku)[\dx]*[)/](?P<m>(?:dvp-)?[\d.]*)"),
    _row(None, TV, r"\b(?:android tv|smart[- ]?tv|opera tv)\b"),
    _row("Facebook", WEARABLE, r"(?P<m>quest(?: 2)?)"),
    _row(None, EMBEDDED, r"(?P<vendor>tesla)/"),
    _row(None, MOBILE, r"droid .+?; (?P<m>[^;]+?)(?: bui|\) applew).+ mobile safari"),
    _row(None, TABLET, r"droid .+?; (?P<m>[^;]+?)(?: bui|\) applew).+ safari"),
    _row(None, TABLET, r"\btab(?:let)?[;/]"),
    _row(None, MOBILE, r"phone|mobile(?:[;/]| [ \w/.]*safari)"),
    _row("Generic", None, r"(?P<m>android[-\w. ]{0,9});.+build"),
)

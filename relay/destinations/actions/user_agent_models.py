"""Devices by what their `User-Agent` calls them: a table, looked through from the top.

What is sold today stands at the top, with the model codes that makers use; then consoles, televisions and the like; at
the end whatever a phone or tablet says of itself when nobody knows its code.
"""

import re

import msgspec

MOBILE, TABLET, CONSOLE, TV, WEARABLE = "mobile", "tablet", "console", "smarttv", "wearable"


class Model(msgspec.Struct, frozen=True):
    """A row. The model is what a group of the pattern holds, unless `model` says it."""

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
    _row("Samsung", TABLET, r"\b(?P<m>sm-[ptx]\w{2,4}|gt-[pn]\d{2,4}|sch-i[89]0\d|sgh-t8[56]9|nexus 10)"),
    _row("Samsung", MOBILE, r"\b(?P<m>(?:sm|gt|sch|sgh|sph)-\w+|galaxy nexus)"),
    _row("Samsung", MOBILE, r"samsung[- ](?P<m>[-\w]+)"),
    _row("Apple", MOBILE, r"(?P<m>(?:ipod|iphone)\d+,\d+)"),
    _row("Apple", TABLET, r"(?P<m>ipad\d+,\d+)"),
    _row("Apple", MOBILE, r"\((?P<m>ip(?:hone|od)[\w ]*);"),
    _row("Apple", TABLET, r"\((?P<m>ipad);[-\w),; ]+apple"),
    _row("Apple", TABLET, r"applecoremedia/[\w.]+ \((?P<m>ipad)"),
    _row("Apple", None, r"(?P<m>macintosh);"),
    _row("Huawei", TABLET, r"\b(?P<m>(?:ag[rs][23]?|bah2?|sht?|btv)-a?[lw]\d{2})\b(?!.+d/s)"),
    _row("Huawei", MOBILE, r"(?:huawei|honor)(?P<m>[-\w ]+)[;)]"),
    _row("Huawei", MOBILE, r"\b(?P<m>nexus 6p|\w{2,4}e?-[atu]?[ln][\dx][012359c][adn]?)\b(?!.+d/s)"),
    _row("Xiaomi", MOBILE, rf"\b(?P<m>poco[\w ]+){_END}", is_spaced=True),
    _row("Xiaomi", MOBILE, rf"\b(?P<m>redmi[-_ ]?(?:note|k)?[\w ]+){_END}", is_spaced=True),
    _row(
        "Xiaomi",
        MOBILE,
        rf"\b(?P<m>mi[-_ ]?(?:a\d|one|one[_ ]plus|note lte|max|cc)?[_ ]?\d?\w?[_ ]?(?:plus|se|lite)?){_END}",
        is_spaced=True,
    ),
    _row("Xiaomi", TABLET, rf"\b(?P<m>mi[-_ ]?pad[\w ]+){_END}", is_spaced=True),
    _row("OPPO", MOBILE, r"; (?P<m>\w+) bui.+ oppo"),
    _row("OPPO", MOBILE, r"\b(?P<m>cph[12]\d{3}|p(?:af|c[al]|d\w|e[ar])[mt]\d0|x9007|a101op)\b"),
    _row("Vivo", MOBILE, rf"vivo (?P<m>\w+){_END}"),
    _row("Vivo", MOBILE, r"\b(?P<m>v[12]\d{3}\w?[at])(?: bui|;)"),
    _row("Realme", MOBILE, r"\b(?P<m>rmx[12]\d{3})(?: bui|;|\))"),
    _row("Motorola", MOBILE, r"\bmot(?:orola)?[- ](?P<m>\w*)"),
    _row("Motorola", MOBILE, rf"(?P<m>(?:moto[\w() ]+|xt\d{{3,4}}|nexus 6)(?={_END}))"),
    _row("Motorola", TABLET, r"\b(?P<m>mz60\d|xoom[2 ]{0,2}) build/"),
    _row("LG", TABLET, r"(?P<m>[vl]k-?\d{3}) bui"),
    _row("LG", MOBILE, rf"(?P<m>lm(?:-?f100[nv]?|-[\w.]+)(?={_END})|nexus [45])"),
    _row("LG", MOBILE, r"\blg[-e;/ ]+(?P<m>(?!browser|netcast|android tv)\w+)"),
    _row("Lenovo", TABLET, r"(?P<m>ideatab[-\w ]+)"),
    _row("Lenovo", TABLET, r"lenovo ?(?P<m>s[56]000[-\w]+|tab[\w ]+|yt[-\w]{6}|tb[-\w]{6})"),
    _row("Nokia", MOBILE, r"nokia.*(?P<m>lumia \d+)", is_spaced=True),
    _row("Nokia", MOBILE, r"nokia[-_ ]?(?P<m>[-\w.]*)", is_spaced=True),
    _row("Google", TABLET, r"(?P<m>pixel c)\b"),
    _row("Google", MOBILE, rf"{_ANDROID}(?P<m>pixel[\daxl ]{{0,6}}){_END}"),
    _row(
        "Sony",
        MOBILE,
        r"droid.+ (?P<m>a?\d[0-2]{2}so|[c-g]\d{4}|so[-gl]\w+|xq-a\w[4-7][12])"
        r"(?= bui|\).+chrome/(?![1-6]?\d\.))",
    ),
    _row("Sony", TABLET, rf"sony tablet [ps]|\b(?:sony)?sgp\w+{_END}", "Xperia Tablet"),
    _row("OnePlus", MOBILE, r" (?P<m>kb2005|in20[12]5|be20[12][59])\b"),
    _row("OnePlus", MOBILE, r" ?(?:oneplus)? ?(?P<m>a\d0\d\d)(?: b|\))"),
    _row("Amazon", TABLET, rf"(?P<m>kf[a-z]{{2}}wi){_END}"),
    _row("Amazon", TABLET, rf"(?P<m>kf[a-z]+){_END}.+silk/"),
    _row(None, TABLET, r"(?P<model>playbook);[-\w),; ]+(?P<vendor>rim)"),
    _row("BlackBerry", MOBILE, r"\b(?P<m>(?:bb[a-f]|st[hv])100-\d)"),
    _row("BlackBerry", MOBILE, r"\(bb10; (?P<m>\w+)"),
    _row("ASUS", TABLET, r"(?:\b|asus_)(?P<m>transfo[prime ]{4,10} \w+|eeepc|nexus 7|padfone|p00[cj])"),
    _row("ASUS", MOBILE, r" (?P<m>z[bes]6[027][012][km][ls]|zenfone \d\w?)\b"),
    _row("HTC", TABLET, r"(?P<m>nexus 9)"),
    _row(None, MOBILE, r"(?P<vendor>htc)[-;_ ]{1,2}(?P<m>[\w ]+(?=\)| bui)|\w+)", is_spaced=True),
    _row(None, MOBILE, r"(?P<vendor>zte)[- ](?P<m>[\w ]+?)(?: bui|/|\))", is_spaced=True),
    _row(None, MOBILE, r"(?P<vendor>alcatel|panasonic|sony(?!-bra))[-_ ]?(?P<m>[-\w]*)", is_spaced=True),
    _row("Acer", TABLET, rf"{_ANDROID}(?P<m>[ab][1-7]-?[0178a]\d\d?)"),
    _row("Meizu", MOBILE, rf"{_ANDROID}(?P<m>m[1-5] note) bui|\bmz-(?P<n>[-\w]{{2,}})"),
    _row("Sharp", MOBILE, r"\b(?P<m>sh-?[altvz]?\d\d[a-ekm]?)"),
    _row(
        None,
        MOBILE,
        r"(?P<vendor>blackberry|benq|palm(?=-)|sonyericsson|acer|asus|dell|meizu|motorola|polytron)"
        r"[-_ ]?(?P<m>[-\w]*)",
    ),
    _row(None, MOBILE, r"(?P<vendor>microsoft); (?P<m>lumia[\w ]+)"),
    _row(None, MOBILE, r"(?P<vendor>lenovo)[-_ ]?(?P<m>[-\w]+)"),
    _row(None, MOBILE, r"(?P<vendor>oppo) ?(?P<m>[\w ]+) bui"),
    _row(None, TABLET, r"(?P<vendor>kindle)/(?P<m>[\w.]+)"),
    _row("Microsoft", TABLET, r"(?P<m>surface duo)"),
    _row("Fairphone", MOBILE, r"droid [\d.]+; (?P<m>fp\du?)(?: b|\))"),
    _row("Nvidia", TABLET, r"(?P<m>shield[\w ]+) b"),
    _row(None, CONSOLE, r"(?P<vendor>nintendo) (?P<m>[wids3utch]+)"),
    _row("Sony", CONSOLE, r"(?P<m>playstation [345portablevi]+)"),
    _row("Microsoft", CONSOLE, r"\b(?P<m>xbox(?: one)?(?!; xbox))[); ]"),
    _row(None, TV, r"smart-tv.+(?P<vendor>samsung)"),
    _row("LG", TV, r"nux; netcast.+smarttv|lg (?:netcast\.tv-201\d|android tv)"),
    _row(None, TV, r"(?P<vendor>apple) ?tv", "Apple TV"),
    _row("Google", TV, r"crkey", "Chromecast"),
    _row("Amazon", TV, rf"droid.+aft(?P<m>\w){_END}"),
    _row("Sharp", TV, r"\(dtv[);].+(?P<m>aquos)|(?P<n>aquos-tv[\w ]+)\)"),
    _row("Sony", TV, rf"(?P<m>bravia[\w ]+){_END}"),
    _row("Xiaomi", TV, r"(?P<m>mitv-\w{5}) bui"),
    _row(None, TV, r"\b(?P<vendor>roku)[\dx]*[)/](?P<m>(?:dvp-)?[\d.]*)"),
    _row(None, TV, r"\b(?:android tv|smart[- ]?tv|opera tv|tv; rv:)\b"),
    _row("Google", WEARABLE, rf"{_ANDROID}(?P<m>glass) \d"),
    _row("Facebook", WEARABLE, r"(?P<m>quest(?: 2)?)"),
    _row(None, "embedded", r"(?P<vendor>tesla)(?: qtcarbrowser|/[-\w.]+)"),
    _row(None, MOBILE, r"droid .+?; (?P<m>[^;]+?)(?: bui|\) applew).+? mobile safari"),
    _row(None, TABLET, r"droid .+?; (?P<m>[^;]+?)(?: bui|\) applew).+? safari"),
    _row(None, TABLET, r"\b(?:(?:tablet|tab)[;/]|focus/\d(?!.+mobile))"),
    _row(None, MOBILE, r"phone|mobile(?:[;/]| [ \w/.]*safari)|pda(?=.+windows ce)"),
    _row("Generic", None, r"(?P<m>android[-\w. ]{0,9});.+buil"),
)

"""Makers of Android devices, told from the model that stands in a `User-Agent`.

A model is the maker's name and a name ("vivo 1904"), a name known by its beginning ("Redmi Note 9"), or a code of a
certain shape ("CPH2581"). A shape is the code with every digit written as 9. Not every maker's newest codes are here:
the tables tell as much as Amplitude's reports are used to, so that a model's rows go on under the same maker.
"""

from typing import NamedTuple

MOBILE, TABLET, TELEVISION = "mobile", "tablet", "smarttv"


class Make(NamedTuple):
    """Who made a device, and what it is."""

    vendor: str
    model: str
    kind: str


_DIGITS = str.maketrans("012345678", "9" * 9)

_BRANDS = (  # (what stands before the model, the maker, is only the first word of the model kept?)
    ("samsung ", "Samsung", True),
    ("samsung-", "Samsung", True),
    ("vivo ", "Vivo", False),
    ("oneplus ", "OnePlus", False),
    ("motorola ", "Motorola", True),
    ("nokia ", "Nokia", True),
    ("lenovo ", "Lenovo", True),
    ("asus_", "ASUS", True),
    ("lg-", "LG", True),
    ("lg ", "LG", True),
    ("htc ", "HTC", False),
    ("htc_", "HTC", False),
    ("zte ", "ZTE", False),
    ("alcatel_", "Alcatel", False),
)
_BEGINNINGS = (  # the more special before the more general
    (("SM-T", "SM-P", "SM-X", "GT-P", "GT-N"), "Samsung", TABLET),
    (("SM-", "GT-", "SGH-", "SCH-", "SPH-", "Galaxy Nexus"), "Samsung", MOBILE),
    (("Redmi ", "POCO", "HM NOTE 1S"), "Xiaomi", MOBILE),
    (("MI PAD", "Mi Pad"), "Xiaomi", TABLET),
    (("MiTV-",), "Xiaomi", TELEVISION),
    (("moto ", "Moto "), "Motorola", MOBILE),
    (("LM-",), "LG", MOBILE),
    (("SO-", "SOG", "XQ-A"), "Sony", MOBILE),
    (("BRAVIA",), "Sony", TELEVISION),
    (("TB-", "TB1", "TB2", "TB3"), "Lenovo", TABLET),
    (("SH-0", "SH-5"), "Sharp", MOBILE),
    (("KF",), "Amazon", TABLET),
)
_SHAPES = {
    **dict.fromkeys(("Pixel", "Pixel 9", "Pixel 9a", "Pixel 99", "Pixel 99a"), "Google"),
    **dict.fromkeys(("Pixel XL", "Pixel 9 XL", "Pixel 9a XL"), "Google"),
    **dict.fromkeys(("MI MAX", "MI 99", "MI 99 LITE", "MI A9", "MI A9 LITE"), "Xiaomi"),
    **dict.fromkeys(("C9999", "D9999", "E9999", "F9999", "G9999", "999SO", "A999SO"), "Sony"),
    **dict.fromkeys(("XT999", "XT9999"), "Motorola"),
    "CPH9999": "OPPO",
    "FP9": "Fairphone",
    "SHV99": "Sharp",
}
_ONEPLUS = ("A0001", "BE2015", "BE2019", "BE2025", "BE2029", "IN2015", "IN2025", "KB2005")
_CODES = {
    **{code: Make("OnePlus", code, MOBILE) for code in _ONEPLUS},
    **{f"AFT{letter}": Make("Amazon", letter, TELEVISION) for letter in "ABMNRST"},
    "Nexus 5": Make("LG", "Nexus 5", MOBILE),
    "Nexus 5X": Make("LG", "Nexus 5", MOBILE),
    "Nexus 6": Make("Motorola", "Nexus 6", MOBILE),
    "Nexus 6P": Make("Huawei", "Nexus 6P", MOBILE),
    "Nexus 7": Make("ASUS", "Nexus 7", TABLET),
    "Nexus 9": Make("HTC", "Nexus 9", TABLET),
    "Nexus 10": Make("Samsung", "Nexus 10", TABLET),
    "Pixel C": Make("Google", "Pixel C", TABLET),
}
_HUAWEI_PHONES = frozenset(("L99", "AL99", "TL99", "UL99", "LX9", "NX9", "AN99", "LX9A", "AL99A", "TL99A"))
_HUAWEI_TABLETS = frozenset(("AGS", "AGS2", "AGS3", "BAH", "BAH2", "SHT"))


def make_of(model: str, *, is_built: bool) -> Make | None:
    """The maker of a model. `is_built`: the model was followed by the number of a build, which apps send along."""
    return (
        _CODES.get(model)
        or _branded(model, is_built=is_built)
        or _huawei(model)
        or _coded(model, is_built=is_built)
    )


def _branded(model: str, *, is_built: bool) -> Make | None:
    lower = model.lower()
    for brand, vendor, is_one_word in _BRANDS:
        if lower.startswith(brand):
            name = model[len(brand) :].strip()
            if is_one_word:
                name = name.partition(" ")[0]
            own = _coded(name, is_built=is_built)
            return own if own and own.vendor == vendor else Make(vendor, name, _kind(vendor, name))
    if lower.startswith("oppo ") and is_built:
        return Make("OPPO", model[5:], MOBILE)
    if lower.startswith(("huawei ", "honor ")):
        name = model.partition(" ")[2]
        return _huawei(name) if is_built else Make("Huawei", name, MOBILE)
    return None


def _kind(vendor: str, name: str) -> str:
    return TABLET if vendor == "Lenovo" and name.upper().startswith(("TAB", "TB", "YT")) else MOBILE


def _huawei(model: str) -> Make | None:
    """ELE-L29, NOH-NX9, AGS2-W09: what comes after the hyphen tells networks and region; 4 is North America's."""
    head, hyphen, tail = model.partition("-")
    if not hyphen or not 2 <= len(head) <= 4:  # noqa: PLR2004 (letters)
        return None
    shape = tail.upper().translate(_DIGITS)
    if head in _HUAWEI_TABLETS and shape in ("W99", "L99", "AL99"):
        return Make("Huawei", model, TABLET)
    is_phone = shape in _HUAWEI_PHONES and not (shape == "L99" and tail.endswith("4"))
    return Make("Huawei", model, MOBILE) if is_phone else None


def _coded(model: str, *, is_built: bool) -> Make | None:
    for beginnings, maker, kind in _BEGINNINGS:
        if model.startswith(beginnings) and " - " not in model:  # "moto g - 2024" has no maker there
            return Make(maker, model.partition("/")[0], kind)
    shape = model.translate(_DIGITS)
    vendor = _SHAPES.get(shape) or _SHAPES.get(shape.upper())
    if vendor is None and _is_mi(shape.upper()):
        vendor = "Xiaomi"
    if vendor is None and is_built and shape in ("V9999A", "V9999CA", "V9999EA", "V9999GA"):
        vendor = "Vivo"
    if vendor is None and model.startswith(("RMX1", "RMX2")):
        vendor = "Realme"
    return Make(vendor, model, MOBILE) if vendor else None


def _is_mi(shape: str) -> bool:
    """MI 8, MI 5s, MI 9 SE; not those of two digits."""
    return shape.startswith("MI 9") and shape[4:5] != "9" and not shape.endswith((" PRO", " UD"))

"""Templates to answers, and what is shown of values that anybody may have sent.

Everything is escaped; besides, characters that are not seen, or turn the text around them, are shown by their names.
"""

import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

import orjson
from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from relay import __version__
from relay.body import encode
from relay.console.sessions import Session
from relay.times import format_iso

SESSION: web.RequestKey[Session] = web.RequestKey("session", Session)
FORM_TOKEN: web.RequestKey[str] = web.RequestKey("form_token", str)
FLASH: web.RequestKey[str] = web.RequestKey("flash", str)

CUT = 300  # characters of a value in a list
TOO_DEEP = "nested too deeply to be shown"
_CONTROL_PICTURES = 0x2400  # Unicode: the picture of U+0000
_DELETE, _DELETE_PICTURE = 0x7F, 0x2421
# C1 controls, line separators, zero widths, and all that changes the direction of text (Unicode TR 9)
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)
_LONE = re.compile(r"[\ud800-\udfff]")
_UNITS = ((86400, "d"), (3600, "h"), (60, "min"))


@cache
def environment() -> Environment:
    made = Environment(
        loader=PackageLoader("relay.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "visible": visible,
        "cut": cut,
        "pretty": pretty,
        "number": number,
        "seconds": seconds,
        "when": when,
        "clock": clock,
        "remaining": remaining,
        "coded": coded,
        "who": who,
        "masked": masked,
    }
    made.tests["long"] = lambda text: len(text) > CUT
    return made


def page(request: web.Request, template: str, *, status: int = 200, **values: Any) -> web.Response:
    """A page, or a part of one, for who is signed in or not."""
    session = request.get(SESSION)
    about: dict[str, Any] = {
        "path": request.path,
        "version": __version__,
        "session": session,
        "can_change": session is not None and session.can_change,
        "form_token": request.get(FORM_TOKEN, ""),
        "flash": request.get(FLASH, ""),
    }
    return web.Response(text=html(template, about | values), content_type="text/html", status=status)


def html(template: str, values: Mapping[str, Any]) -> str:
    return environment().get_template(template).render(values)


def visible(value: object) -> str:
    """`value` as text in which nothing is hidden."""
    return _UNSEEN.sub(_picture, _LONE.sub("\ufffd", _text(value)))


def _text(value: object) -> str:
    try:
        return value if isinstance(value, str) else str(value)
    except RecursionError:  # a page is made deeper in the stack than the request was read
        return TOO_DEEP


def _picture(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:  # noqa: PLR2004
        return chr(_CONTROL_PICTURES + code)
    return chr(_DELETE_PICTURE) if code == _DELETE else f"\u27e8U+{code:04X}\u27e9"


def cut(value: object, most: int = CUT) -> str:
    """`visible`, in one line and not longer than a list has room for."""
    text = _text(value)
    shown = visible(text[: most + 1].replace("\n", "\u240a").replace("\t", "\u2409"))
    return shown[:most] + "\u2026" if len(shown) > most else shown


def pretty(value: object) -> str:
    """JSON for people; in one line where orjson cannot: beyond 254 levels, and numbers beyond 64 bits."""
    try:
        return visible(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode())
    except TypeError:
        compact = encode(value)
        return TOO_DEEP if compact is None else visible(compact.decode())


def number(value: float) -> str:
    """1,234,567; numbers below ten with one digit behind the point, if they have any."""
    return f"{value:,.1f}" if value < 10 and value != int(value) else f"{round(value):,}"  # noqa: PLR2004


def seconds(value: float | None) -> str:
    """A span as it is said: 340 ms, 2.4 s, 5 min, 3 h, 2 d."""
    if value is None:
        return "\u2013"
    if value < 1:
        return f"{round(value * 1000)} ms"
    for size, unit in _UNITS:
        if value >= size:
            return f"{round(value / size)} {unit}"
    return f"{number(value)} s"


def when(moment: int | str | datetime | None, now: Callable[[], float] = time.time) -> Markup:
    """A moment (ms, or ISO 8601) as how long ago it is, with the moment itself behind it."""
    if moment is None:
        return Markup("\u2013")
    try:
        iso = format_iso(moment) if isinstance(moment, int) else cut(moment, 40)
        ago = now() - datetime.fromisoformat(iso).timestamp()
    except (ValueError, OverflowError):  # what was refused says whatever it likes
        return Markup("<bdi>{}</bdi>").format(cut(moment, 40))
    said = f"in {seconds(-ago)}" if ago <= -1 else f"{seconds(ago)} ago" if ago >= 1 else "now"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(iso, iso, said)


def clock(iso: object) -> Markup:
    """The time of day of an ISO 8601 moment, in UTC, to the millisecond."""
    text = cut(iso, 40) if isinstance(iso, str) else ""
    return Markup('<time datetime="{}" title="{}">{}</time>').format(text, text, text[11:23])


def remaining(iso: str, now: Callable[[], float] = time.time) -> Markup:
    """How long it is until a moment to come."""
    left = max(0.0, datetime.fromisoformat(iso).timestamp() - now())
    return Markup('<time datetime="{}" title="{}">{}</time>').format(iso, iso, seconds(left))


def coded(sentence: str) -> Markup:
    """A sentence of ours: what stands between backticks is code."""
    parts = visible(sentence).split("`")
    if len(parts) % 2 == 0:  # one of them has no other
        return escape(visible(sentence))
    code = Markup("<code>{}</code>")
    return Markup("").join(code.format(part) if number % 2 else part for number, part in enumerate(parts))


def who(data: Mapping[str, Any]) -> object:
    """Whose event it is, as far as it says."""
    return next((data[key] for key in ("userId", "anonymousId") if data.get(key)), "")


def masked(secret: str) -> str:
    """As much of a key as tells it from others."""
    return f"\u2026{secret[-4:]}" if len(secret) > 8 else "\u2026"  # noqa: PLR2004

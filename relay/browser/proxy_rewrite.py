"""Segment's script and settings, changed so that all they ask for and all they send comes to relay.

The script has three things in it that say where (analytics-next 1.84.3, as published):

- the write key, `analyticsWriteKey="…"`, which goes before the page's: Segment's own becomes relay's, wherever it stands as
  a text of its own;
- Segment's CDN, for when the page does not say which: a line in front of the script says so, by the address that the browser
  had the script from. It is the same for every name that relay has, and for names of one's own;
- Segment's API, for the report that the script could not start: there that line's host is put before it. Events
  go where the settings say.

In a script where these do not stand nothing is changed. The settings say the key, the API, the host of the library's own
metrics, which relay turns off as it sends them to nobody, and where plug-ins are. What has an address on another host than
the CDN keeps it. What relay itself has for browsers is added: its plug-ins of device mode, their categories of consent.
"""

import gzip
import json
import re
from collections.abc import Mapping
from typing import Any

import orjson

from relay.browser.library import Served, served_as
from relay.browser.proxy_config import SEGMENTS_CDN
from relay.browser.proxy_fetch import Fetched

_NAME = r"[A-Za-z0-9@_+=~-][A-Za-z0-9@_.+=~-]*"
_FILE = re.compile(
    rf"/(next-integrations/({_NAME}/){{1,6}}|analytics-next/bundles/){_NAME}\.js(\.gz)?", re.ASCII
)
_LONGEST = 300
_SEGMENTS = (SEGMENTS_CDN, "https://cdn.segment.build")
# what a script is called by those who store files
_TYPES = ("javascript", "octet-stream", "gzip", "text/plain")

# as Segment's snippet says it: the name of the global, and `_cdn` in it unless the page has set one
_HERE = """\
(function(s){var p=s&&s.src&&s.src.replace(/[?#].*/,"").replace(/(\\/analytics\\.js\\/v1)?\\/[^\\/]+\\/[^\\/]+$/,"");if(!p)return;\
var t=document.querySelector("script[data-global-segment-analytics-key]"),\
k=t&&t.getAttribute("data-global-segment-analytics-key")||"analytics",a=window[k]=window[k]||[];\
a._cdn=a._cdn||p;window.relayApiHost=p.replace(/^https?:\\/\\//,"")+"/v1"})(document.currentScript);
"""
_API = '"api.segment.io/v1"'


def is_file(path: str) -> bool:
    """Whether `path` is one of a file that Segment's script may ask its CDN for."""
    return len(path) <= _LONGEST and _FILE.fullmatch(path) is not None


def read_script(fetched: Fetched, segments_key: str, key: str) -> Served:
    """The script for pages. Raises ValueError when it is none."""
    text = _text(fetched)
    if key != segments_key:
        own = json.dumps(key)
        text = re.sub(rf"""(["']){re.escape(segments_key)}\1""", lambda _: own, text)
    text = text.replace(_API, f"(window.relayApiHost||{_API})")
    return packed((_HERE + text).encode())


def read_file(fetched: Fetched) -> Served:
    """As it is. Raises ValueError when it is no script."""
    return packed(_text(fetched).encode())


def _text(fetched: Fetched) -> str:
    kind, text = fetched.content_type, fetched.body.decode()
    begin = text.lstrip()[:1]
    is_page = begin == "<"  # of an error, whatever it is called
    if not begin or is_page or (kind and not any(one in kind for one in _TYPES)):
        raise ValueError("no script")
    return text


def packed(whole: bytes) -> Served:
    return served_as(whole, {"gzip": gzip.compress(whole, 6, mtime=0), "identity": whole})


def read_settings(fetched: Fetched) -> dict[str, Any]:
    """The settings. Raises ValueError when they are none."""
    document = orjson.loads(fetched.body)
    if not isinstance(document, dict) or not isinstance(document.get("integrations"), dict):
        raise ValueError("no settings")  # noqa: TRY004  for those who call, one kind of mistake
    return document


def rewritten(theirs: Mapping[str, Any], ours: Mapping[str, Any], cdn: str) -> dict[str, Any]:
    """Segment's settings for pages. `ours`: relay's own document for the same source, asked for in the same way."""
    integrations = dict(theirs["integrations"])
    own = _table(integrations.get("Segment.io"))
    mine = ours["integrations"]["Segment.io"]
    own |= {name: mine[name] for name in ("apiKey", "apiHost", "protocol")}
    if "deliveryStrategy" in mine:  # cookies are sent along
        own["deliveryStrategy"] = _with_cookies(_table(own.get("deliveryStrategy")))
    place = f"{mine['protocol']}://{mine['apiHost'].removesuffix('/v1')}"
    given = theirs.get("remotePlugins")
    plugins = [_moved(one, cdn, place) for one in given] if isinstance(given, list) else []
    added = _added(ours, plugins, integrations)
    if added:
        own["addBundledMetadata"] = True  # it says which events relay need not send
        ids = {one["name"]: mine["maybeBundledConfigIds"][one["name"]] for one in added}
        own["maybeBundledConfigIds"] = _table(own.get("maybeBundledConfigIds")) | ids
    for name in (one["name"] for one in added if one["name"] in ours["integrations"]):
        integrations[name] = _table(integrations.get(name)) | ours["integrations"][name]
    return {
        **theirs,
        "integrations": {**integrations, "Segment.io": own},
        "metrics": {**_table(theirs.get("metrics")), **ours["metrics"]},
        "remotePlugins": [*plugins, *added],
        **_filters(_table(theirs.get("middlewareSettings")), ours, [one["name"] for one in added]),
        **_consent(_table(theirs.get("consentSettings")), ours["consentSettings"]),
    }


def _table(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, dict) else {}


def _with_cookies(strategy: dict[str, Any]) -> dict[str, Any]:
    return {**strategy, "config": {**_table(strategy.get("config")), "credentials": "include"}}


def _moved(plugin: Any, cdn: str, place: str) -> Any:
    """A plug-in whose file comes from here, if it came from the CDN: the library itself knows but Segment's own."""
    url = plugin.get("url") if isinstance(plugin, dict) else None
    for origin in (cdn, *_SEGMENTS):
        if isinstance(url, str) and url.startswith(f"{origin}/") and is_file(url[len(origin) :]):
            return {**plugin, "url": place + url[len(origin) :]}
    return plugin


def _added(
    ours: Mapping[str, Any], plugins: list[Any], integrations: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Relay's plug-ins but those that Segment has in browsers by the same name: of these Segment's runs until it is off."""
    taken = [one.get(name) for one in plugins if isinstance(one, dict) for name in ("name", "creationName")]
    taken += [name for name, it in integrations.items() if _table(it).get("bundlingStatus") != "unbundled"]
    return [one for one in ours["remotePlugins"] if one["name"] not in taken]


def _filters(theirs: dict[str, Any], ours: Mapping[str, Any], added: list[str]) -> dict[str, Any]:
    """With the filters of the plug-ins that are added."""
    rules = [one for one in ours["middlewareSettings"]["routingRules"] if one.get("destinationName") in added]
    if not rules:
        return {}
    given = theirs.get("routingRules")
    return {
        "middlewareSettings": {
            **theirs,
            "routingRules": [*(given if isinstance(given, list) else ()), *rules],
        }
    }


def _consent(theirs: dict[str, Any], ours: Mapping[str, Any]) -> dict[str, Any]:
    """The categories of both; Segment's destinations need none if nothing is said of them."""
    if not ours["allCategories"]:
        return {"consentSettings": theirs} if theirs else {}
    known = theirs.get("allCategories")
    both = [*(known if isinstance(known, list) else ()), *ours["allCategories"]]
    has_unmapped = theirs.get("hasUnmappedDestinations", True) or ours["hasUnmappedDestinations"]
    return {
        "consentSettings": {
            **theirs,
            "allCategories": [one for place, one in enumerate(both) if one not in both[:place]],
            "hasUnmappedDestinations": has_unmapped,
        }
    }

"""The snippet that a page has in its `<head>`: it queues calls until the library is there, and asks for the library.

What it leaves in `window.analytics` is what analytics.js and its tools look for: `invoked`, `initialized`, `methods`,
`factory`, `load`, `_writeKey`, `_cdn`, `_loadOptions`, `SNIPPET_VERSION`, and calls as `[method, …arguments]`, those that make an
event with the page as it is now (`__t: "bpc"`): an application may be elsewhere when they are made.
"""

import json
import re
from typing import Any

from relay.browser.config import BrowserConfig

# Each line ends where a statement or an item may: joined, they are the minified one.
_READABLE = """\
(function (page, name) {
  var analytics = (page[name] = page[name] || []);
  if (analytics.initialized) return;
  if (analytics.invoked) return console.error("The analytics snippet is in this page twice.");
  analytics.invoked = true;
  analytics.SNIPPET_VERSION = "5.2.0";
  analytics._writeKey = KEY;
  analytics._cdn = CDN;
  analytics.methods = [
    "track", "page", "identify", "group", "alias", "screen", "reset", "register", "consent",
    "ready", "on", "once", "off", "setAnonymousId", "addSourceMiddleware",
    "addIntegrationMiddleware", "addDestinationMiddleware", "trackLink", "trackClick",
    "trackForm", "trackSubmit", "pageview", "debug",
  ];
  analytics.factory = function (method) {
    return function () {
      if (page[name].initialized) return page[name][method].apply(page[name], arguments);
      var call = [method].concat([].slice.call(arguments));
      if (/^(track|page|identify|group|alias|screen)$/.test(method)) {
        var canonical = document.querySelector("link[rel=canonical]");
        call.push({
          __t: "bpc",
          c: (canonical && canonical.getAttribute("href")) || undefined,
          p: location.pathname,
          u: location.href,
          s: location.search,
          t: document.title,
          r: document.referrer,
        });
      }
      analytics.push(call);
      return analytics;
    };
  };
  analytics.methods.forEach(function (method) {
    analytics[method] = analytics.factory(method);
  });
  analytics.load = function (key, options) {
    var script = document.createElement("script");
    script.async = true;
    script.src = FOLDER + encodeURIComponent(key) + FILE;
    script.setAttribute("data-global-segment-analytics-key", name);
    analytics._loadOptions = options;
    document.head.appendChild(script);
  };
  analytics.load(KEY, OPTIONS);
  analytics.page();
})(window, "analytics");
"""
_SPACES = {" = ": "=", ": ": ":", ", ": ",", " (": "(", ") ": ")", " || ": "||", " && ": "&&", " + ": "+"}


def snippet(write_key: str, host: str, browser: BrowserConfig, *, is_readable: bool) -> str:
    """The HTML to paste. `host`: where browsers reach relay, as scheme, name and port."""
    place = host + (browser.prefix or "")
    protocol, _, rest = place.partition("://")
    own = {"apiHost": rest if browser.prefix else f"{rest}/v1", "protocol": protocol}
    values = {
        "KEY": write_key,
        "CDN": place,
        "FOLDER": f"{place}/" if browser.script else f"{place}/analytics.js/v1/",
        "FILE": f"/{browser.script or 'analytics.min.js'}",
        "OPTIONS": {"integrations": {"Segment.io": own}},
    }
    text = _READABLE if is_readable else "".join(map(_packed, _READABLE.splitlines())) + "\n"
    filled = re.sub(rf"\b({'|'.join(values)})\b", lambda found: _javascript(values[found[0]]), text)
    return f"<script>\n{filled}</script>\n"


def _packed(line: str) -> str:
    text = line.strip()
    for wide, narrow in _SPACES.items():
        text = text.replace(wide, narrow)
    return text


def _javascript(value: Any) -> str:
    """As JavaScript within HTML: no `<`, nor anything else that would end the script or a string."""
    text = json.dumps(value)  # ASCII: U+2028 is escaped
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")

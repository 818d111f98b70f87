"""The page that sites have: Segment's published snippet 5.2.0, with the host changed."""

import json
from collections.abc import Mapping
from typing import Any

# As Segment publishes it; HOST, KEY, OPTIONS and CALLS stand for what a site fills in.
SNIPPET = """
!function(){var i="analytics",analytics=window[i]=window[i]||[];if(!analytics.initialize)if(analytics.invoked)window.console
&&console.error&&console.error("Segment snippet included twice.");else{analytics.invoked=!0;analytics.methods=["trackSubmit",
"trackClick","trackLink","trackForm","pageview","identify","reset","group","track","ready","alias","debug","page","screen",
"once","off","on","addSourceMiddleware","addIntegrationMiddleware","setAnonymousId","addDestinationMiddleware","register"];
analytics.factory=function(e){return function(){if(window[i].initialized)return window[i][e].apply(window[i],arguments);
var n=Array.prototype.slice.call(arguments);if(["track","screen","alias","group","page","identify"].indexOf(e)>-1){
var c=document.querySelector("link[rel='canonical']");n.push({__t:"bpc",c:c&&c.getAttribute("href")||void 0,
p:location.pathname,u:location.href,s:location.search,t:document.title,r:document.referrer})}n.unshift(e);analytics.push(n);
return analytics}};for(var n=0;n<analytics.methods.length;n++){var key=analytics.methods[n];analytics[key]=analytics.factory(key)}
analytics.load=function(key,n){var t=document.createElement("script");t.type="text/javascript";t.async=!0;
t.setAttribute("data-global-segment-analytics-key",i);t.src="HOST/analytics.js/v1/"+key+"/analytics.min.js";
var r=document.getElementsByTagName("script")[0];r.parentNode.insertBefore(t,r);analytics._loadOptions=n};
analytics._writeKey="KEY";analytics._cdn="HOST";analytics.SNIPPET_VERSION="5.2.0";
BEFORE
analytics.load("KEY",OPTIONS);
CALLS
}}();
"""


def page_of(
    host: str,
    key: str,
    options: Mapping[str, Any] | str | None,
    calls: str,
    before: str,
    body: str,
    head: str,
) -> str:
    """A page with the snippet. `options` may be JavaScript; `before` is run before `load`, `calls` after it."""
    given = options if isinstance(options, str) else json.dumps(options or {})
    script = SNIPPET.replace("BEFORE", before).replace("OPTIONS", given).replace("CALLS", calls)
    script = script.replace("HOST", host).replace("KEY", key)
    # as it is published: over TLS Segment's library knows by itself where it came from
    if host.startswith("https:"):
        script = script.replace(f'analytics._cdn="{host}";', "")
    return (
        f"<!doctype html><html><head><title>A page</title>{head}<link rel='icon' href='data:,'>"
        f"<script>{script}</script></head><body>{body}</body></html>"
    )

"""Paths under names of one's own: what `[browser]` adds to the well-known ones, which stay.

    {prefix}/t                          /v1/t, and so all that begins with /v1
    {prefix}/{write_key}/{script}       /analytics.js/v1/{write_key}/analytics.min.js
    {prefix}/{write_key}/plugins/…      /analytics.js/v1/{write_key}/plugins/…

Lists of trackers know `/analytics.js/` and `/v1/`; in these paths there is neither. Files are found in any folder, as the
well-known ones are: the script asks for its plug-ins beside the place that it came from, whatever that is called.
"""

from relay.browser.config import BrowserConfig
from relay.gateway.routes import is_well_known


class Names:
    """Finds the well-known path of one under its own name."""

    def __init__(self, config: BrowserConfig) -> None:
        self._prefix = config.prefix
        self._script = config.script

    def known(self, path: str) -> str:
        """`path` as relay's routes have it, what stands before it in front; what has no other name is itself."""
        prefix, script = self._prefix, self._script
        if (prefix is None and script is None) or is_well_known(path):
            return path
        match path.split("/"):
            case ["", *folders, key, name] if name == script:
                return "/".join(["", *folders, "analytics.js/v1", key, "analytics.min.js"])
            case ["", *folders, key, "plugins", name] if script is not None:
                return "/".join(["", *folders, "analytics.js/v1", key, "plugins", name])
        if prefix is None or not path.startswith(f"{prefix}/"):
            return path
        return f"{prefix}/v1{path[len(prefix) :]}"

    def api_host(self, host: str, prefix: str) -> str:
        """Where those send events who asked `host` for their settings, under `prefix`."""
        return f"{host}{prefix}" if prefix == self._prefix else f"{host}{prefix}/v1"

"""What installing relay does besides copying: it builds analytics.js, for wheels and editable installations alike.

Without npm's registry relay is installed all the same. It then says that this script is missing where it is asked for it.
"""

import sys
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BrowserScript(BuildHookInterface[Any]):
    """Called by hatchling before it packs a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        sys.path.insert(0, self.root)
        from relay.browser.build import CannotBuild, build  # noqa: PLC0415  found only from here on

        try:
            build()
        except CannotBuild as error:
            self.app.display_warning(f"relay is installed without analytics.js: {error}")
            return
        build_data["artifacts"].append("relay/browser/static/*")

"""What installing relay does besides copying: it builds analytics.js and the console's scripts, for wheels and editable installations.

Without npm's registry relay is installed all the same. It then says that these are missing where they are asked for.
"""

import sys
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Scripts(BuildHookInterface[Any]):
    """Called by hatchling before it packs a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        sys.path.insert(0, self.root)
        from relay.browser import build as browser  # noqa: PLC0415  found only from here on
        from relay.console import build as console  # noqa: PLC0415
        from relay.npm import CannotBuild, build  # noqa: PLC0415

        for what, room in (("analytics.js", browser), ("the console", console)):
            try:
                build(room.SOURCES, room.BUILT)
            except CannotBuild as error:
                self.app.display_warning(f"relay is installed without {what}: {error}")
                continue
            build_data["artifacts"].append(f"relay/{room.BUILT.parent.name}/static/*")

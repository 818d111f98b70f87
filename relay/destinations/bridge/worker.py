"""What a child of the bridge is started with: its program, and the files that it may read.

It takes one argument more than every child: the folder of the installed version.
"""

from pathlib import Path

from relay.destinations.bridge.folder import PROGRAMS

SCRIPT = PROGRAMS / "worker.mjs"
MODULES = (PROGRAMS / "bundle.mjs", PROGRAMS / "http.mjs")


def readable(folder: Path) -> tuple[Path, Path]:
    """Of an installed version."""
    return folder / "bundle.js", folder / "bundle.cache"

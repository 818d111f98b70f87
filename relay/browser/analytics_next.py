"""Segment's own analytics.js, the package @segment/analytics-next: where it is installed, and how it is served.

{data_dir}/analytics-next/
  1.84.3/                      appears by one rename, when all is in it
    standalone.js              what pages ask for in place of relay's script
    NAME.bundle.HASH.js        its parts, which it asks for at {_cdn}/analytics-next/bundles/ when it needs one
    NAME.js.br                 each of these in brotli
    LICENSE.MD

Where `_cdn` is not set, the library takes what stands before `/analytics.js/v1/` in the address of an https script, and
else Segment's own host. Files are served as they were published. A part has its hash in its name: those of all installed
versions are served, as pages may still run the library of the version before.
"""

import gzip
import re
from pathlib import Path

from relay.browser.library import Served, served_as

PACKAGE = "@segment/analytics-next"
VERSION = "1.84.3"  # the one that is tested
NAME = "analytics-next"  # in the data directory
PLACE = "/analytics-next/bundles/"  # fixed in the library
SCRIPT = "standalone.js"
LICENCE = "LICENSE.MD"
INSTALL = "`relay browser install`"
NOT_INSTALLED = f'`library = "{NAME}"`: Segment\'s analytics.js is not installed; {INSTALL} brings it'

SERVED = re.compile(r"standalone\.js|[\w-]+\.bundle\.[0-9a-f]+\.js")


class AnalyticsNext:
    """The installed files, each read when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, Path] = {}
        self._served: dict[str, Served] = {}

    def served(self, name: str) -> Served | None:
        """`standalone.js` or a part of it; None when that is not installed."""
        found = self._served.get(name)
        if found is None:
            if not self._files:  # once: anybody may ask for what is not there
                self._files = files(self._folder)
            file = self._files.get(name)  # by what is there: `name` comes from outside
            if file is None:
                return None
            found = self._served[name] = _read(file)
        return found


def files(folder: Path) -> dict[str, Path]:
    """What can be served, by name: the library of the version to use, and the parts of all."""
    found = [file for one in versions(folder) for file in one.iterdir() if SERVED.fullmatch(file.name)]
    return {file.name: file for file in found}


def versions(folder: Path) -> list[Path]:
    """The folders of the installed versions; the last is the one to use: ours, or else the newest."""
    numbers = {path: _number(path.name) for path in folder.glob("*.*.*") if (path / SCRIPT).is_file()}
    return sorted(numbers, key=lambda path: (path.name == VERSION, numbers[path]))


def is_installed(folder: Path) -> bool:
    return bool(versions(folder))


def _number(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]


def _read(file: Path) -> Served:
    whole = file.read_bytes()
    bodies = {"gzip": gzip.compress(whole, 9, mtime=0), "identity": whole}
    brotli = file.with_name(f"{file.name}.br")
    if brotli.is_file():
        bodies["br"] = brotli.read_bytes()
    return served_as(whole, bodies)

"""The licences of all that went into the bundle, as its authors wrote them."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import orjson

from relay.destinations.bridge.bundle import PACKAGE, Bundle

_FOLDER = re.compile(r"(?:.*/)?node_modules/(?:@[^/]+/)?[^/]+")
_SECTION = re.compile(r"^#+ *Licen[cs]e *$\n(.*?)(?=^#|\Z)", re.MULTILINE | re.DOTALL | re.IGNORECASE)
_COPYRIGHT = re.compile(r"^ *(Copyright\b.*)$", re.MULTILINE | re.IGNORECASE)
_RULE = "-" * 78


class Notice(msgspec.Struct, frozen=True):
    """`text` is empty where a package names its licence and no more."""

    name: str
    version: str
    licence: str
    text: str


def collect(packages: Path, bundle: Bundle) -> list[Notice]:
    """One for each package, Segment's first."""
    folders = {match[0] for path in bundle.inputs if (match := _FOLDER.match(path))}
    notices = [_of(packages / folder) for folder in folders]
    return sorted(notices, key=lambda it: (it.name != PACKAGE, it.name, it.version))


def written(notices: list[Notice]) -> str:
    """The file that is kept beside the bundle."""
    parts = [f"{it.name} {it.version}\nLicence: {it.licence}\n\n{it.text}".strip() for it in notices]
    return f"\n\n{_RULE}\n".join(parts) + "\n"


def summary(text: str) -> str:
    """Of such a file: the first package, its licence and whose it is, in one line."""
    first = text.partition(_RULE)[0]
    name, licence = first.splitlines()[:2]
    owner = _COPYRIGHT.search(first)
    return ", ".join([name, licence.removeprefix("Licence: "), *([owner[1].strip()] if owner else [])])


def _of(folder: Path) -> Notice:
    about = orjson.loads((folder / "package.json").read_bytes())
    licence = about.get("license") or about.get("licenses") or "not named"
    named = licence if isinstance(licence, str) else orjson.dumps(licence).decode()
    return Notice(about["name"], about["version"], named, "\n\n".join(_texts(folder)))


def _texts(folder: Path) -> Iterator[str]:
    """Files that are licences or notices; without any, the section of the readme."""
    names = ("licen", "copying", "notice")
    files = [
        path for path in sorted(folder.iterdir()) if path.is_file() and path.name.lower().startswith(names)
    ]
    for path in files:
        yield path.read_text("utf-8", "replace").strip()
    readme = folder / "README.md"
    if not files and readme.is_file() and (section := _SECTION.search(readme.read_text("utf-8", "replace"))):
        yield section[1].strip()
